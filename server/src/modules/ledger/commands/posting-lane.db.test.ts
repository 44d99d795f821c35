import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { newId } from '../../../platform/ids.ts'
import { balancesOf, PostingLane, type PostingLaneOptions } from '../index.ts'
import { inWords, NOON, openTestBook, postNow, type TestBook, transfer } from '../test-ledger.ts'

let db: TestDatabase
let book: TestBook

beforeAll(async () => {
  db = await createTestDatabase()
  book = await openTestBook(db.database)
  await postNow(db.database, book, [transfer(book.nostro, book.alice, 1_000n)])
})
afterAll(() => db.drop())

function openLane(options: Partial<PostingLaneOptions> = {}): { lane: PostingLane; commits: () => number } {
  let commits = 0
  const now = () => {
    commits++
    return NOON
  }
  return { lane: new PostingLane({ database: db.database, bookId: book.bookId, now, ...options }), commits: () => commits }
}

test('callers of the same moment share one commit, and each gets its own answer', async () => {
  const { lane, commits } = openLane()
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) => lane.submitOne(transfer(book.alice, book.bob, BigInt(i + 1)))),
  )
  const balances = answers.map((answer) => (answer.ok ? answer.value.creditBalance : null))
  expect(balances).toEqual(Array.from({ length: 40 }, (_, i) => BigInt(((i + 1) * (i + 2)) / 2)))
  expect(commits()).toBe(1)
  await lane.close()
})

test('what comes while a batch is in flight goes with the next one, in order', async () => {
  const { lane, commits } = openLane({ batchMax: 10 })
  const answers = await Promise.all(Array.from({ length: 100 }, () => lane.submitOne(transfer(book.nostro, book.bob, 1n))))
  const places = answers.map((answer) => (answer.ok ? answer.value.seq : 0n))
  expect(places).toEqual(places.map((_, i) => (places[0] as bigint) + BigInt(i)))
  expect(commits()).toBe(10)
  await lane.close()
})

test('closing answers what was taken and takes no more', async () => {
  const { lane } = openLane({ batchMax: 5 })
  const taken = Array.from({ length: 20 }, () => lane.submitOne(transfer(book.nostro, book.bob, 1n)))
  await lane.close()
  expect(inWords(await Promise.all(taken))).toEqual(taken.map(() => 'posted'))
  await expect(lane.submitOne(transfer(book.nostro, book.bob, 1n))).rejects.toThrow('closed')
})

test('an operation that makes the database raise fails its own caller only', async () => {
  const { lane } = openLane()
  const bad = transfer(book.nostro, book.bob, 1n, { code: '' }) // the transfer table refuses an empty code
  const settled = await Promise.allSettled([
    ...Array.from({ length: 5 }, () => lane.submitOne(transfer(book.nostro, book.bob, 1n))),
    lane.submitOne(bad),
    ...Array.from({ length: 5 }, () => lane.submitOne(transfer(book.nostro, book.bob, 1n))),
  ])
  expect(settled.map((one) => one.status)).toEqual([...Array(5).fill('fulfilled'), 'rejected', ...Array(5).fill('fulfilled')])
  await lane.close()
})

test('rows written alongside stand and fall with the posting', async () => {
  await db.admin.query(
    'create table public.feed (key uuid primary key, balance bigint); grant all on public.feed to partita_system',
  )
  const { lane } = openLane({
    alongside: async (tx, operations, outcomes) => {
      for (const [i, outcome] of outcomes.entries()) {
        if (!outcome.ok) continue
        await tx.run`insert into public.feed values (${operations[i]?.key}, ${outcome.value.creditBalance}) on conflict do nothing`
        if (operations[i]?.kind === 'transfer' && operations[i]?.code === 'unlucky') throw new Error('the feed refuses')
      }
    },
  })
  const before = (await db.database.read(testActor, (tx) => balancesOf(tx, [book.bob])))[0]?.balance ?? 0n
  const lucky = transfer(book.nostro, book.bob, 1n)
  const unlucky = transfer(book.nostro, book.bob, 1n, { code: 'unlucky' })
  const settled = await Promise.allSettled([lane.submitOne(lucky), lane.submitOne(unlucky)])
  expect(settled.map((one) => one.status)).toEqual(['fulfilled', 'rejected'])
  const { rows } = await db.admin.query('select key, balance::text from public.feed')
  expect(rows).toEqual([{ key: lucky.key, balance: (before + 1n).toString() }])
  expect((await db.database.read(testActor, (tx) => balancesOf(tx, [book.bob])))[0]?.balance).toBe(before + 1n)
  await lane.close()
})

test('the same group from two callers at once is one group, posted once', async () => {
  const { lane } = openLane()
  const group = newId<'ledger_group'>()
  const legs = [transfer(book.nostro, book.bob, 1n, { group }), transfer(book.nostro, book.alice, 1n, { group })]
  const answers = await Promise.all([lane.submit(legs), lane.submit(legs)])
  expect(answers.map(inWords)).toEqual([
    ['posted', 'posted'],
    ['replayed', 'replayed'],
  ])
  await lane.close()
})

test('more than may wait is turned away at once', async () => {
  const { lane } = openLane({ waitingMax: 3 })
  const settled = await Promise.allSettled(Array.from({ length: 5 }, () => lane.submitOne(transfer(book.nostro, book.bob, 1n))))
  expect(settled.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
  await lane.close()
})
