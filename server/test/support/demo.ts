import { createHash } from 'node:crypto'
import pg from 'pg'
import { partita } from '../../src/bank.ts'
import { bankSettings } from '../../src/modules/accounts/index.ts'
import { fixedClock } from '../../src/platform/clock.ts'
import { type SeededCompany, seedDemo } from '../../src/seed.ts'
import { clusterUrl, createTestDatabase, type TestDatabase } from './database.ts'

/** The day on which tests with the demo company take place. */
export const TODAY = new Date('2026-03-02T10:00:00.000Z')

export type DemoDatabase = TestDatabase & { readonly demo: SeededCompany & { readonly secretKey: string } }

const TEMPLATE = 'partita_template_demo'
const SECRET = createHash('sha256').update(TEMPLATE).digest('hex')

/**
 * A clone of the template with the demo company in it, as it was made on `TODAY`. The first file of a run that asks for one makes the template: six
 * weeks of history are booked once and not for every file, and files that want none stay out of reach of the seed.
 */
export async function createDemoDatabase(): Promise<DemoDatabase> {
  await ensureTemplate()
  const db = await createTestDatabase({ template: TEMPLATE })
  return { ...db, demo: await seedInto(db) }
}

/** Makes the company, or finds it. */
async function seedInto(db: TestDatabase): Promise<DemoDatabase['demo']> {
  const configured = partita.configure({ DATABASE_URL: db.url })
  if (!configured.ok) throw new Error(configured.problems.join('; '))
  const bank = configured.config.of(bankSettings)
  return { ...(await seedDemo(db.database, fixedClock(TODAY), { bank, secretKey: SECRET })), secretKey: SECRET }
}

/** One of several processes makes it; it gets its name when it is whole, so that nobody clones half a history. */
async function ensureTemplate(): Promise<void> {
  const client = new pg.Client({ connectionString: clusterUrl() })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(hashtext($1))', [TEMPLATE])
    const { rowCount } = await client.query('select from pg_database where datname = $1', [TEMPLATE])
    if (rowCount === 0) await makeTemplate(client)
  } finally {
    await client.end() // and with it the lock
  }
}

async function makeTemplate(client: pg.Client): Promise<void> {
  const db = await createTestDatabase()
  await seedInto(db)
  await db.close()
  await client.query(`alter database ${db.name} rename to ${TEMPLATE}`)
}
