import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { partita } from '../server/src/bank.ts'
import { bankSettings } from '../server/src/modules/accounts/index.ts'
import { systemActor } from '../server/src/platform/actor.ts'
import { newId } from '../server/src/platform/ids.ts'
import { Database } from '../server/src/platform/postgres/database.ts'
import { makeCompany } from '../server/src/seed/make-company.ts'
import { type LoadResult, runHttpLoad } from './http-load.ts'
import { type Cost, startMeters } from './meters.ts'
import type { Unproven } from './report.ts'

export type HttpBenchOptions = {
  /** Login of the application on the database that is measured. */
  readonly url: string
  readonly adminUrl: string
  readonly postgresPid: number
  readonly connections: number
  readonly durationMs: number
}

/** Transfers run between as many accounts as some busy companies have, reads are those of one company. */
const ACCOUNTS = 200
const ACCOUNTS_READ = 3
const OPENING_MINOR = 1_000_000_00n
const SERVER = join(import.meta.dirname, '../server/src/main.ts')

/**
 * `POST /v2/internal_transfers` end to end, against a server process of its own that is worker as well: authentication, validation, idempotency
 * key, ledger, feed, events, stored answer, log line; and the events' way to the archive, until none waits. Node's CPU is that of the server
 * process alone.
 */
export async function benchTransfers(options: HttpBenchOptions): Promise<Unproven> {
  const company = await makeBenchCompany(options.url, ACCOUNTS)
  return withServer(options, async (server, admin) => {
    const load = loadOf(options, server, transferRequests(company, server.port))
    await runHttpLoad({ ...load, durationMs: Math.min(2_000, options.durationMs / 2) }) // warm: code compiled, plans made
    const measured = await measure(options, server, admin, async () => {
      const result = await runHttpLoad({ ...load, durationMs: options.durationMs })
      await untilArchived(admin)
      return result
    })
    return rowOf('HTTP internal transfer, published', options, measured)
  })
}

/** What clients ask for most, one connection after the other: a page of the feed, and the organization. */
export async function benchReads(options: HttpBenchOptions): Promise<Unproven[]> {
  const company = await makeBenchCompany(options.url, ACCOUNTS_READ)
  return withServer(options, async (server, admin) => {
    await runHttpLoad({ ...loadOf(options, server, transferRequests(company, server.port)), connections: 64, durationMs: 6_000 })
    await untilArchived(admin)
    const page = `/v2/transactions?per_page=100&iban=${company.ibans[0]}`
    const reads = { 'GET /v2/transactions, page of 100': page, 'GET /v2/organization': '/v2/organization' }
    const rows: Unproven[] = []
    for (const [name, path] of Object.entries(reads)) {
      const load = loadOf(options, server, () => getRequest(company, server.port, path))
      await runHttpLoad({ ...load, durationMs: options.durationMs / 2 })
      const measured = await measure(options, server, admin, () => runHttpLoad({ ...load, durationMs: options.durationMs }))
      rows.push({ ...rowOf(name, options, measured), isRead: true })
    }
    return rows
  })
}

async function withServer<T>(
  options: HttpBenchOptions,
  work: (server: RunningServer, admin: pg.Client) => Promise<T>,
): Promise<T> {
  const server = await startServer(options.url)
  const admin = new pg.Client({ connectionString: options.adminUrl })
  await admin.connect()
  try {
    return await work(server, admin)
  } finally {
    await admin.end()
    await server.stop()
  }
}

const loadOf = (options: HttpBenchOptions, server: RunningServer, nextRequest: () => string) => ({
  host: '127.0.0.1',
  port: server.port,
  connections: options.connections,
  nextRequest,
})

type Measured = {
  readonly result: LoadResult
  readonly cost: Pick<Cost, 'postgresCpuMicros' | 'nodeCpuMicros' | 'walBytes'>
}

async function measure(
  options: HttpBenchOptions,
  server: RunningServer,
  admin: pg.Client,
  work: () => Promise<LoadResult>,
): Promise<Measured> {
  const nodeBefore = cpuMicros(server.pid)
  const stop = await startMeters(admin, options.postgresPid)
  const result = await work()
  const cost = await stop()
  return { result, cost: { ...cost, nodeCpuMicros: cpuMicros(server.pid) - nodeBefore } }
}

