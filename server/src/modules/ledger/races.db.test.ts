import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { openDatabase } from '../../platform/postgres/database.ts'
import { balancesOf, type LedgerAccountId, lockBooks, PostingLane, post, verifyLedger } from './index.ts'
import { inWords, NOON, openTestBook, postNow, transfer } from './test-ledger.ts'

let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase({ poolSize: 16 })
})
afterAll(() => db.drop())

const balanceOf = async (id: LedgerAccountId) => (await db.database.read(testActor, (tx) => balancesOf(tx, [id])))[0]?.balance
const SPENDERS = 16

test('of many who spend the same money at once, as many succeed as there is money for', async () => {
  const book = await openTestBook(db.database)
  await postNow(db.database, book, [transfer(book.nostro, book.alice, 300n)])
  const answers = await Promise.all(
    Array.from({ length: SPENDERS }, () => postNow(db.database, book, [transfer(book.alice, book.bob, 100n)])),
  )
  expect(answers.flatMap(inWords).filter((answer) => answer === 'posted')).toHaveLength(3)
  expect(await balanceOf(book.alice)).toBe(0n)
})

test('failing control: reading the balance and writing it back, as code without the ledger would, spends the same money many times', async () => {
  await db.admin.query('create table public.naive (id int primary key, balance bigint); insert into public.naive values (1, 300)')
  const together = barrier(2)
  const spend = async () => {
    const client = await db.admin.connect()
    try {
      await client.query('begin')
      const { rows } = await client.query('select balance from public.naive where id = 1')
      await together()
      const left = BigInt(rows[0].balance) - 300n
      if (left >= 0n) await client.query('update public.naive set balance = $1 where id = 1', [left.toString()])
      await client.query('commit')
      return left >= 0n
    } finally {
      client.release()
    }
  }
  expect(await Promise.all([spend(), spend()])).toEqual([true, true])
})

/** Lets callers go on when `count` of them have come. */
function barrier(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let missing = count
  return () => {
    if (--missing === 0) resolve()
    return promise
  }
}

test('two processes that retry the same payment at once have one effect and one answer', async () => {
  const book = await openTestBook(db.database)
  const other = openDatabase({ url: db.url, applicationName: 'another process', poolSize: 8 })
  try {
    await postNow(db.database, book, [transfer(book.nostro, book.alice, 1_000_000n)])
    for (let round = 0; round < 50; round++) {
      const payment = transfer(book.alice, book.bob, 1n)
      const answers = await Promise.all(
        [db.database, other, db.database, other].map((database) =>
          database.transaction(testActor, (tx) => post(tx, book.bookId, [payment], NOON)),
        ),
      )
      expect(answers.flatMap(inWords).sort()).toEqual(['posted', 'replayed', 'replayed', 'replayed'])
      const values = answers.flat().map((answer) => answer.ok && { ...answer.value, replayed: undefined })
      expect(values.every((value) => JSON.stringify(value, text) === JSON.stringify(values[0], text))).toBe(true)
    }
    expect(await balanceOf(book.bob)).toBe(50n)
  } finally {
    await other.close()
  }
})

const text = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)

test('books post side by side: one that is held up does not hold up another', async () => {
  const slow = await openTestBook(db.database)
  const quick = await openTestBook(db.database)
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const { promise: posted, resolve: markPosted } = Promise.withResolvers<void>()
  const slowly = db.database.transaction(testActor, async (tx) => {
    await post(tx, slow.bookId, [transfer(slow.nostro, slow.alice, 1n)], NOON)
    markPosted()
    await released
  })
  await posted
  expect(inWords(await postNow(db.database, quick, [transfer(quick.nostro, quick.alice, 1n)]))).toEqual(['posted'])
  release()
  await slowly
})

test('opposite transfers from many connections and lanes neither deadlock nor lose a cent', async () => {
  const books = [await openTestBook(db.database), await openTestBook(db.database)]
  const lanes = books.map(({ bookId }) => new PostingLane({ database: db.database, bookId, now: () => NOON, batchMax: 7 }))
  await Promise.all(
    books.map(async (book, at) => {
      await postNow(db.database, book, [transfer(book.nostro, book.alice, 500n), transfer(book.nostro, book.bob, 500n)])
      const there = Array.from({ length: 100 }, () => lanes[at]?.submit([transfer(book.alice, book.bob, 1n)]))
      const back = Array.from({ length: 20 }, () => postNow(db.database, book, [transfer(book.bob, book.alice, 5n)]))
      await Promise.all([...there, ...back])
    }),
  )
  for (const book of books) expect([await balanceOf(book.alice), await balanceOf(book.bob)]).toEqual([500n, 500n])
  await Promise.all(lanes.map((lane) => lane.close()))
  expect((await verifyLedger(db.database)).ok).toBe(true)
})

/** Two transactions that post in the same two books, each in its own order. @returns the SQLSTATE of whoever failed. */
async function postCrosswise(isLocked: boolean): Promise<(string | undefined)[]> {
  const books = [await openTestBook(db.database), await openTestBook(db.database)] as const
  const bothPostedOnce = barrier(2)
  const work = (order: readonly (typeof books)[number][]) =>
    db.database.transaction(testActor, async (tx) => {
      if (isLocked)
        await lockBooks(
          tx,
          order.map((book) => book.bookId),
        )
      for (const [step, book] of order.entries()) {
        await post(tx, book.bookId, [transfer(book.nostro, book.alice, 1n)], NOON)
        if (step === 0 && !isLocked) await bothPostedOnce()
      }
    })
  const settled = await Promise.allSettled([work(books), work(books.toReversed())])
  return settled.map((one) => (one.status === 'rejected' ? one.reason.code : undefined))
}

test('failing control: two who post in the same two books, each in its own order, deadlock', async () => {
  expect((await postCrosswise(false)).filter((state) => state === '40P01')).toHaveLength(1)
})

test('and do not when each locks its books first, in whatever order it names them', async () => {
  expect(await postCrosswise(true)).toEqual([undefined, undefined])
})
