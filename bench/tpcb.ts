import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { Latencies } from './meters.ts'

const run = promisify(execFile)

export type TpcB = {
  /** Says which program drove it: the figures of another driver are not PostgreSQL's own. */
  readonly name: string
  prepare(scale: number): Promise<void>
  run(clients: number, seconds: number): Promise<{ done: number; latencies: Latencies }>
}

/** PostgreSQL's own `pgbench` when the machine has it, else the same script from Node. `url`: a database of its own. */
export async function openTpcB(url: string): Promise<TpcB> {
  const program = await findPgbench()
  return program ? withPgbench(program, url) : withNode(url)
}

async function findPgbench(): Promise<string | undefined> {
  const installed = '/usr/lib/postgresql'
  const versions = readdirSync('/usr/lib').includes('postgresql') ? readdirSync(installed).sort().reverse() : []
  for (const program of ['pgbench', ...versions.map((version) => join(installed, version, 'bin/pgbench'))]) {
    try {
      await run(program, ['--version'])
      return program
    } catch {
      // not this one
    }
  }
  return undefined
}

function withPgbench(program: string, url: string): TpcB {
  const parts = new URL(url)
  const connection = {
    PGHOST: parts.searchParams.get('host') ?? parts.hostname,
    PGPORT: parts.port || '5432',
    PGUSER: parts.username,
    PGPASSWORD: decodeURIComponent(parts.password),
    PGDATABASE: parts.pathname.slice(1),
  }
  const options = { env: { ...process.env, ...connection }, maxBuffer: 1 << 24 }
  return {
    name: 'TPC-B by pgbench, prepared',
    prepare: async (scale) => {
      await run(program, ['-q', '-i', '-s', String(scale)], options)
    },
    run: async (clients, seconds) => {
      const folder = mkdtempSync(join(tmpdir(), 'partita-pgbench-'))
      try {
        const log = ['--log', `--log-prefix=${join(folder, 'log')}`]
        const threads = String(Math.min(2, clients))
        await run(program, ['-n', '-M', 'prepared', '-c', String(clients), '-j', threads, '-T', String(seconds), ...log], options)
        return readLog(folder)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  }
}

/** One line per transaction; the third field is its latency in microseconds. */
function readLog(folder: string): { done: number; latencies: Latencies } {
  const latencies = new Latencies()
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      const micros = Number(line.split(' ')[2])
      if (micros > 0) latencies.record(micros / 1_000)
    }
  }
  return { done: latencies.count, latencies }
}

const TABLES = `
  create table pgbench_branches (bid int not null primary key, bbalance int, filler char(88)) with (fillfactor = 100);
  create table pgbench_tellers (tid int not null primary key, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
  create table pgbench_accounts (aid int not null primary key, bid int, abalance int, filler char(84)) with (fillfactor = 100);
  create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))`

/** The statements of pgbench's built-in script `tpcb-like`. */
const SCRIPT = [
  'update pgbench_accounts set abalance = abalance + $1 where aid = $2',
  'select abalance from pgbench_accounts where aid = $1',
  'update pgbench_tellers set tbalance = tbalance + $1 where tid = $2',
  'update pgbench_branches set bbalance = bbalance + $1 where bid = $2',
  'insert into pgbench_history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)',
] as const

function withNode(url: string): TpcB {
  let size = 1
  const between = (limit: number) => 1 + Math.trunc(Math.random() * limit)
  return {
    name: 'TPC-B by a Node driver, prepared',
    prepare: async (scale) => {
      size = scale
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query(TABLES)
      await client.query(`insert into pgbench_branches select i, 0 from generate_series(1, ${scale}) i`)
      await client.query(`insert into pgbench_tellers select i, (i - 1) / 10 + 1, 0 from generate_series(1, ${scale * 10}) i`)
      await client.query(
        `insert into pgbench_accounts select i, (i - 1) / 100000 + 1, 0, '' from generate_series(1, ${scale * 100_000}) i`,
      )
      await client.query('vacuum analyze')
      await client.end()
    },
    run: async (clients, seconds) => {
      const latencies = new Latencies()
      const until = performance.now() + seconds * 1_000
      await Promise.all(
        Array.from({ length: clients }, async () => {
          const client = new pg.Client({ connectionString: url })
          await client.connect()
          const step = (at: number, values: number[]) => client.query({ name: `s${at}`, text: SCRIPT[at] as string, values })
          for (let startedAt = performance.now(); startedAt < until; ) {
            const [aid, tid, bid, delta] = [between(size * 100_000), between(size * 10), between(size), between(10_000) - 5_000]
            await client.query('begin')
            await step(0, [delta, aid])
            await step(1, [aid])
            await step(2, [delta, tid])
            await step(3, [delta, bid])
            await step(4, [tid, bid, aid, delta])
            await client.query('commit')
            const endedAt = performance.now()
            latencies.record(endedAt - startedAt)
            startedAt = endedAt
          }
          await client.end()
        }),
      )
      return { done: latencies.count, latencies }
    },
  }
}
