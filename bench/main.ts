import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { verifyLedger } from '../server/src/modules/ledger/index.ts'
import { Database } from '../server/src/platform/postgres/database.ts'
import { type EmbeddedServer, startEmbedded } from '../server/src/platform/postgres/embedded.ts'
import { migrate } from '../server/src/platform/postgres/migrate.ts'
import { GrownBook, READERS, readInTurns } from './flatness.ts'
import { benchHttp } from './http.ts'
import { type BenchBook, type Load, type LoadResult, makeBook, runLanes, runSingles } from './ledger-load.ts'
import { type Cost, type Latencies, startMeters } from './meters.ts'
import { type BenchReport, type BenchRow, toMarkdown, writeBetweenMarkers } from './report.ts'
import { openTpcB } from './tpcb.ts'

export type BenchOptions = {
  /** Fewer repeats and smaller tables: at most a minute in all. */
  readonly quick?: boolean
  /** Told what is being measured. */
  readonly onProgress?: (what: string) => void
}

/** How much of everything. */
type Plan = {
  readonly seconds: number
  readonly tpcbScale: number
  readonly tpcbClients: readonly number[]
  readonly callers: readonly number[]
  /** Accounts of a book: as many as a few hundred companies have, and ten times as many for the row that says so. */
  readonly customers: number
  readonly customersMany: number
  readonly entries: readonly number[]
  /** Accounts of the growing book. */
  readonly readers: number
  readonly reads: number
}

const FULL: Plan = {
  seconds: 8,
  tpcbScale: 32,
  tpcbClients: [4, 8, 16, 32],
  callers: [64, 256, 1_024],
  customers: 1_000,
  customersMany: 10_000,
  entries: [1_000_000, 10_000_000],
  readers: 2_000,
  reads: 2_000,
}
const QUICK: Plan = {
  ...FULL,
  seconds: 1,
  tpcbScale: 16,
  tpcbClients: [8, 16],
  entries: [20_000, 100_000],
  readers: 60,
  reads: 200,
}

