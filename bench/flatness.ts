import { balancesOf, entriesPage, type LedgerAccountId, type Operation, post } from '../server/src/modules/ledger/index.ts'
import type { Database } from '../server/src/platform/postgres/database.ts'
import { type BenchBook, makeBook, plainTransfers } from './ledger-load.ts'
import { Latencies } from './meters.ts'

const BATCH = 4_000
const PAGE = 100

export type Reads = { readonly name: string; readonly latencies: Latencies; readonly seconds: number }

/** A book that grows to given numbers of entries, and how long its reads take at each. */
export class GrowingBook {
  readonly #database: Database
  readonly #book: BenchBook
  #entries: number

  private constructor(database: Database, book: BenchBook) {
    this.#database = database
    this.#book = book
    this.#entries = book.customers.length * 2
  }

  /** `customers`: so few that each has more entries than a page holds already at the smallest size. */
  static async open(database: Database, customers: number): Promise<GrowingBook> {
    return new GrowingBook(database, await makeBook(database, 'bench-flatness', customers))
  }

  async growTo(entries: number): Promise<void> {
    const next = plainTransfers(this.#book, false)
    while (this.#entries < entries) {
      const count = Math.min(BATCH, Math.ceil((entries - this.#entries) / 2))
      const operations = Array.from({ length: count }, () => next()[0] as Operation)
      const now = new Date(performance.timeOrigin + performance.now())
      await this.#database.transaction('system', (tx) => post(tx, this.#book.bookId, operations, now))
      this.#entries += count * 2
    }
  }

  /** Newest pages and balances of accounts at random, one after the other. */
  async read(times: number): Promise<Reads[]> {
    const at = `at ${this.#entries.toLocaleString('en-US')} entries`
    const page = (id: LedgerAccountId) => this.#database.read('system', (tx) => entriesPage(tx, { accountId: id, limit: PAGE }))
    const balance = (id: LedgerAccountId) => this.#database.read('system', (tx) => balancesOf(tx, [id]))
    return [
      await this.#measure(`statement page of ${PAGE}, ${at}`, times, page),
      await this.#measure(`balance, ${at}`, times, balance),
    ]
  }

  async #measure(name: string, times: number, read: (id: LedgerAccountId) => Promise<readonly unknown[]>): Promise<Reads> {
    const ids = this.#book.customers
    const pick = () => ids[Math.trunc(Math.random() * ids.length)] as LedgerAccountId
    for (let i = 0; i < times / 4; i++) await read(pick())
    const latencies = new Latencies()
    let rows = 0
    const startedAt = performance.now()
    for (let i = 0; i < times; i++) {
      const from = performance.now()
      rows += (await read(pick())).length
      latencies.record(performance.now() - from)
    }
    if (rows % times !== 0 || rows === 0) throw new Error(`${name}: pages were not full`)
    return { name, latencies, seconds: (performance.now() - startedAt) / 1_000 }
  }
}
