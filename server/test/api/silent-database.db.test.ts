import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { partita } from '../../src/bank.ts'
import type { HttpServer } from '../../src/platform/http/server.ts'
import { Database } from '../../src/platform/postgres/database.ts'
import type { EmbeddedServer } from '../../src/platform/postgres/embedded.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { findProcesses, parentOf } from '../../src/platform/processes.ts'
import { type SeededCompany, seedDemo } from '../../src/seed.ts'
import { startTestCluster } from '../support/cluster.ts'
import { testWorld } from '../support/demo.ts'
import { Network } from '../support/network.ts'

const BUDGET_MS = 1_500
/** What this machine may need on top while other tests run. */
const SLACK_MS = 2_000

// A PostgreSQL of its own: it is frozen.
let cluster: EmbeddedServer
let network: Network
let database: Database
let server: HttpServer
let demo: SeededCompany
beforeAll(async () => {
  cluster = await startTestCluster()
  const password = new URL(cluster.adminUrl).password
  await migrate(cluster.adminUrl, partita.migrations(), { loginPassword: password })
  const login = new URL(cluster.adminUrl)
  login.username = 'partita'
  network = new Network(login.href)
  const url = await network.open()
  database = new Database({ url, applicationName: 'silent database', poolSize: 4 })
  const world = await testWorld({ url, database }, { PARTITA_REQUEST_MS: String(BUDGET_MS) })
  demo = await seedDemo(world)
  server = await buildApp(
    world,
    { parts: partita.parts(world), permissions: partita.permissions },
    { credentialCacheMs: 5 * 60_000 },
  )
}, 120_000)
afterAll(async () => {
  thaw()
  network.isSilent = false
  await server.close()
  await database.close()
  network.close()
  await cluster.remove()
})

const all = () => findProcesses((pid) => pid === cluster.pid || parentOf(pid) === cluster.pid)
const tellAll = (signal: NodeJS.Signals) => {
  for (const { pid } of all()) process.kill(pid, signal)
}
const freeze = () => tellAll('SIGSTOP')
const thaw = () => tellAll('SIGCONT')

type Timed = { status: number; detail: string | undefined; retryAfter: unknown; body: Record<string, never>; ms: number }

async function send(method: 'GET' | 'POST', url: string, body?: object, key?: string): Promise<Timed> {
  const from = performance.now()
  const answer = await server.app.inject({
    method,
    url,
    headers: {
      authorization: `${demo.organizationSlug}:${demo.secretKey}`,
      ...(key !== undefined && { 'x-qonto-idempotency-key': key }),
    },
    ...(body && { payload: body }),
  })
  const parsed = answer.json()
  return {
    status: answer.statusCode,
    detail: parsed.errors?.[0]?.detail,
    retryAfter: answer.headers['retry-after'],
    body: parsed,
    ms: performance.now() - from,
  }
}

const look = () => send('GET', '/v2/organization')
const pay = (key: string) =>
  send(
    'POST',
    '/v2/internal_transfers',
    {
      internal_transfer: {
        debit_iban: demo.accounts[0]?.iban,
        credit_iban: demo.accounts[1]?.iban,
        reference: key,
        amount: '1.50',
        currency: 'EUR',
      },
    },
    key,
  )
const balance = async (): Promise<number> => {
  const id = demo.accounts[0]?.id
  const [row] = await database.read(
    { kind: 'system', as: 'test.all' },
    (tx) =>
      tx.rows<{ balance: bigint }>`
      select l.balance from ledger.account l join accounts.bank_account b on b.ledger_account_id = l.id where b.id = ${id}`,
  )
  return Number(row?.balance)
}

/** Asks until everything is served again. @returns how long that took. */
async function wholeAgain(): Promise<number> {
  const from = performance.now()
  for (;;) {
    const answers = await Promise.all([...Array.from({ length: 6 }, look), pay(`whole ${performance.now()}`)])
    if (answers.every(({ status }) => status === 200)) return performance.now() - from
  }
}

test.each<[string, () => void, () => void]>([
  ['frozen', freeze, thaw],
  [
    'behind a network that swallows everything',
    () => {
      network.isSilent = true
    },
    () => {
      network.isSilent = false
    },
  ],
])(
  'a database that is %s: 503 in time, the outcome unknown, one effect per key, and whole again at once',
  async (how, fallSilent, speak) => {
    expect(await look()).toMatchObject({ status: 200 })
    expect(await pay(`before, ${how}`)).toMatchObject({ status: 200 })
    const before = await balance()
    fallSilent()
    const key = `meanwhile, ${how}`
    const [first, again, ...reads] = await Promise.all([pay(key), pay(key), ...Array.from({ length: 8 }, look)])
    const late = await pay(key)
    for (const write of [first, again, late]) {
      expect(write).toMatchObject({ status: 503, retryAfter: '1', detail: expect.stringContaining('not known') })
      expect(write.ms).toBeLessThan(BUDGET_MS + SLACK_MS)
    }
    for (const read of reads) {
      expect(read).toMatchObject({ status: 503, detail: 'The service is temporarily unavailable. Please try again.' })
      expect(read.ms).toBeLessThan(BUDGET_MS + SLACK_MS)
    }
    // Those that found no connection were told so within a second.
    expect(Math.min(...reads.map(({ ms }) => ms))).toBeLessThan(BUDGET_MS)

    speak()
    expect(await wholeAgain()).toBeLessThan(2_000 + SLACK_MS)
    const [one, two] = await Promise.all([pay(key), pay(key)])
    expect(one.status).toBe(200)
    expect(two.body).toEqual(one.body)
    const whole = await database.read(
      { kind: 'system', as: 'test.all' },
      (tx) =>
        tx.one<{ n: number }>`select count(*)::int as n from payments.internal_transfer where remittance_information = ${key}`,
    )
    expect(whole.n).toBe(1)
    expect((before - (await balance())) % 150).toBe(0)
  },
  60_000,
)
