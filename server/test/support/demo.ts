import { createHash } from 'node:crypto'
import pg from 'pg'
import { partita } from '../../src/bank.ts'
import { BankClock, type Clock, fixedClock } from '../../src/platform/clock.ts'
import type { Config } from '../../src/platform/config.ts'
import { silentLogger } from '../../src/platform/logging.ts'
import { createMetrics } from '../../src/platform/metrics.ts'
import type { World } from '../../src/platform/module.ts'
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
  return { ...(await seedDemo(await testWorld(db), { secretKey: SECRET })), secretKey: SECRET }
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

/** What a bank in a test stands on, on `TODAY` unless told otherwise: its clock stands still, so that every answer is the same each time. */
export async function testWorld(
  db: Pick<TestDatabase, 'url' | 'database'>,
  overrides: NodeJS.ProcessEnv = {},
  machine: Clock = fixedClock(TODAY),
): Promise<World> {
  const clock = new BankClock(db.database, machine)
  await clock.refresh()
  const metrics = createMetrics({ process: false })
  return { config: testConfig(db.url, overrides), database: db.database, clock, logger: silentLogger, metrics }
}

export function testConfig(url: string, overrides: NodeJS.ProcessEnv = {}): Config {
  const loaded = partita.configure({
    DATABASE_URL: url,
    PARTITA_ENVIRONMENT: 'test',
    PARTITA_LOG_LEVEL: 'silent',
    ...UNLIMITED,
    ...overrides,
  })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  return loaded.config
}

const UNLIMITED = { PARTITA_RATE_LIMIT_10_SECONDS: '0', PARTITA_RATE_LIMIT_10_MINUTES: '0', PARTITA_RATE_LIMIT_401_PER_HOUR: '0' }
