import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { PlatformUnavailable } from '../errors.ts'
import { Database } from './database.ts'

/** A network between us and the database that can begin to swallow everything, without closing anything. */
class Network {
  isSilent = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(socketPath: string) {
    this.#server = createServer((near) => {
      const far = connect(socketPath)
      const pass = (from: Socket, to: Socket) => {
        this.#sockets.add(from)
        from.on('data', (bytes) => this.isSilent || to.write(bytes)).on('error', () => {})
        from.on('close', () => to.destroy())
      }
      pass(near, far)
      pass(far, near)
    })
  }

  async open(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return (this.#server.address() as { port: number }).port
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

let test_: TestDatabase
let network: Network
let url: URL
beforeAll(async () => {
  test_ = await createTestDatabase()
  url = new URL(test_.url)
  network = new Network(`${url.searchParams.get('host')}/.s.PGSQL.${url.port}`)
  url.port = String(await network.open())
  url.hostname = '127.0.0.1'
  url.searchParams.delete('host')
})
afterAll(async () => {
  network.close()
  await test_.drop()
})

const open = () =>
  new Database({ url: url.href, applicationName: 'silence', poolSize: 1, statementTimeoutMs: 100, acquireTimeoutMs: 1_000 })

test('a database that falls silent on an open connection is unavailable, not waited for, and is used again when it answers', async () => {
  const database = open()
  const ask = () => database.read(testActor, (tx) => tx.rows<{ one: number }>`select 1 as one`)
  expect(await ask()).toEqual([{ one: 1 }])
  network.isSilent = true
  await expect(ask()).rejects.toThrow('the database connection was lost')
  network.isSilent = false
  expect(await ask()).toEqual([{ one: 1 }])
  await database.close()
})

test('a connection that nobody answers does not keep its place in the pool, and readiness says no in time', async () => {
  const database = open()
  network.isSilent = true
  const askedAt = performance.now()
  expect(await database.answersWithin(50)).toBe(false)
  expect(performance.now() - askedAt).toBeLessThan(1_000)
  await expect(database.read(testActor, async () => 1)).rejects.toBeInstanceOf(PlatformUnavailable)
  network.isSilent = false
  while (!(await database.answersWithin(1_000)));
  await database.close()
}, 10_000)
