import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { partita } from '../../src/bank.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { checkDatabaseSafety } from '../../src/platform/config.ts'
import { newId } from '../../src/platform/ids.ts'
import { Database } from '../../src/platform/postgres/database.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { seedDemo } from '../../src/seed.ts'
import { startTestCluster } from '../support/cluster.ts'
import { createTestDatabase } from '../support/database.ts'
import { testWorld } from '../support/demo.ts'
import { run } from '../support/partita.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

// A process refuses the tests' shared cluster, which runs with fsync off; so it gets one that does not.
let cluster: Awaited<ReturnType<typeof startTestCluster>>
let databaseUrl: string
let authorization: string
beforeAll(async () => {
  cluster = await startTestCluster({ fsync: 'on', full_page_writes: 'on' })
  databaseUrl = cluster.adminUrl
  await migrate(databaseUrl, partita.migrations())
  const database = new Database({ url: databaseUrl, applicationName: 'seed' })
  const demo = await seedDemo(await testWorld({ database, url: databaseUrl }, {}, systemClock))
  await database.close()
  authorization = `${demo.organizationSlug}:${demo.secretKey}`
})
afterAll(() => cluster.remove())

type Started = { readonly child: ChildProcess; readonly url: string; readonly output: () => string }

async function start(env: NodeJS.ProcessEnv = {}, role = 'api'): Promise<Started> {
  const child = fork(MAIN, [role], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, PARTITA_PORT: '0', PARTITA_ENVIRONMENT: 'test', ...env },
  })
  let output = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk) => {
    output += chunk
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { url: string }).url))
    child.once('exit', (code) => reject(new Error(`exited with ${code}: ${output}`)))
  })
  return { child, url, output: () => output }
}

/** An exit code, or the name of the signal that killed it. */
const exitOf = (child: ChildProcess) =>
  new Promise<number | string | null>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))

test('a process tells its parent where it serves, finishes what it serves at SIGTERM, and ends with 0', async () => {
  const { child, url, output } = await start({ PARTITA_DRAIN_MS: '1000' })
  const exited = exitOf(child)
  const answers = Array.from({ length: 20 }, async () => {
    const answer = await fetch(`${url}/v2/organization`, { headers: { authorization } })
    await answer.text()
    return answer.status
  })
  await Promise.race(answers)
  child.kill('SIGTERM')
  expect(new Set(await Promise.all(answers))).toEqual(new Set([200]))
  expect(await exited).toBe(0)
  expect(output()).toContain('"message":"stopped"')
  expect(output()).not.toContain(authorization.split(':')[1])
})

test('it is not ready before it stops listening, so that a balancer can look elsewhere', async () => {
  const { child, url } = await start({ PARTITA_DRAIN_MS: '1500' })
  const exited = exitOf(child)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  child.kill('SIGTERM')
  const statuses: number[] = []
  while (!statuses.includes(503)) statuses.push((await fetch(`${url}/readyz`)).status)
  const late = await fetch(`${url}/v2/organization`, { headers: { authorization } })
  expect(late.status).toBe(200)
  expect(late.headers.get('connection')).toBe('close')
  expect(await exited).toBe(0)
})

test('it ends when its parent goes away', async () => {
  const { child } = await start()
  const exited = exitOf(child)
  child.disconnect()
  expect(await exited).toBe(0)
})

test('it refuses to start on a bad configuration, with every reason at once', async () => {
  await expect(start({ PARTITA_PORT: 'x', PARTITA_BIC: 'x' })).rejects.toThrow(
    /exited with 2: [\s\S]*PARTITA_PORT[\s\S]*PARTITA_BIC/,
  )
})

test('it refuses a database on which a commit may be lost', async () => {
  const unsafe = await createTestDatabase()
  try {
    await expect(start({ DATABASE_URL: unsafe.url })).rejects.toThrow(
      /exited with 2: [\s\S]*fsync=off[\s\S]*full_page_writes=off/,
    )
  } finally {
    await unsafe.drop()
  }
})

test('what a database may lose, and whom it may not bind, is said', async () => {
  const roleless = await checkDatabaseSafety(databaseUrl, 'production')
  expect(roleless).toEqual([expect.stringMatching(/is a superuser/)])
  expect(await checkDatabaseSafety(databaseUrl, 'development')).toEqual([])
  const loose = new URL(databaseUrl)
  loose.searchParams.set('options', '-c synchronous_commit=off')
  expect(await checkDatabaseSafety(loose.href, 'development')).toEqual([expect.stringMatching(/synchronous_commit=off/)])
})

