import {
  type BookId,
  type LedgerAccountId,
  type Operation,
  type OperationKey,
  openAccounts,
  openBook,
  PostingLane,
  post,
} from '../server/src/modules/ledger/index.ts'
import { systemActor } from '../server/src/platform/actor.ts'
import { derivedId, newId } from '../server/src/platform/ids.ts'
import { EUR, money } from '../server/src/platform/money.ts'
import type { Database } from '../server/src/platform/postgres/database.ts'
import { Latencies } from './meters.ts'

/** A book with customers who own money, each with a floor of zero. */
export type BenchBook = { bookId: BookId; customers: LedgerAccountId[]; nostro: LedgerAccountId }

const OPENING_MINOR = 10_000_000_00n
const CHUNK = 1_000

/** Opens a book with `customers` accounts and pays money into each. */
export async function makeBook(database: Database, code: string, customers: number): Promise<BenchBook> {
  const now = () => new Date(performance.timeOrigin + performance.now())
  const idOf = (name: string) => derivedId<'ledger_account'>('ledger_account', 'bench', code, name)
  const ids = Array.from({ length: customers }, (_, index) => idOf(`CUST:${index}`))
  const nostro = idOf('NOSTRO:EUR')
  const bookId = await database.transaction(systemActor('bench.ledger'), async (tx) => {
    const book = await openBook(tx, { code, now: now() })
    await openAccounts(tx, book, [{ id: nostro, code: 'NOSTRO:EUR', currency: EUR, normalSide: 'debit', floor: null }], now())
    for (let from = 0; from < customers; from += CHUNK) {
      const chunk = ids.slice(from, from + CHUNK)
      const accounts = chunk.map((id, i) => ({
        id,
        code: `CUST:${from + i}`,
        currency: EUR,
        normalSide: 'credit' as const,
        floor: 0n,
      }))
      const opened = await openAccounts(tx, book, accounts, now())
      if (!opened.ok) throw new Error(opened.refusal)
    }
    return book
  })
  for (let from = 0; from < customers; from += CHUNK) {
    const operations = ids.slice(from, from + CHUNK).map(
      (credit): Operation => ({
        kind: 'transfer',
        key: newId(),
        debit: nostro,
        credit,
        amount: money(EUR, OPENING_MINOR),
        code: 'bench.opening',
      }),
    )
    await database.transaction(systemActor('bench.ledger'), (tx) => post(tx, bookId, operations, now()))
  }
  return { bookId, customers: ids, nostro }
}

export type Load = {
  readonly books: readonly BenchBook[]
  /** Callers in all, spread over the books. Each sends its next operation when the last is answered. */
  readonly callers: number
  /** Every transfer credits one and the same account of its book. */
  readonly hot: boolean
  /** One in ten operations places a hold, one in ten posts one, and one in twenty is a group of two. */
  readonly mixed: boolean
  readonly seconds: number
  readonly batchMax?: number
}

export type LoadResult = { done: number; latencies: Latencies }
/** `windows`: what was done in each full ten seconds. */
export type LaneResult = LoadResult & { readonly windows: readonly number[] }

const WINDOW_MS = 10_000

const AMOUNT = money(EUR, 100n)