/**
 * Measures the ledger on a PostgreSQL of its own (`fsync` and `synchronous_commit` on) against TPC-B on the same server in the same run,
 * then proves the books. Needs nothing but the machine to be otherwise idle.
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), 'partita-bench-'))
  const server = await startEmbedded({ dataDirectory: folder })
  try {
    const bench = await Bench.open(server, options.quick ? QUICK : FULL, options.onProgress ?? (() => {}))
    return await bench.run().finally(() => bench.close())
  } finally {
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Puts the report's table, with the machine and the day, between the markers of the README. */
export function writeReadme(report: BenchReport, readme: string, today: Date): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.versions.node}`
  writeBetweenMarkers(readme, `\n${today.toISOString().slice(0, 10)}, ${machine}:\n\n${toMarkdown(report)}\n`)
}

const WARM_SECONDS = 1

/**
 * Touches every page of TPC-B's large table once. After a checkpoint the first write to a page puts all of it into the WAL; TPC-B
 * writes at random over tens of thousands of pages, so a run of a few seconds would measure little else, and flatter us twofold.
 */
async function warmPages(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ per_page: number }>(
      `select ceil(reltuples / greatest(relpages, 1))::int as per_page from pg_class where relname = 'pgbench_accounts'`,
    )
    await client.query('update pgbench_accounts set abalance = abalance where aid % $1 = 0', [
      Math.max(1, rows[0]?.per_page ?? 1),
    ])
    await client.query('vacuum pgbench_accounts')
  } finally {
    await client.end()
  }
}

type Measured = LoadResult & { readonly cost: Cost }

class Bench {
  readonly #server: EmbeddedServer
  readonly #plan: Plan
  readonly #say: (what: string) => void
  readonly #admin: pg.Client
  readonly #database: Database
  readonly #url: string
  readonly #rows: BenchRow[] = []
  #sound = true

  private constructor(server: EmbeddedServer, plan: Plan, say: (what: string) => void, admin: pg.Client, url: string) {
    this.#server = server
    this.#plan = plan
    this.#say = say
    this.#admin = admin
    this.#url = url
    this.#database = new Database({
      url,
      applicationName: 'partita bench',
      poolSize: 32,
      acquireTimeoutMs: 60_000,
      statementTimeoutMs: 0,
    })
  }

  static async open(server: EmbeddedServer, plan: Plan, say: (what: string) => void): Promise<Bench> {
    say('preparing')
    await migrate(server.adminUrl, { loginPassword: new URL(server.adminUrl).password })
    const admin = new pg.Client({ connectionString: server.adminUrl })
    await admin.connect()
    const url = new URL(server.adminUrl)
    url.username = 'partita'
    return new Bench(server, plan, say, admin, url.href)
  }

  async close(): Promise<void> {
    await this.#database.close()
    await this.#admin.end()
  }

  async run(): Promise<BenchReport> {
    await this.#tpcb()
    const { customers, customersMany } = this.#plan
    const books = [await this.#book('bench-1', customers), await this.#book('bench-2', customers)]
    await this.#ledger(books, await this.#book('bench-many', customersMany))
    await this.#http()
    await this.#flatness()
    await this.#prove()
    return { rows: this.#rows }
  }

  #book(code: string, customers: number): Promise<BenchBook> {
    this.#say(`opening ${code}`)
    return makeBook(this.#database, code, customers)
  }

  /** The yardstick: PostgreSQL's own benchmark at the client count that serves it best. Its books are proved as well. */
  async #tpcb(): Promise<void> {
    await this.#admin.query('create database tpcb')
    const url = new URL(this.#server.adminUrl)
    url.pathname = '/tpcb'
    const tpcb = await openTpcB(url.href)
    this.#say(`${tpcb.name}: preparing`)
    await tpcb.prepare(this.#plan.tpcbScale)
    await this.#admin.query('checkpoint')
    await warmPages(url.href)
    await tpcb.run(8, WARM_SECONDS)
    let best: { row: BenchRow } | undefined
    for (const clients of this.#plan.tpcbClients) {
      this.#say(`${tpcb.name}, ${clients} clients`)
      const measured = await this.#measure(() => tpcb.run(clients, Math.max(3, Math.round(this.#plan.seconds))))
      const row = { ...rowOf(tpcb.name, 0, clients, false, measured), nodeCpuMicros: 0 }
      if (!best || row.transfersPerSecond > best.row.transfersPerSecond) best = { row }
    }
    if (!best) return
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    const { rows } = await client.query(`
      select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)
         and (select sum(tbalance) from pgbench_tellers) = (select sum(bbalance) from pgbench_branches) as sound`)
    await client.end()
    this.#rows.push({ ...best.row, ratioToTpcB: 1, verified: rows[0]?.sound === true })
    await this.#admin.query('drop database tpcb')
  }

  async #ledger(books: readonly BenchBook[], many: BenchBook): Promise<void> {
    const { seconds, callers } = this.#plan
    const [first] = books
    if (!first) return
    await this.#admin.query('checkpoint')
    await runLanes(this.#database, { books, callers: 256, hot: false, mixed: false, seconds: seconds / 3 }) // warm: code compiled, plans made
    await runSingles(this.#database, first, { callers: 16, seconds: 1 })
    const singles = await this.#measure(() => runSingles(this.#database, first, { callers: 16, seconds }))
    this.#add(rowOf('one transfer per transaction', 1, 16, false, singles))
    for (const used of [[first], books]) {
      for (const hot of [false, true]) {
        for (const count of callers) {
          await this.#lanes('posting lane', { books: used, callers: count, hot, mixed: false, seconds })
        }
      }
    }
    const wide = `posting lane, ${many.customers.length.toLocaleString('en-US')} accounts`
    await this.#lanes(wide, { books: [many], callers: 1_024, hot: false, mixed: false, seconds })
    await this.#lanes('posting lane, with holds and groups', { books: [first], callers: 1_024, hot: false, mixed: true, seconds })
  }

  async #lanes(name: string, load: Load): Promise<void> {
    this.#say(`${name}: ${load.books.length} book(s), ${load.callers} callers${load.hot ? ', one hot account' : ''}`)
    this.#add(rowOf(name, load.books.length, load.callers, load.hot, await this.#measure(() => runLanes(this.#database, load))))
  }

  async #http(): Promise<void> {
    this.#say('HTTP internal transfers')
    const durationMs = this.#plan.seconds * 1_000
    const row = await benchHttp({
      url: this.#url,
      adminUrl: this.#server.adminUrl,
      postgresPid: this.#server.pid,
      connections: 256,
      durationMs,
    })
    this.#add({ ...row, ratioToTpcB: 0, verified: false })
  }

  /** Reads must not slow down as the books grow. Each size is a database of its own. */
  async #flatness(): Promise<void> {
    const { entries, readers, reads } = this.#plan
    const books: GrownBook[] = []
    try {
      for (const count of entries) {
        this.#say(`growing a book to ${count.toLocaleString('en-US')} entries`)
        books.push(await GrownBook.grow(await this.#openAnother(`flatness_${count}`), count, readers))
      }
      await this.#admin.query('checkpoint')
      this.#say('reading them in turns')
      for (const { name, latencies, seconds } of await readInTurns(books, reads)) {
        const cost = { seconds, postgresCpuMicros: 0, nodeCpuMicros: 0, walBytes: 0 }
        this.#rows.push({ ...rowOf(name, 1, READERS, false, { done: latencies.count, latencies, cost }) })
      }
      for (const book of books) await this.#proveBooks(book.database)
    } finally {
      for (const book of books) await book.database.close()
    }
  }

  /** A migrated database beside the one that is measured, on the same server. */
  async #openAnother(name: string): Promise<Database> {
    await this.#admin.query(`create database ${name}`)
    const adminUrl = new URL(this.#server.adminUrl)
    adminUrl.pathname = `/${name}`
    await migrate(adminUrl.href)
    const url = new URL(this.#url)
    url.pathname = adminUrl.pathname
    return new Database({ url: url.href, applicationName: 'partita bench', statementTimeoutMs: 0 })
  }

  /** The last step: rows count as verified only when every book of the run is proved. */
  async #prove(): Promise<void> {
    await this.#proveBooks(this.#database)
    for (const row of this.#rows.slice(1)) row.verified = this.#sound
  }

  async #proveBooks(database: Database): Promise<void> {
    this.#say('proving the books')
    const report = await verifyLedger(database)
    this.#say(`proved ${report.entries.toLocaleString('en-US')} entries in ${report.seconds} s`)
    this.#sound &&= report.ok
  }

  async #measure(work: () => Promise<LoadResult>): Promise<Measured> {
    const stop = await startMeters(this.#admin, this.#server.pid)
    const result = await work()
    return { ...result, cost: await stop() }
  }

  #add(row: BenchRow): void {
    const yardstick = this.#rows[0]?.transfersPerSecond ?? 0
    this.#rows.push({ ...row, ratioToTpcB: yardstick > 0 ? row.transfersPerSecond / yardstick : 0 })
  }
}

function rowOf(
  name: string,
  books: number,
  callers: number,
  hot: boolean,
  measured: { done: number; latencies: Latencies; cost: Cost },
): BenchRow {
  const { done, latencies, cost } = measured
  return {
    name,
    books,
    callers,
    hot,
    transfersPerSecond: done / cost.seconds,
    p50Ms: latencies.quantile(0.5),
    p99Ms: latencies.quantile(0.99),
    postgresCpuMicros: cost.postgresCpuMicros / done,
    nodeCpuMicros: cost.nodeCpuMicros / done,
    walBytes: cost.walBytes / done,
    ratioToTpcB: 0,
    verified: false,
  }
}
