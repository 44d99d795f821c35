import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { accountsByCode, balanceAsOf, balanceAtVersion, entriesPage, transfersAfter } from '../index.ts'
import { NOON, openTestBook, postNow, type TestBook, transfer } from '../test-ledger.ts'

let db: TestDatabase
let book: TestBook

const day = (days: number) => new Date(NOON.getTime() + days * 86_400_000)

beforeAll(async () => {
  db = await createTestDatabase()
  book = await openTestBook(db.database)
  // Ten credits, one every ten days over three months: 1, 2, 3, …, 10.
  for (let i = 1; i <= 10; i++) await postNow(db.database, book, [transfer(book.nostro, book.alice, BigInt(i))], day(i * 10))
  // Recorded on day 110: one that counts from day 15 on, one that counts from day 200 on.
  const dated = [
    transfer(book.nostro, book.alice, 1_000n, { effectiveAt: day(15) }),
    transfer(book.alice, book.bob, 500n, { effectiveAt: day(200) }),
  ]
  await postNow(db.database, book, dated, day(110))
})
afterAll(() => db.drop())

const read = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => db.database.read(testActor, work)

describe('balances', () => {
  test('as of a recorded time: what was known then', async () => {
    const asOf = (at: Date) => read((tx) => balanceAsOf(tx, book.alice, { recorded: at }))
    expect(await Promise.all([day(0), day(10), day(25), day(100), day(109), day(110)].map(asOf))).toEqual([
      0n,
      1n,
      3n,
      55n,
      55n,
      555n,
    ])
  })

  test('as of an effective time: what counts then, whenever it was recorded', async () => {
    const asOf = (at: Date) => read((tx) => balanceAsOf(tx, book.alice, { effective: at }))
    const expected = [0n, 1n, 1_001n, 1_003n, 1_055n, 1_055n, 555n]
    expect(await Promise.all([day(0), day(10), day(15), day(25), day(110), day(199), day(200)].map(asOf))).toEqual(expected)
  })

  test('as of a version', async () => {
    const at = (version: bigint) => read((tx) => balanceAtVersion(tx, book.alice, version))
    expect(await Promise.all([0n, 1n, 4n, 12n, 13n].map(at))).toEqual([0n, 1n, 10n, 555n, undefined])
    expect(await read((tx) => balanceAtVersion(tx, newId(), 1n))).toBeUndefined()
  })
})

describe('pages', () => {
  const versions = (page: { afterVersion?: bigint; beforeVersion?: bigint; limit: number }) =>
    read((tx) => entriesPage(tx, { accountId: book.alice, ...page })).then((entries) => entries.map((e) => Number(e.version)))

  test('newest first from the end, or before a version; oldest first after one', async () => {
    expect(await versions({ limit: 3 })).toEqual([12, 11, 10])
    expect(await versions({ limit: 3, beforeVersion: 10n })).toEqual([9, 8, 7])
    expect(await versions({ limit: 3, afterVersion: 0n })).toEqual([1, 2, 3])
    expect(await versions({ limit: 100, afterVersion: 10n })).toEqual([11, 12])
    expect(await versions({ limit: 3, beforeVersion: 1n })).toEqual([])
  })

  test('an entry tells its side, its counter account and both of its times', async () => {
    const [newest, second] = await read((tx) => entriesPage(tx, { accountId: book.alice, limit: 2 }))
    expect(newest).toMatchObject({
      side: 'debit',
      amount: 500n,
      balanceAfter: 555n,
      counterAccountId: book.bob,
      effectiveAt: day(200),
      recordedAt: day(110),
    })
    expect(second).toMatchObject({
      side: 'credit',
      amount: 1_000n,
      balanceAfter: 1_055n,
      counterAccountId: book.nostro,
      effectiveAt: day(15),
    })
  })

  test("another account's entries are not in it, and an unknown account has none", async () => {
    expect(await read((tx) => entriesPage(tx, { accountId: book.bob, limit: 10 }))).toHaveLength(1)
    expect(await read((tx) => entriesPage(tx, { accountId: newId(), limit: 10 }))).toEqual([])
  })
})

test("the book's log is read by seq, across months, without gaps", async () => {
  const first = await read((tx) => transfersAfter(tx, book.bookId, 0n, 7))
  const rest = await read((tx) => transfersAfter(tx, book.bookId, first.at(-1)?.seq ?? 0n, 100))
  expect([...first, ...rest].map((one) => Number(one.seq))).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
  expect(first[0]).toMatchObject({
    debitAccountId: book.nostro,
    creditAccountId: book.alice,
    amount: 1n,
    creditBalance: 1n,
    debitBalance: -1n,
    currency: 'EUR',
  })
})

test('accounts are found by code, in the order asked', async () => {
  const found = await read((tx) => accountsByCode(tx, book.bookId, ['CUST:BOB', 'NOBODY', 'NOSTRO:EUR']))
  expect(found.map((one) => one.id)).toEqual([book.bob, book.nostro])
})