/** Waits until no event waits in the outbox: only then has a transfer cost all that it costs. */
async function untilArchived(admin: pg.Client): Promise<void> {
  for (;;) {
    const { rowCount } = await admin.query('select from platform.outbox limit 1')
    if (rowCount === 0) return
    await delay(20)
  }
}

function rowOf(name: string, { connections }: HttpBenchOptions, { result, cost }: Measured): Unproven {
  const done = result.statuses.get(200) ?? 0
  const others = [...result.statuses].filter(([status]) => status !== 200)
  if (others.length > 0 || done === 0) throw new Error(`the server answered ${JSON.stringify([...result.statuses])}`)
  const quantile = (share: number) => result.latenciesMs[Math.min(done - 1, Math.trunc(done * share))] ?? 0
  return {
    name,
    books: 1,
    callers: connections,
    hot: false,
    transfersPerSecond: done / result.seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    postgresCpuMicros: cost.postgresCpuMicros / done,
    nodeCpuMicros: cost.nodeCpuMicros / done,
    walBytes: cost.walBytes / done,
  }
}

const getRequest = ({ authorization }: BenchCompany, port: number, path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${authorization}\r\n\r\n`

type BenchCompany = { readonly authorization: string; readonly ibans: readonly string[] }

async function makeBenchCompany(url: string, count: number): Promise<BenchCompany> {
  const database = new Database({ url, applicationName: 'partita bench', acquireTimeoutMs: 30_000 })
  const now = new Date(performance.timeOrigin + performance.now())
  const config = partita.configure({ DATABASE_URL: 'postgres://unused/unused' })
  if (!config.ok) throw new Error(config.problems.join('; '))
  const actor = systemActor('bench.http')
  const account = (n: number) => ({ name: `Account ${n}`, country: 'FR' }) as const
  const accounts = [account(0), account(1), ...Array.from({ length: count - 2 }, (_, n) => account(n + 2))] as const
  const made = await database
    .transaction(actor, (tx) =>
      makeCompany({ actor, now }, tx, {
        slug: `bench-${newId().slice(-12)}`,
        name: 'Bench',
        bank: config.config.of(bankSettings),
        accounts,
        fundedMinor: Array(count).fill(OPENING_MINOR),
      }),
    )
    .finally(() => database.close())
  return { authorization: `${made.slug}:${made.secret}`, ibans: made.accounts.map(({ iban }) => iban) }
}

function transferRequests({ authorization, ibans }: BenchCompany, port: number): () => string {
  let n = 0
  return () => {
    const debit = n % ibans.length
    const credit = (debit + 1 + (n % (ibans.length - 1))) % ibans.length
    n++
    const transfer = {
      debit_iban: ibans[debit],
      credit_iban: ibans[credit],
      reference: `Bench ${n}`,
      amount: '0.01',
      currency: 'EUR',
    }
    const body = JSON.stringify({ internal_transfer: transfer })
    return `POST /v2/internal_transfers HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nX-Qonto-Idempotency-Key: ${newId()}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  }
}

type RunningServer = { readonly pid: number; readonly port: number; stop(): Promise<void> }

/** The real server, with the contract's rate limits off: they are per client address, and there is only one here. */
async function startServer(url: string): Promise<RunningServer> {
  const env = {
    ...process.env,
    DATABASE_URL: url,
    PARTITA_PORT: '0',
    PARTITA_RATE_LIMIT_10_SECONDS: '0',
    PARTITA_RATE_LIMIT_10_MINUTES: '0',
    // Nobody is there: transfers between own accounts need no rail.
    RAILS_URL: 'http://127.0.0.1:9',
  }
  const child = spawn(process.execPath, [SERVER, 'all'], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const address = await readyMessage(child)
  return {
    pid: child.pid as number,
    port: Number(new URL(address).port),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}

const readyMessage = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    child.once('message', (message: { url: string }) => resolve(message.url))
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })

const TICK_MICROS = 10_000

function cpuMicros(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS
}
