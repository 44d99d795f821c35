import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { Bank } from '../../src/bank.ts'
import { MODULES } from '../../src/modules.ts'
import type { HttpServer } from '../../src/platform/http/server.ts'
import { createMetrics } from '../../src/platform/metrics.ts'
import type { World } from '../../src/platform/module.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { Wakeups } from '../../src/platform/wake.ts'
import { verifyBank } from '../../src/verify.ts'
import { startWorker, type Worker } from '../../src/worker.ts'
import { createDemoDatabase, type DemoDatabase, testWorld } from '../support/demo.ts'

// A module made from nothing: its folder beside this file, and the one line below. Everything else must follow.
const LINE = { name: 'greeting', mayCall: [], load: () => import('./greeting/module.ts') } as const

let db: DemoDatabase
let bank: Bank
let world: World
let server: HttpServer
let worker: Worker
let wakeups: Wakeups

beforeAll(async () => {
  db = await createDemoDatabase()
  bank = await Bank.of([...MODULES, LINE])
  await migrate(db.adminUrl, bank.migrations())
  const plain = await testWorld(db)
  const loaded = bank.configure({ DATABASE_URL: db.url, PARTITA_ENVIRONMENT: 'test', PARTITA_GREETING: 'bonjour' })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  world = { ...plain, config: loaded.config }
  const parts = bank.parts(world)
  for (const { gauges = [] } of parts) for (const { name, help, read } of gauges) world.metrics.gauge(name, help, read)
  server = await buildApp(world, { parts, permissions: bank.permissions })
  wakeups = new Wakeups({ database: world.database, url: db.url, logger: world.logger, isListening: true })
  worker = startWorker(world, parts, wakeups)
})
afterAll(async () => {
  await worker.stop()
  await wakeups.stop()
  await server.close()
  await db.drop()
})

const say = (words: string, headers: Record<string, string> = {}) =>
  server.app.inject({
    method: 'POST',
    url: '/v2/greetings',
    headers: { authorization: `${db.demo.organizationSlug}:${db.demo.secretKey}`, ...headers },
    payload: { words },
  })
const greetings = async () =>
  (await db.admin.query('select words, is_heard, is_answered from greeting.greeting order by id')).rows

test('a folder and a line give it its route, behind authentication and with idempotency', async () => {
  expect((await server.app.inject({ method: 'POST', url: '/v2/greetings', payload: { words: 'x' } })).statusCode).toBe(401)
  const first = await say('good day', { 'x-qonto-idempotency-key': 'one' })
  expect([first.statusCode, (await say('good day', { 'x-qonto-idempotency-key': 'one' })).json()]).toEqual([200, first.json()])
  expect(await greetings()).toHaveLength(1)
})

test('its setting, its pass and its consumer', async () => {
  await expect.poll(greetings, { timeout: 20_000 }).toEqual([{ words: 'good day bonjour', is_heard: true, is_answered: true }])
})

test('its gauge, and what is measured of its pass and consumer', async () => {
  await expect
    .poll(async () => (await world.metrics.expose()).body, { timeout: 20_000 })
    .toMatch(/partita_consumer_lag\{consumer="greeting.listen"\} 0/)
  const { body } = await world.metrics.expose()
  expect(body).toContain('partita_greetings_words 7')
  expect(body).toMatch(/partita_pass_done_total\{pass="greeting.answer"\} 1/)
})

test('its check, which is seen to fail', async () => {
  const checkOf = async () =>
    (await verifyBank(db.database, bank.modules)).checks.find(({ name }) => name === 'guests_are_polite')
  expect(await checkOf()).toMatchObject({ violations: 0 })
  await db.admin.query(`update greeting.greeting set words = 'damn'`)
  expect(await checkOf()).toMatchObject({ violations: 1 })
})

test('without its line nothing of it is there', async () => {
  const without = await Bank.of(MODULES)
  expect(without.modules.map(({ name }) => name)).not.toContain('greeting')
  expect(without.configure({ DATABASE_URL: db.url, PARTITA_GREETING: 'bonjour' })).toMatchObject({ ok: false })
  const app = await buildApp(
    { ...world, metrics: createMetrics({ process: false }) },
    { parts: without.parts(world), permissions: without.permissions },
  )
  const authorization = `${db.demo.organizationSlug}:${db.demo.secretKey}`
  const answer = await app.app.inject({ method: 'POST', url: '/v2/greetings', headers: { authorization }, payload: {} })
  expect(answer.statusCode).toBe(404)
  await app.close()
})
