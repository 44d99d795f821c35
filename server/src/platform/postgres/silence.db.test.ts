import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { Network } from '../../../test/support/network.ts'
import { workUntil } from '../deadline.ts'
import { PlatformUnavailable } from '../errors.ts'
import { Database, type DatabaseOptions } from './database.ts'

let test_: TestDatabase
let network: Network
let url: string
let database: Database
beforeAll(async () => {
  test_ = await createTestDatabase()
  network = new Network(test_.url)
  url = await network.open()
})
afterEach(async () => {
  network.isSilent = false
  await database.close()
})
afterAll(async () => {
  network.close()
  await test_.drop()
})

const open = (options: Partial<DatabaseOptions> = {}) =>
  new Database({ url, applicationName: 'silence', poolSize: 1, acquireTimeoutMs: 1_000, ...options })
const ask = () => database.read(testActor, (tx) => tx.rows<{ one: number }>`select 1 as one`)
/** The answer or error of some work, and how long it took. */
async function timed(work: Promise<unknown>): Promise<{ outcome: unknown; ms: number }> {
  const from = performance.now()
  const outcome = await work.catch((error: unknown) => error)
  return { outcome, ms: performance.now() - from }
}

test('a database that falls silent on an open connection is unavailable, not waited for, and is used again when it answers', async () => {
  database = open({ statementTimeoutMs: 100 })
  expect(await ask()).toEqual([{ one: 1 }])
  network.isSilent = true
  await expect(ask()).rejects.toThrow('the database connection was lost')
  network.isSilent = false
  expect(await ask()).toEqual([{ one: 1 }])
})

test('a connection that nobody answers does not keep its place in the pool, and readiness says no in time', async () => {
  database = open({ statementTimeoutMs: 100 })
  network.isSilent = true
  const { outcome, ms } = await timed(database.answersWithin(50))
  expect(outcome).toBe(false)
  expect(ms).toBeLessThan(1_000)
  await expect(database.read(testActor, async () => 1)).rejects.toBeInstanceOf(PlatformUnavailable)
  network.isSilent = false
  while (!(await database.answersWithin(1_000)));
}, 10_000)

test('nobody waits longer than his deadline, for an answer or for a connection, however long a statement may take', async () => {
  database = open()
  await ask()
  network.isSilent = true
  const both = await Promise.all([1, 2].map(() => timed(workUntil(performance.now() + 700, ask))))
  for (const { outcome, ms } of both) {
    expect(outcome).toBeInstanceOf(PlatformUnavailable)
    expect(ms).toBeLessThan(2_500)
  }
  network.isSilent = false
  expect(await ask()).toEqual([{ one: 1 }])
  await expect(workUntil(performance.now(), ask)).rejects.toThrow('waits no longer')
})

test('what was lost on the way is known as soon as the database can be asked about it, also where nobody set a deadline', async () => {
  database = open()
  await ask()
  network.isSilent = true
  const lost = timed(ask())
  expect(await database.answersWithin(800)).toBe(false) // as long as the network says nothing, nobody can know
  network.isSilent = false
  const { outcome, ms } = await lost
  expect(outcome).toBeInstanceOf(PlatformUnavailable)
  expect(ms).toBeLessThan(4_000)
  expect(await ask()).toEqual([{ one: 1 }])
}, 10_000)

test('a statement that the database is working on is left alone', async () => {
  database = open()
  const slow = database.read(testActor, (tx) => tx.rows<{ one: number }>`select 1 as one from pg_sleep(3)`)
  expect(await slow).toEqual([{ one: 1 }])
}, 10_000)
