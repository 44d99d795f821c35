import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { partita } from '../server/src/bank.ts'
import { bankSettings } from '../server/src/modules/accounts/index.ts'
import { systemActor } from '../server/src/platform/actor.ts'
import { newId } from '../server/src/platform/ids.ts'
import { Database } from '../server/src/platform/postgres/database.ts'
import { makeCompany } from '../server/src/seed/make-company.ts'
import { type LoadResult, runHttpLoad } from './http-load.ts'
import { startMeters } from './meters.ts'
import type { BenchRow } from './report.ts'

export type HttpBenchOptions = {
  /** Login of the application on the database that is measured. */
  readonly url: string
  readonly adminUrl: string
  readonly postgresPid: number
  readonly connections: number
  readonly durationMs: number
}

const ACCOUNTS = 200
const OPENING_MINOR = 1_000_000_00n
const SERVER = join(import.meta.dirname, '../server/src/main.ts')

/**
 * `POST /v2/internal_transfers` end to end, against a server process of its own: authentication, validation, idempotency key, ledger, feed,
 * event, stored answer, log line. Node's CPU is that of the server process alone.
 */
export async function benchHttp(options: HttpBenchOptions): Promise<Omit<BenchRow, 'ratioToTpcB' | 'verified'>> {
  const database = new Database({ url: options.url, applicationName: 'partita bench', acquireTimeoutMs: 30_000 })
  const company = await makeBenchCompany(database).finally(() => database.close())
  const server = await startServer(options.url)
  const admin = new pg.Client({ connectionString: options.adminUrl })
  await admin.connect()
  try {
    const load = {
      host: '127.0.0.1',
      port: server.port,
      connections: options.connections,
      nextRequest: requests(company, server.port),
    }
    await runHttpLoad({ ...load, durationMs: Math.min(2_000, options.durationMs / 2) }) // warm: code compiled, plans made
    const nodeBefore = cpuMicros(server.pid)
    const stop = await startMeters(admin, options.postgresPid)
    const result = await runHttpLoad({ ...load, durationMs: options.durationMs })
    const cost = await stop()
    return rowOf(options, result, { ...cost, nodeCpuMicros: cpuMicros(server.pid) - nodeBefore })
  } finally {
    await admin.end()
    await server.stop()
  }
}

function rowOf(
  options: HttpBenchOptions,
  result: LoadResult,
  cost: { postgresCpuMicros: number; nodeCpuMicros: number; walBytes: number },
): Omit<BenchRow, 'ratioToTpcB' | 'verified'> {
  const done = result.statuses.get(200) ?? 0
  const others = [...result.statuses].filter(([status]) => status !== 200)
  if (others.length > 0 || done === 0) throw new Error(`the server answered ${JSON.stringify([...result.statuses])}`)
  const quantile = (share: number) => result.latenciesMs[Math.min(done - 1, Math.trunc(done * share))] ?? 0
  return {
    name: 'HTTP internal transfer',
    books: 1,
    callers: options.connections,
    hot: false,
    transfersPerSecond: done / result.seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    postgresCpuMicros: cost.postgresCpuMicros / done,
    nodeCpuMicros: cost.nodeCpuMicros / done,
    walBytes: cost.walBytes / done,
  }
}

type BenchCompany = { readonly authorization: string; readonly ibans: readonly string[] }

async function makeBenchCompany(database: Database): Promise<BenchCompany> {
  const now = new Date(performance.timeOrigin + performance.now())
  const config = partita.configure({ DATABASE_URL: 'postgres://unused/unused' })
  if (!config.ok) throw new Error(config.problems.join('; '))
  const actor = systemActor('bench.http')
  const account = (n: number) => ({ name: `Account ${n}`, country: 'FR' }) as const
  const accounts = [account(0), account(1), ...Array.from({ length: ACCOUNTS - 2 }, (_, n) => account(n + 2))] as const
  const made = await database.transaction(actor, (tx) =>
    makeCompany({ actor, now }, tx, {
      slug: `bench-${newId().slice(-12)}`,
      name: 'Bench',
      bank: config.config.of(bankSettings),
      accounts,
      fundedMinor: Array(ACCOUNTS).fill(OPENING_MINOR),
    }),
  )
  return { authorization: `${made.slug}:${made.secret}`, ibans: made.accounts.map(({ iban }) => iban) }
}

function requests({ authorization, ibans }: BenchCompany, port: number): () => string {
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
  }
  const child = spawn(process.execPath, [SERVER, 'api'], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
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
