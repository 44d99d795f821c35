import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { fixedClock } from '../../platform/clock.ts'
import { EUR, money } from '../../platform/money.ts'
import { type PassRun, runPass } from '../../platform/passes/run-pass.ts'
import { balancesOf, verifyLedger } from './index.ts'
import { ledgerPasses } from './passes.ts'
import { inWords, newKey, openTestBook, postNow, type TestBook, transfer } from './test-ledger.ts'

let db: TestDatabase
let books: TestBook[]
const clock = fixedClock('2026-05-10T12:00:00Z')
const machine = fixedClock('2026-05-10T12:00:00Z')

beforeAll(async () => {
  db = await createTestDatabase()
  books = [await openTestBook(db.database), await openTestBook(db.database)]
  for (const book of books) await postNow(db.database, book, [transfer(book.nostro, book.alice, 100_00n)], clock.now())
})
afterAll(async () => {
  expect((await verifyLedger(db.database)).ok).toBe(true)
  await db.drop()
})

const expire = async (): Promise<PassRun> => {
  const [pass] = ledgerPasses()
  if (!pass) throw new Error('the ledger has no pass')
  return runPass({ database: db.database, clock, machine }, pass)
}

const hold = (book: TestBook, minor: bigint, minutes: number | undefined) => ({
  kind: 'hold' as const,
  key: newKey(),
  code: 'test',
  account: book.alice,
  amount: money(EUR, minor),
  ...(minutes !== undefined && { expiresAt: new Date(clock.now().getTime() + minutes * 60_000) }),
})

async function place(book: TestBook, ...holds: ReturnType<typeof hold>[]): Promise<void> {
  expect(new Set(inWords(await postNow(db.database, book, holds, clock.now())))).toEqual(new Set(['posted']))
}

const held = async (book: TestBook) => (await db.database.read(testActor, (tx) => balancesOf(tx, [book.alice])))[0]?.held

test('holds whose time has come are released, in every book, and the others are kept', async () => {
  const [first, second] = books as [TestBook, TestBook]
  await place(first, hold(first, 1n, 1), hold(first, 2n, 60), hold(first, 4n, undefined))
  await place(second, hold(second, 8n, 1))
  expect(await expire()).toMatchObject({ done: 0 })
  clock.advance(2 * 60_000)
  expect(await expire()).toMatchObject({ done: 2 })
  expect([await held(first), await held(second)]).toEqual([6n, 0n])
  expect(await expire()).toMatchObject({ done: 0 })
})

test('a book with more of them than one transaction takes is done in several', async () => {
  const [first] = books as [TestBook]
  const before = await held(first)
  await place(first, ...Array.from({ length: 1_100 }, () => hold(first, 1n, 1)))
  clock.advance(2 * 60_000)
  expect(await expire()).toMatchObject({ done: 1, hasMore: true })
  expect(await held(first)).toBe((before ?? 0n) + 100n)
  expect(await expire()).toMatchObject({ done: 1, hasMore: true })
  expect(await expire()).toMatchObject({ done: 0, hasMore: false })
  expect(await held(first)).toBe(before)
})

test('two workers on one book release each hold once', async () => {
  const [first] = books as [TestBook]
  const before = await held(first)
  await place(first, ...Array.from({ length: 50 }, () => hold(first, 2n, 1)))
  clock.advance(2 * 60_000)
  const runs = await Promise.all([expire(), expire()])
  expect(runs.flatMap((run) => run.troubles)).toEqual([])
  expect(await held(first)).toBe(before)
})
