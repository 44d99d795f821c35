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
import { benchReads, benchTransfers } from './http.ts'
import { type BenchBook, type Load, type LoadResult, makeBook, runLanes, runSingles } from './ledger-load.ts'
import { type Cost, type Latencies, startMeters } from './meters.ts'
import { type BenchReport, type BenchRow, toMarkdown, type Unproven, writeBetweenMarkers } from './report.ts'
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
  /** Of the row that meets checkpoints and vacuums. */
  readonly productionSeconds: number
  readonly tpcbScale: number
  readonly tpcbClients: readonly number[]
  readonly callers: readonly number[]
  readonly connections: readonly number[]
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
  productionSeconds: 60,
  tpcbScale: 32,
  tpcbClients: [8, 16],
  callers: [64, 256, 1_024],
  connections: [64, 256],
  customers: 1_000,
  customersMany: 10_000,
  entries: [1_000_000, 10_000_000],
  readers: 2_000,
  reads: 2_000,
}
const QUICK: Plan = {
  ...FULL,
  seconds: 1,
  productionSeconds: 2,
  tpcbScale: 16,
  entries: [20_000, 100_000],
  readers: 60,
  reads: 200,
}

/**
 * No row pays for what those before it have written: what PostgreSQL does in the background for all of them together is measured by a row of its
 * own, on a server with the settings of `partita start`.
 */
const WITHOUT_BACKGROUND = { autovacuum: 'off', max_wal_size: '16GB', checkpoint_timeout: '1h' }

/**
 * Measures the ledger on a PostgreSQL of its own (`fsync` and `synchronous_commit` on) against TPC-B on the same server in the same run,
 * each row in a database of its own, whose books are proved before it is dropped. Needs nothing but the machine to be otherwise idle.
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchReport> {
  const plan = options.quick ? QUICK : FULL
  const say = options.onProgress ?? (() => {})
  const { postgres, rows } = await onServer(WITHOUT_BACKGROUND, async (server) => {
    const bench = await Bench.open(server, plan, say)
    return bench.run().finally(() => bench.close())
  })
  const yardstick = rows[0]?.transfersPerSecond ?? 0
  const production = await onServer({}, async (server) => {
    const bench = await Bench.open(server, plan, say, yardstick)
    return bench.runAsInProduction().finally(() => bench.close())
  })
  const reads = await onServer({}, (server) => readRows(server, plan, say))
  return { postgres, rows: [...rows, ...production, ...reads] }
}

/** Does the work on a PostgreSQL of its own, which is gone afterwards. */
async function onServer<T>(settings: Readonly<Record<string, string>>, work: (server: EmbeddedServer) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'partita-bench-'))
  const server = await startEmbedded({ dataDirectory: folder, settings })
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
      const row = rowOf(name, 1, READERS, false, { done: latencies.count, latencies, cost })
      return { ...row, ratioToTpcB: 0, verified }
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
  const heading = `${today.toISOString().slice(0, 10)}, ${machine}, ${report.postgres}:`
  writeBetweenMarkers(readme, `\n${heading}\n\n${toMarkdown(report)}\n`)
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

const TEMPLATE = 'bench_template'

/** A database of one row. */
type RowDatabase = { readonly name: string; readonly database: Database; readonly url: string; readonly adminUrl: string }

class Bench {
  readonly #server: EmbeddedServer
  readonly #plan: Plan
  readonly #say: (what: string) => void
  readonly #admin: pg.Client
  readonly #rows: BenchRow[] = []
  #yardstick: number
  #databases = 0

  private constructor(server: EmbeddedServer, plan: Plan, say: (what: string) => void, admin: pg.Client, yardstick: number) {
    this.#server = server
    this.#plan = plan
    this.#say = say
    this.#admin = admin
    this.#yardstick = yardstick
  }

