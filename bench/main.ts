import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { partita } from '../server/src/bank.ts'
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
  const plan = options.quick ? QUICK : FULL
  const say = options.onProgress ?? (() => {})
  const writes = await onServer(async (server) => {
    const bench = await Bench.open(server, plan, say)
    return bench.run().finally(() => bench.close())
  })
  const reads = await onServer((server) => readRows(server, plan, say))
  return { rows: [...writes.rows, ...reads] }
}

/** Does the work on a PostgreSQL of its own, which is gone afterwards. */
async function onServer<T>(work: (server: EmbeddedServer) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'partita-bench-'))
  const server = await startEmbedded({ dataDirectory: folder })
  try {
    return await work(server)
  } finally {
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Reads must not slow down as the books grow. Each size is a database of its own, beside nothing else. */
async function readRows(server: EmbeddedServer, plan: Plan, say: (what: string) => void): Promise<BenchRow[]> {
  const admin = new pg.Client({ connectionString: server.adminUrl })
  await admin.connect()
  const books: GrownBook[] = []
  try {
    for (const entries of plan.entries) {
      say(`growing a book to ${entries.toLocaleString('en-US')} entries`)
      const name = `entries_${entries}`
      books.push(await GrownBook.grow(await openAnother(server, admin, name), entries, plan.readers))
      await vacuum(server, name)
    }
    await admin.query('checkpoint')
    say('reading them in turns')
    const reads = await readInTurns(books, plan.reads)
    let verified = true
    for (const book of books) verified = (await prove(book.database, say)) && verified
    return reads.map(({ name, latencies, seconds }) => {
      const cost = { seconds, postgresCpuMicros: 0, nodeCpuMicros: 0, walBytes: 0 }
      return { ...rowOf(name, 1, READERS, false, { done: latencies.count, latencies, cost }), verified }
    })
  } finally {
    for (const book of books) await book.database.close()
    await admin.end()
  }
}

/** A migrated database beside the others of the server. */
async function openAnother(server: EmbeddedServer, admin: pg.Client, name: string): Promise<Database> {
  await admin.query(`create database ${name}`)
  const url = new URL(server.adminUrl)
  url.pathname = `/${name}`
  await migrate(url.href, partita.migrations(), { loginPassword: url.password })
  url.username = 'partita'
  return new Database({ url: url.href, applicationName: 'partita bench', statementTimeoutMs: 0 })
}

/** What PostgreSQL would do by itself within a minute, while it is being measured. */
async function vacuum(server: EmbeddedServer, name: string): Promise<void> {
  const url = new URL(server.adminUrl)
  url.pathname = `/${name}`
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  await client.query('vacuum analyze').finally(() => client.end())
}

async function prove(database: Database, say: (what: string) => void): Promise<boolean> {
  say('proving the books')
  const report = await verifyLedger(database)
  say(`proved ${report.entries.toLocaleString('en-US')} entries in ${report.seconds} s`)
  return report.ok
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
  #booksMade = 0

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
    await migrate(server.adminUrl, partita.migrations(), { loginPassword: new URL(server.adminUrl).password })
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
    await this.#ledger()
    await this.#http()
    const sound = await prove(this.#database, this.#say)
    for (const row of this.#rows.slice(1)) row.verified = sound
    return { rows: this.#rows }
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

  async #ledger(): Promise<void> {
    const { seconds, callers, customers, customersMany } = this.#plan
    await this.#admin.query('checkpoint')
    const warm = { callers: 256, hot: false, mixed: false, seconds: seconds / 3 }
    await runLanes(this.#database, { ...warm, books: await this.#freshBooks(2, customers) }) // code compiled, plans made
    const [book] = await this.#freshBooks(1, customers)
    if (!book) return
    await runSingles(this.#database, book, { callers: 16, seconds: seconds / 8 })
    const singles = await this.#measure(() => runSingles(this.#database, book, { callers: 16, seconds }))
    this.#add(rowOf('one transfer per transaction', 1, 16, false, singles))
    for (const books of [1, 2]) {
      for (const hot of [false, true]) {
        for (const count of callers) await this.#lanes('posting lane', { books, customers, callers: count, hot, mixed: false })
      }
    }
    const crowd = { books: 1, callers: 1_024, hot: false }
    const many = `posting lane, ${customersMany.toLocaleString('en-US')} accounts`
    await this.#lanes(many, { ...crowd, customers: customersMany, mixed: false })
    await this.#lanes('posting lane, with holds and groups', { ...crowd, customers, mixed: true })
  }

  /** One row, over books of its own: no row pays for what the ones before it have written. */
  async #lanes(name: string, load: Omit<Load, 'books' | 'seconds'> & { books: number; customers: number }): Promise<void> {
    this.#say(`${name}: ${load.books} book(s), ${load.callers} callers${load.hot ? ', one hot account' : ''}`)
    const books = await this.#freshBooks(load.books, load.customers)
    const measured = await this.#measure(() => runLanes(this.#database, { ...load, books, seconds: this.#plan.seconds }))
    this.#add(rowOf(name, load.books, load.callers, load.hot, measured))
  }

  async #freshBooks(count: number, customers: number): Promise<BenchBook[]> {
    const books: BenchBook[] = []
    for (let n = 0; n < count; n++) books.push(await makeBook(this.#database, `bench-${++this.#booksMade}`, customers))
    return books
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