test('it refuses a schema that lacks a migration, before it serves anything, in every role', async () => {
  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  const { rows } = await admin.query(
    'delete from migration.applied where name = (select max(name) from migration.applied) returning *',
  )
  try {
    for (const role of ['api', 'worker', 'all'])
      await expect(start({}, role)).rejects.toThrow(
        /exited with 3: Partita could not start: the database is older than this release and lacks team\/\S+: run /,
      )
  } finally {
    const [{ name, sql_md5, applied_at, breaks }] = rows
    await admin.query('insert into migration.applied values ($1, $2, $3, $4)', [name, sql_md5, applied_at, breaks])
    await admin.end()
  }
})

test('migrated by a newer release while it runs, it goes on when nothing breaks, else it is not ready, says why, and does not start again', async () => {
  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  const roles = ['api', 'worker'] as const
  const running = await Promise.all(roles.map((role) => start({ PARTITA_WORKER_PORT: '0' }, role)))
  const readiness = (url: string) =>
    fetch(`${url}/readyz`).then(async (answer) => ({ status: answer.status, body: await answer.json() }))
  try {
    await admin.query(`insert into migration.applied (name, sql_md5, breaks) values ('feed/9001_later.sql', '', false)`)
    const third = await start()
    third.child.kill('SIGTERM')
    await admin.query(`insert into migration.applied (name, sql_md5, breaks) values ('feed/9002_later.sql', '', true)`)
    for (const { url } of running)
      await vi.waitFor(
        async () =>
          expect(await readiness(url)).toEqual({
            status: 503,
            body: { status: 'unavailable', reason: expect.stringMatching(/by feed\/9002_later.sql: run the newer release$/) },
          }),
        { timeout: 15_000, interval: 250 },
      )
    await expect(start()).rejects.toThrow(/exited with 3: /)
    const migrating = fork(MAIN, ['migrate'], {
      stdio: 'ignore',
      env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, PARTITA_ENVIRONMENT: 'test' },
    })
    expect(await exitOf(migrating)).toBe(3)
  } finally {
    await admin.query(`delete from migration.applied where name like 'feed/900%'`)
    await admin.end()
    for (const { child } of running) child.kill('SIGTERM')
  }
})

test('who migrates need not be who serves: a login that may become the two roles is enough', async () => {
  const env = { PATH: process.env.PATH, DATABASE_URL: databaseUrl, PARTITA_ENVIRONMENT: 'test' }
  const migrating = fork(MAIN, ['migrate'], { stdio: 'ignore', env })
  expect(await exitOf(migrating)).toBe(0)
  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  await admin.query(
    `create role serves login password 'serves'; grant partita_app, partita_system to serves with inherit false, set true`,
  )
  await admin.end()
  const login = new URL(databaseUrl)
  login.username = 'serves'
  login.password = 'serves'
  const { child, url } = await start({ DATABASE_URL: login.href })
  const exited = exitOf(child)
  const answer = await fetch(`${url}/v2/organization`, { headers: { authorization } })
  expect(answer.status).toBe(200)
  expect(await checkDatabaseSafety(login.href, 'production')).toEqual([])
  child.kill('SIGTERM')
  child.kill('SIGTERM') // Ctrl-C twice
  expect(await exited).toBe(0)
})

/** What the process logged, one object a line. */
const linesOf = (output: string) =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('a worker has probes and metrics of its own, and its passes tell how they go', async () => {
  const { child, url, output } = await start({ RAILS_URL: 'http://127.0.0.1:1' }, 'worker')
  const exited = exitOf(child)
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready' })
  expect((await fetch(`${url}/v2/organization`, { headers: { authorization } })).status).toBe(404)
  const metrics = async () => (await fetch(`${url}/metrics`)).text()
  await vi.waitFor(
    async () => expect(await metrics()).toMatch(/partita_pass_failures_total{pass="payments.[a-z_]+"} [1-9]/),
    10_000,
  )
  const told = await metrics()
  expect(told).toMatch(/partita_pass_runs_total{pass="payments.submit"} [1-9]/)
  expect(told).toMatch(/partita_pass_seconds_since_success{pass="payments.submit"} \d/)
  expect(told).toContain('partita_pass_items_stuck{pass="payments.submit"} 0')
  expect(told).toContain('partita_pass_items_waiting{pass="payments.submit"} 0')
  await vi.waitFor(async () => expect(await metrics()).toContain('partita_outbox_lag_seconds 0'), 10_000) // what waited has left
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
  const failures = linesOf(output()).filter((line) => line.message === 'a pass failed and will try again')
  expect(failures.map((line) => line['error.message'])).toEqual([expect.stringContaining('the rail cannot be reached')])
})

