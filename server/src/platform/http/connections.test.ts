import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { guardConnections } from './connections.ts'

const servers: Server[] = []
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

async function serve(limits: { max?: number; perAddress?: number; trustedProxies?: string[] }, now = () => 0) {
  let arrived = () => {}
  const server = createServer((request, answer) => {
    if (request.url !== '/held') answer.end('ok')
    else arrived()
  })
  servers.push(server)
  const guard = guardConnections(server, { max: 0, perAddress: 0, trustedProxies: [], ...limits }, now)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const open = () =>
    new Promise<{ socket: Socket; closed: Promise<void> }>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      const closed = new Promise<void>((gone) => socket.once('close', () => gone()))
      socket.on('error', () => {})
      socket.once('connect', () => server.getConnections(() => resolve({ socket, closed })))
    })
  const isServed = async (): Promise<boolean> => {
    const { socket, closed } = await open()
    socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    return Promise.race([
      new Promise<boolean>((resolve) => socket.once('data', (chunk) => resolve(String(chunk).includes('200 OK')))),
      closed.then(() => false),
    ])
  }
  const hold = async () => {
    const held = await open()
    const request = new Promise<void>((resolve) => {
      arrived = resolve
    })
    held.socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n')
    await request
    return held
  }
  return { guard, open, isServed, hold }
}

test('when all places are taken by silent connections, the longest silent one makes room', async () => {
  const { open, isServed } = await serve({ max: 5 })
  const silent = []
  for (let i = 0; i < 20; i++) silent.push(await open())
  expect(await isServed()).toBe(true)
  await Promise.all(silent.slice(0, 15).map(({ closed }) => closed))
  expect(silent.slice(17).every(({ socket }) => !socket.destroyed)).toBe(true)
})

test('a connection that is being served makes room for nobody', async () => {
  const { hold, isServed } = await serve({ max: 3 })
  const held = [await hold(), await hold(), await hold()]
  expect(await isServed()).toBe(false)
  expect(held.every(({ socket }) => !socket.destroyed)).toBe(true)
})

test('one that waits between two requests makes room when no silent one is left', async () => {
  const { hold, isServed } = await serve({ max: 2 })
  expect(await isServed()).toBe(true)
  await hold()
  expect(await isServed()).toBe(true)
})

test('an address may have a limit of its own, a trusted proxy has none', async () => {
  const limited = await serve({ max: 100, perAddress: 2 })
  await limited.hold()
  await limited.hold()
  expect(await limited.isServed()).toBe(false)
  const proxied = await serve({ max: 100, perAddress: 2, trustedProxies: ['127.0.0.0/8'] })
  await proxied.hold()
  await proxied.hold()
  expect(await proxied.isServed()).toBe(true)
})

test('a connection that says nothing is closed after ten seconds, one that has spoken is not', async () => {
  let time = 0
  const { guard, open, hold } = await serve({ max: 100 }, () => time)
  const silent = await open()
  const speaking = await hold()
  time = 9_999
  guard.sweep()
  expect(silent.socket.destroyed).toBe(false)
  time = 10_000
  guard.sweep()
  await silent.closed
  expect(speaking.socket.destroyed).toBe(false)
})