  /** @param yardstick transactions per second of TPC-B, when they were measured before. */
  static async open(server: EmbeddedServer, plan: Plan, say: (what: string) => void, yardstick = 0): Promise<Bench> {
    say('preparing')
    const admin = new pg.Client({ connectionString: server.adminUrl })
    await admin.connect()
    await admin.query(`create database ${TEMPLATE}`)
    const template = onDatabase(server.adminUrl, TEMPLATE)
    await migrate(template.href, partita.migrations(), { loginPassword: template.password })
    return new Bench(server, plan, say, admin, yardstick)
  }

  async close(): Promise<void> {
    await this.#admin.end()
  }

  async run(): Promise<BenchReport> {
    const postgres = await this.#describePostgres()
    await this.#tpcb()
    await this.#singles()
    await this.#lanes()
    for (const connections of this.#plan.connections) await this.#httpTransfers(connections)
    await this.#httpReads()
    return { postgres, rows: this.#rows }
  }

  /** The busiest row again, for long enough to meet checkpoints and vacuums. */
  async runAsInProduction(): Promise<BenchRow[]> {
    const load = { books: 1, callers: 1_024, hot: false, mixed: false, customers: this.#plan.customers }
    await this.#lane('posting lane, with checkpoints and vacuums', load, this.#plan.productionSeconds)
    return this.#rows
  }

  /** Which PostgreSQL is measured, and how it was compiled: the optimization alone makes a difference of a fifth. */
  async #describePostgres(): Promise<string> {
    const { rows } = await this.#admin.query<{ version: string; flags: string }>(`
      select current_setting('server_version') as version,
             (select setting from pg_config where name = 'CFLAGS') as flags`)
    const optimization = /-O\w*/.exec(rows[0]?.flags ?? '')?.[0] ?? 'unknown optimization'
    return `PostgreSQL ${rows[0]?.version.split(' ')[0]} compiled with ${optimization}`
  }

  /** The yardstick: PostgreSQL's own benchmark at the client count that serves it best. Its books are proved as well. */
  async #tpcb(): Promise<void> {
    await this.#admin.query('create database tpcb')
    const url = onDatabase(this.#server.adminUrl, 'tpcb')
    const tpcb = await openTpcB(url.href)
    this.#say(`${tpcb.name}: preparing`)
    await tpcb.prepare(this.#plan.tpcbScale)
    await this.#admin.query('checkpoint')
    await warmPages(url.href)
    await tpcb.run(8, WARM_SECONDS)
    let best: Unproven | undefined
    for (const clients of this.#plan.tpcbClients) {
      this.#say(`${tpcb.name}, ${clients} clients`)
      const measured = await this.#measure(() => tpcb.run(clients, Math.max(3, Math.round(this.#plan.seconds))))
      const row = { ...rowOf(tpcb.name, 0, clients, false, measured), nodeCpuMicros: 0 }
      if (!best || row.transfersPerSecond > best.transfersPerSecond) best = row
    }
    if (!best) return
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    const { rows } = await client.query(`
      select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)
         and (select sum(tbalance) from pgbench_tellers) = (select sum(bbalance) from pgbench_branches) as sound`)
    await client.end()
    this.#yardstick = best.transfersPerSecond
    this.#add(best, rows[0]?.sound === true)
    await this.#admin.query('drop database tpcb')
  }

  async #singles(): Promise<void> {
    const { seconds, customers } = this.#plan
    this.#say('one transfer per transaction')
    await this.#inDatabase(async ({ database }) => {
      const book = await makeBook(database, 'bench', customers)
      await runSingles(database, book, { callers: 16, seconds: seconds / 4 })
      const measured = await this.#measure(() => runSingles(database, book, { callers: 16, seconds }))
      return [rowOf('one transfer per transaction', 1, 16, false, measured)]
    })
  }

  async #lanes(): Promise<void> {
    const { callers, customers, customersMany } = this.#plan
    for (const books of [1, 2]) {
      for (const hot of [false, true]) {
        for (const count of callers) await this.#lane('posting lane', { books, customers, callers: count, hot, mixed: false })
      }
    }
    const crowd = { books: 1, callers: 1_024, hot: false }
    const many = `posting lane, ${customersMany.toLocaleString('en-US')} accounts`
    await this.#lane(many, { ...crowd, customers: customersMany, mixed: false })
    await this.#lane('posting lane, with holds and groups', { ...crowd, customers, mixed: true })
  }

  async #lane(
    name: string,
    load: Omit<Load, 'books' | 'seconds'> & { books: number; customers: number },
    seconds = this.#plan.seconds,
  ): Promise<void> {
    this.#say(`${name}: ${load.books} book(s), ${load.callers} callers${load.hot ? ', one hot account' : ''}`)
    await this.#inDatabase(async ({ database }) => {
      const books: BenchBook[] = []
      for (let n = 0; n < load.books; n++) books.push(await makeBook(database, `bench-${n}`, load.customers))
      await runLanes(database, { ...load, books, seconds: this.#plan.seconds / 4 }) // code compiled, plans made
      const measured = await this.#measure(() => runLanes(database, { ...load, books, seconds }))
      if (measured.windows.length > 2) this.#say(`the slowest ten seconds: ${slowestOfMedian(measured.windows)} % of the median`)
      return [rowOf(name, load.books, load.callers, load.hot, measured)]
    })
  }

  async #httpTransfers(connections: number): Promise<void> {
    this.#say(`HTTP internal transfers, ${connections} connections`)
    await this.#inDatabase(async (target) => [
      await benchTransfers({ ...target, postgresPid: this.#server.pid, connections, durationMs: this.#plan.seconds * 1_000 }),
    ])
  }

  async #httpReads(): Promise<void> {
    this.#say('HTTP reads')
    await this.#inDatabase((target) =>
      benchReads({ ...target, postgresPid: this.#server.pid, connections: 8, durationMs: this.#plan.seconds * 1_000 }),
    )
  }

  /** Measures in a database of its own, after a checkpoint; proves its books, and drops it. */
  async #inDatabase(work: (target: RowDatabase) => Promise<Unproven[]>): Promise<void> {
    const name = `bench_${++this.#databases}`
    await this.#admin.query(`create database ${name} template ${TEMPLATE}`)
    await this.#admin.query('checkpoint')
    const adminUrl = onDatabase(this.#server.adminUrl, name)
    const login = new URL(adminUrl)
    login.username = 'partita'
    const url = login.href
    const options = { applicationName: 'partita bench', poolSize: 32, acquireTimeoutMs: 60_000, statementTimeoutMs: 0 }
    const database = new Database({ url, ...options })
    try {
      const rows = await work({ name, database, url, adminUrl: adminUrl.href })
      const sound = await prove(database, this.#say)
      for (const row of rows) this.#add(row, sound)
    } finally {
      await database.close()
      await this.#admin.query(`drop database ${name} with (force)`)
    }
  }

  async #measure<R extends LoadResult>(work: () => Promise<R>): Promise<R & { cost: Cost }> {
    const stop = await startMeters(this.#admin, this.#server.pid)
    const result = await work()
    return { ...result, cost: await stop() }
  }

  #add(row: Unproven, verified: boolean): void {
    const ratioToTpcB = this.#yardstick > 0 && !row.isRead ? row.transfersPerSecond / this.#yardstick : 0
    this.#rows.push({ ...row, ratioToTpcB, verified })
  }
}

/** How even a load went: its slowest ten seconds in percent of the median ones. */
function slowestOfMedian(windows: readonly number[]): number {
  const sorted = [...windows].sort((a, b) => a - b)
  const median = sorted[Math.trunc(sorted.length / 2)] ?? 0
  return Math.round((100 * (sorted[0] ?? 0)) / median)
}

/** The same server, another database. */
function onDatabase(serverUrl: string, name: string): URL {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url
}

function rowOf(
  name: string,
  books: number,
  callers: number,
  hot: boolean,
  measured: { done: number; latencies: Latencies; cost: Cost },
): Unproven {
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
  }
}