test('a worker whose database is away is alive and not ready, and ready again when it is back', async () => {
  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  await admin.query(
    `create role works login password 'works'; grant partita_app, partita_system to works with inherit false, set true`,
  )
  const login = new URL(databaseUrl)
  login.username = 'works'
  login.password = 'works'
  const { child, url, output } = await start({ DATABASE_URL: login.href }, 'worker')
  const exited = exitOf(child)
  const readiness = async () => (await fetch(`${url}/readyz`)).status
  expect(await readiness()).toBe(200)
  await admin.query(`alter role works nologin`)
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'works'`)
  await vi.waitFor(async () => expect(await readiness()).toBe(503), 10_000)
  await vi.waitFor(() => expect(output()).toContain('"event.action":"events.relay"'), 10_000) // a pass has come to feel it
  expect((await fetch(`${url}/livez`)).status).toBe(200)
  expect((await fetch(`${url}/metrics`)).status).toBe(200)
  await admin.query(`alter role works login`)
  await vi.waitFor(async () => expect(await readiness()).toBe(200), 10_000)
  await vi.waitFor(() => expect(output()).toContain('"message":"a pass works again"'), 10_000)
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
  await admin.end()
})

test('a transfer that a worker cannot write is a case that a person sees, mends and takes up again', async () => {
  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  const id = newId<'credit_transfer'>()
  await admin.query(
    `insert into payments.credit_transfer (id, organization_id, debtor_account_id, book_id, ledger_account_id, debtor_name, debtor_iban, creditor_name,
       creditor_iban, amount_minor, currency, end_to_end_id, transaction_id, uetr, requested_execution_date, status, feed_transaction_id, created_at, updated_at)
     values ($1, gen_random_uuid(), gen_random_uuid(), 1, gen_random_uuid(), 'Ada', 'FR7630006000011234567890189', 'Bob', 'DE89370400440532013000', 1, 'EUR',
       'INV//204', 'TX-1', gen_random_uuid(), '2026-01-05', 'pending', gen_random_uuid(), now(), now())`,
    [id],
  )
  const { child, url, output } = await start({ RAILS_URL: 'http://127.0.0.1:1' }, 'worker')
  const exited = exitOf(child)
  const stuck = async () => expect(await (await fetch(`${url}/metrics`)).text()).toContain('partita_pass_items_stuck{pass="payments.submit"} 1') // biome-ignore format: one thought
  await vi.waitFor(stuck, 30_000)
  const worker = (...args: string[]) => run(['worker', ...args], { DATABASE_URL: databaseUrl })

  const told = JSON.parse((await worker('status', '--json')).out)
  expect(told.cases).toMatchObject([
    { pass: 'payments.submit', item: id, subject: { kind: 'credit_transfer', id }, state: 'stuck', attempts: 3 },
  ])
  expect(told.cases[0].reason).toMatch(/^Bug: .*slash/)
  expect(told.passes).toContainEqual(
    expect.objectContaining({ pass: 'payments.submit', process: expect.stringContaining(String(child.pid)), silent: false }),
  )
  // A process tells every five seconds.
  await vi.waitFor(async () => {
    const { out, code } = await worker('status')
    expect(code).toBe(0)
    expect(out).toMatch(/payments\.submit +\d+ s ago/)
    expect(out).toMatch(/FAILS since .*the rail cannot be reached/)
    expect(out).toContain(`item ${id}, about credit_transfer ${id}`)
  }, 20_000)
  expect(linesOf(output())).toContainEqual(
    expect.objectContaining({ message: 'an item of a pass is stuck and waits for a person', 'partita.item': id }),
  )

  await admin.query(`update payments.credit_transfer set end_to_end_id = 'INV-204' where id = $1`, [id])
  const number = String(told.cases[0].case)
  expect(await worker('retry', number)).toMatchObject({
    code: 0,
    out: `case ${number}: payments.submit takes up ${id} again\n`,
  })
  const status = async () => (await admin.query('select status from payments.credit_transfer where id = $1', [id])).rows[0].status
  await vi.waitFor(async () => expect(await status()).toBe('submitted'), 10_000)
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
  await admin.end()

  // What a person can get wrong is said.
  expect((await worker('retry', number)).code).toBe(1)
  expect((await worker('retry', '--pass', 'payments.submit')).said).toContain('nothing fails in payments.submit')
  expect((await worker('close', number, '--because', 'paid by hand')).said).toContain(`there is no open case ${number}`)
  for (const wrong of [['retry'], ['retry', 'x'], ['retry', '1', '--pass', 'payments.submit'], ['close', '1'], []])
    expect(await worker(...wrong)).toMatchObject({ code: 2 })
})
