import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { testActor } from '../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { silentLogger } from './logging.ts'
import { Database } from './postgres/database.ts'
import { Wakeups } from './wake.ts'

let db: TestDatabase
let other: Database
const opened: Wakeups[] = []

beforeAll(async () => {
  db = await createTestDatabase()
  other = new Database({ url: db.url, applicationName: 'other process', poolSize: 1, acquireTimeoutMs: 10_000 })
})
afterEach(async () => {
  for (const wakeups of opened.splice(0)) await wakeups.stop()
})
afterAll(async () => {
  await other.close()
  await db.drop()
})

function process(database: Database, isListening: boolean, tellEveryMs = 20) {
  const wakeups = new Wakeups({ database, url: db.url, logger: silentLogger, isListening, tellEveryMs })
  opened.push(wakeups)
  const heard: string[] = []
  for (const channel of ['letters', 'parcels']) wakeups.on(channel, () => heard.push(channel))
  return { wakeups, heard }
}

const listens = () =>
  vi.waitFor(async () => {
    const { rows } = await db.admin.query(`select 1 from pg_stat_activity where application_name = 'partita wake' and query like 'listen%' and datname = current_database()`)
    expect(rows).toHaveLength(1)
  }) // biome-ignore format: one thought

test('who commits wakes his own process at once, and others by a notification; a rollback wakes nobody', async () => {
  const here = process(db.database, false)
  const there = process(other, true)
  await listens()
  there.heard.length = 0
  await db.database.transaction(testActor, async (tx) => {
    tx.wake('letters')
    await Promise.resolve()
    expect(here.heard).toEqual([])
  })
  await Promise.resolve()
  expect(here.heard).toEqual(['letters'])
  await vi.waitFor(() => expect(there.heard).toEqual(['letters']))
  const rolledBack = db.database.transaction(testActor, async (tx) => {
    tx.wake('parcels')
    throw new Error('changed my mind')
  })
  await expect(rolledBack).rejects.toThrow('changed my mind')
  await db.database.transaction(testActor, async (tx) => tx.wake('letters'))
  await vi.waitFor(() => expect(there.heard).toEqual(['letters', 'letters']))
  expect(here.heard).toEqual(['letters', 'letters'])
})

test('a thousand commits are told together, not in a notification each', async () => {
  process(db.database, false, 200)
  const there = process(other, true)
  await listens()
  there.heard.length = 0
  for (let n = 0; n < 1_000; n++) await db.database.autocommit(async (tx) => tx.wake(n % 2 ? 'letters' : 'parcels'))
  await vi.waitFor(() => expect(new Set(there.heard).size).toBe(2))
  expect(there.heard.length).toBeLessThan(50)
})

test('who listens to his own words is told once', async () => {
  const alone = process(db.database, true)
  await listens()
  const there = process(other, true)
  await vi.waitFor(async () => expect((await db.admin.query(`select 1 from pg_stat_activity where application_name = 'partita wake' and query like 'listen%' and datname = current_database()`)).rows).toHaveLength(2)) // biome-ignore format: one thought
  alone.heard.length = there.heard.length = 0
  alone.wakeups.wake('letters')
  await vi.waitFor(() => expect(there.heard).toEqual(['letters']))
  expect(alone.heard).toEqual(['letters'])
})

test('a listener whose connection is cut comes back, and looks for himself what he missed', async () => {
  const there = process(other, true)
  await listens()
  there.heard.length = 0
  await db.admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'partita wake' and datname = current_database()`) // biome-ignore format: one thought
  await vi.waitFor(() => expect(there.heard).toEqual(['letters', 'parcels']), 10_000)
  process(db.database, false).wakeups.wake('letters')
  await vi.waitFor(() => expect(there.heard).toEqual(['letters', 'parcels', 'letters']))
})

test('what was woken just before the end is still told', async () => {
  const there = process(other, true)
  await listens()
  there.heard.length = 0
  const { wakeups } = process(db.database, false)
  await db.database.transaction(testActor, async (tx) => tx.wake('letters'))
  await wakeups.stop()
  await vi.waitFor(() => expect(there.heard).toEqual(['letters']))
})
