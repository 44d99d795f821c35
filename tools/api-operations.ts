import { operationsOf } from '../server/src/app.ts'
import { partita } from '../server/src/bank.ts'
import { BankClock } from '../server/src/platform/clock.ts'
import type { Operation } from '../server/src/platform/http/operation.ts'
import { silentLogger } from '../server/src/platform/logging.ts'
import { createMetrics } from '../server/src/platform/metrics.ts'
import { openDatabase } from '../server/src/platform/postgres/database.ts'

/** Every operation of a sandbox, which has all there are, to be described. Needs no database: they are made, none is called. */
export async function allOperations(): Promise<Operation[]> {
  const loaded = partita.configure({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', PARTITA_ENVIRONMENT: 'test' })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  const database = openDatabase({ url: loaded.config.database.url, applicationName: 'description' })
  const metrics = createMetrics({ process: false })
  const world = { config: loaded.config, database, clock: new BankClock(database), logger: silentLogger, metrics }
  try {
    return operationsOf(partita.parts(world), true)
  } finally {
    await database.close()
  }
}