/** Runs callers against one posting lane per book. @throws Error on the first refusal: the load is made so that there is none. */
export async function runLanes(database: Database, load: Load): Promise<LaneResult> {
  const latencies = new Latencies()
  const now = () => new Date(performance.timeOrigin + performance.now())
  const lanes = load.books.map(
    ({ bookId }) =>
      new PostingLane({ database, bookId, now, ...(load.batchMax === undefined ? {} : { batchMax: load.batchMax }) }),
  )
  const startedAt = performance.now()
  const until = startedAt + load.seconds * 1_000
  const windows: number[] = Array.from({ length: Math.ceil((load.seconds * 1_000) / WINDOW_MS) + 1 }, () => 0)
  let done = 0
  const caller = async (number: number) => {
    const at = number % lanes.length
    const lane = lanes[at] as PostingLane
    const next = load.mixed ? mixedOperations(load.books[at] as BenchBook) : plainTransfers(load.books[at] as BenchBook, load.hot)
    for (let sentAt = performance.now(); sentAt < until; ) {
      const operations = next()
      const outcomes = await lane.submit(operations)
      for (const outcome of outcomes) if (!outcome.ok) throw new Error(`the load was refused: ${outcome.refusal}`)
      done += operations.length
      const answeredAt = performance.now()
      latencies.record(answeredAt - sentAt)
      const window = Math.min(Math.trunc((answeredAt - startedAt) / WINDOW_MS), windows.length - 1)
      windows[window] = (windows[window] ?? 0) + operations.length
      sentAt = answeredAt
    }
  }
  await Promise.all(Array.from({ length: load.callers }, (_, number) => caller(number)))
  await Promise.all(lanes.map((lane) => lane.close()))
  return { done, latencies, windows: windows.slice(0, Math.trunc((load.seconds * 1_000) / WINDOW_MS)) }
}

const randomBelow = (limit: number): number => Math.trunc(Math.random() * limit)

function randomPair(book: BenchBook): [LedgerAccountId, LedgerAccountId] {
  const { customers } = book
  const from = randomBelow(customers.length)
  const to = (from + 1 + randomBelow(customers.length - 1)) % customers.length
  return [customers[from] as LedgerAccountId, customers[to] as LedgerAccountId]
}

/** Transfers between random customers, or from random customers to one. */
export function plainTransfers(book: BenchBook, hot: boolean): () => Operation[] {
  const hottest = book.customers[0] as LedgerAccountId
  return () => {
    const [debit, other] = randomPair(book)
    const credit = hot && debit !== hottest ? hottest : other
    return [{ kind: 'transfer', key: newId<'ledger_operation'>(), debit, credit, amount: AMOUNT, code: 'bench.transfer' }]
  }
}

function mixedOperations(book: BenchBook): () => Operation[] {
  const transfer = plainTransfers(book, false)
  const held: { key: OperationKey; credit: LedgerAccountId }[] = []
  let turn = randomBelow(20)
  return () => {
    turn = (turn + 1) % 20
    const hold = turn % 10 === 5 ? held.shift() : undefined
    if (hold) {
      const key = newId<'ledger_operation'>()
      return [{ kind: 'post_hold', key, hold: hold.key, credit: hold.credit, code: 'bench.hold' }]
    }
    if (turn % 10 === 0) {
      const key = newId<'ledger_operation'>()
      const [account, credit] = randomPair(book)
      held.push({ key, credit })
      return [{ kind: 'hold', key, account, amount: AMOUNT, code: 'bench.hold' }]
    }
    if (turn !== 7) return transfer()
    const group = newId<'ledger_group'>()
    return [...transfer(), ...transfer()].map((operation) => ({ ...operation, group }))
  }
}

/** One transfer per transaction, each caller on a connection of its own. */
export async function runSingles(
  database: Database,
  book: BenchBook,
  load: { callers: number; seconds: number },
): Promise<LoadResult> {
  const latencies = new Latencies()
  const next = plainTransfers(book, false)
  const until = performance.now() + load.seconds * 1_000
  const caller = async () => {
    for (let sentAt = performance.now(); sentAt < until; ) {
      const now = new Date(performance.timeOrigin + sentAt)
      const [outcome] = await database.transaction(systemActor('bench.ledger'), (tx) => post(tx, book.bookId, next(), now))
      if (!outcome?.ok) throw new Error(`the load was refused: ${outcome?.refusal}`)
      const answeredAt = performance.now()
      latencies.record(answeredAt - sentAt)
      sentAt = answeredAt
    }
  }
  await Promise.all(Array.from({ length: load.callers }, caller))
  return { done: latencies.count, latencies }
}
