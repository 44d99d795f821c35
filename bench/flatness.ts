import { balancesOf, entriesPage, type LedgerAccountId, type Operation, post } from '../server/src/modules/ledger/index.ts'
import { systemActor } from '../server/src/platform/actor.ts'
import type { Database } from '../server/src/platform/postgres/database.ts'
import { type BenchBook, makeBook, plainTransfers } from './ledger-load.ts'
import { Latencies } from './meters.ts'

const BATCH = 4_000
const PAGE = 100
/** As the API reads: nothing is spent on beginning and ending. */
const ONE_TRIP = { pipelined: true } as const

export type Reads = { readonly name: string; readonly latencies: Latencies; readonly seconds: number }

/** A book with a given number of entries. */
export class GrownBook {
  readonly database: Database
  readonly entries: number
  readonly #book: BenchBook

  private constructor(database: Database, entries: number, book: BenchBook) {
    this.database = database
    this.entries = entries
    this.#book = book
  }

  /** Fills a book in a database of its own. `customers`: so few that each has more entries than a page holds. */
  static async grow(database: Database, entries: number, customers: number): Promise<GrownBook> {
    const book = await makeBook(database, 'bench-flatness', customers)
    const next = plainTransfers(book, false)
    for (let have = book.customers.length * 2; have < entries; ) {
      const count = Math.min(BATCH, Math.ceil((entries - have) / 2))
      const operations = Array.from({ length: count }, () => next()[0] as Operation)
      const now = new Date(performance.timeOrigin + performance.now())
      await database.transaction(systemActor('bench.flatness'), (tx) => post(tx, book.bookId, operations, now))
      have += count * 2
    }
    return new GrownBook(database, entries, book)
  }

  /** The newest page of an account at random. */
  async readPage(): Promise<number> {
    const account = this.#anyAccount()
    return (
      await this.database.read(
        systemActor('bench.flatness'),
        (tx) => entriesPage(tx, { accountId: account, limit: PAGE }),
        ONE_TRIP,
      )
    ).length
  }

  /** The balance of an account at random. */
  async readBalance(): Promise<number> {
    const account = this.#anyAccount()
    return (await this.database.read(systemActor('bench.flatness'), (tx) => balancesOf(tx, [account]), ONE_TRIP)).length
  }

  #anyAccount(): LedgerAccountId {
    const ids = this.#book.customers
    return ids[Math.trunc(Math.random() * ids.length)] as LedgerAccountId
  }
}

const READS = {
  [`statement page of ${PAGE}`]: { read: (book: GrownBook) => book.readPage(), rows: PAGE },
  balance: { read: (book: GrownBook) => book.readBalance(), rows: 1 },
} as const

/** Readers at a time. With one alone, what is measured is on which core the system happens to wake its connection. */
export const READERS = 2

/**
 * Reads pages and balances of all books, each reader one book after the other and then in the opposite order, so that whatever else the
 * machine does meets all of them alike: the question is whether a larger book is slower, not how fast the machine is just now.
 */
export async function readInTurns(books: readonly GrownBook[], times: number): Promise<Reads[]> {
  const results: Reads[] = []
  for (const [what, { read, rows }] of Object.entries(READS)) {
    const measured = books.map((book) => {
      return { name: `${what}, at ${grouped(book.entries)} entries`, book, latencies: new Latencies(), seconds: 0 }
    })
    const reader = async () => {
      for (let i = -times / 4; i < times; i += READERS) {
        for (const one of (i / READERS) % 2 === 0 ? measured : measured.toReversed()) {
          const from = performance.now()
          if ((await read(one.book)) !== rows) throw new Error(`${one.name}: it was not full`)
          const milliseconds = performance.now() - from
          if (i < 0) continue // warm: pages read, plans made
          one.latencies.record(milliseconds)
          one.seconds += milliseconds / 1_000 / READERS
        }
      }
    }
    await Promise.all(Array.from({ length: READERS }, reader))
    results.push(...measured)
  }
  return results
}

const grouped = (value: number): string => value.toLocaleString('en-US')
