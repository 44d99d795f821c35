import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { startTestCluster } from '../support/cluster.ts'
import { figure } from '../support/figures.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const CONNECTIONS = Number(process.env.PARTITA_TEST_CONNECTIONS ?? '3000')
const CLIENTS = 2
const PROBES = 200

/** A process that opens connections and says nothing; those that are closed it opens again, as somebody would who means it. */
const SILENT_CLIENT = `
  const { connect } = require('node:net')
  const [port, count] = process.argv.slice(1).map(Number)
  let opened = 0
  const open = () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => { if (++opened === count) console.log('all open') })
    socket.on('error', () => {})
    socket.on('close', () => setTimeout(open, 1000))
  }
  let started = 0
  const timer = setInterval(() => { for (let i = 0; i < 200 && started < count; i++, started++) open(); if (started === count) clearInterval(timer) }, 20)
`

let cluster: Awaited<ReturnType<typeof startTestCluster>>
let server: ChildProcess
let port: number
const clients: ChildProcess[] = []

beforeAll(async () => {
  cluster = await startTestCluster({ fsync: 'on', full_page_writes: 'on' })
  await migrate(cluster.adminUrl, partita.migrations())
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: cluster.adminUrl,
    PARTITA_PORT: '0',
    PARTITA_ENVIRONMENT: 'test',
    PARTITA_LOG_LEVEL: 'error',
  }
  server = fork(MAIN, ['api'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env })
  const [ready] = (await once(server, 'message')) as [{ url: string }]
  port = Number(new URL(ready.url).port)
})
afterAll(async () => {
  for (const client of clients) client.kill('SIGKILL')
  server.kill('SIGTERM')
  await once(server, 'exit')
  await cluster.remove()
})

/** One request on a connection of its own. @returns its status, 0 when it was not answered, and how long it took. */
const ask = (path: string): Promise<{ status: number; milliseconds: number }> =>
  new Promise((resolve) => {
    const startedAt = performance.now()
    const answered = (status: number) => resolve({ status, milliseconds: performance.now() - startedAt })
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`))
    socket.once('data', (chunk) => answered(Number(String(chunk).slice(9, 12))))
    socket.on('error', () => {})
    socket.on('close', () => answered(0))
  })

test(`${CONNECTIONS} silent connections leave the health check and a fresh client served`, async () => {
  for (let n = 0; n < CLIENTS; n++) {
    const args = ['-e', SILENT_CLIENT, String(port), String(Math.ceil(CONNECTIONS / CLIENTS))]
    const client = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    clients.push(client)
    await once(createInterface({ input: client.stdout }), 'line')
  }
  const probes = []
  for (let n = 0; n < PROBES; n++) probes.push(await ask(n % 2 === 0 ? '/livez' : '/v2/organization'))
  const latencies = probes.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
  const p99 = Math.round(latencies[Math.floor(PROBES * 0.99)] ?? 0)
  figure('connections', CONNECTIONS)
  figure('p99_ms', p99)
  // Without a credential the fresh client is told so: it was served.
  expect(probes.map(({ status }) => status).filter((status) => status !== 200 && status !== 401)).toEqual([])
  expect(p99).toBeLessThan(1_000)
})
