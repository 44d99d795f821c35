import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { BlockList, isIPv4, type Socket } from 'node:net'
import type { ConnectionConfig } from '../config.ts'

/** How long a connection may say nothing at all before it is closed. */
const FIRST_BYTE_MS = 10_000
const SWEEP_MS = 1_000

/** Timers that Node keeps itself: from a request's first byte to the end of its head, and how often it looks. */
export const HTTP_TIMERS = { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 } as const

export type ConnectionGuardOptions = ConnectionConfig & {
  /** Addresses and ranges of proxies: everybody comes from them, so no limit per address holds for them. */
  readonly trustedProxies: readonly string[]
}

/**
 * Keeps the door open whoever stands in it: a connection that says nothing costs a file and a place, and anybody can open thousands. When all
 * places are taken, or all of one address, the longest silent connection makes room for the new one; then those that are idle between two
 * requests; only when every one is being served is the new one refused.
 */
export function guardConnections(
  server: Server,
  options: ConnectionGuardOptions,
  now = () => performance.now(),
): { sweep(): void } {
  const max = options.max > 0 ? options.max : halfOfOpenFiles()
  const trusted = blockListOf(options.trustedProxies)
  const open = new Map<Socket, number>()
  // In the order of their arrival. One that has spoken is taken out when it is met.
  const silent = new Map<Socket, number>()
  const byAddress = new Map<string, Set<Socket>>()

  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const same = byAddress.get(address) ?? new Set<Socket>()
    const isLimited = options.perAddress > 0 && !isTrusted(trusted, address)
    if (isLimited && same.size >= options.perAddress && !closeSilent(same) && !closeIdle(same)) return void socket.destroy()
    if (open.size >= max && !closeSilent(silent.keys()) && !closeIdle(open.keys())) return void socket.destroy()
    byAddress.set(address, same.add(socket))
    open.set(socket, now())
    silent.set(socket, now())
    socket.once('close', () => forget(socket, address))
  })

  function forget(socket: Socket, address: string): void {
    open.delete(socket)
    silent.delete(socket)
    const same = byAddress.get(address)
    same?.delete(socket)
    if (same?.size === 0) byAddress.delete(address)
  }

  /** Closes the first of these that never said anything. @returns whether there was one. */
  function closeSilent(sockets: Iterable<Socket>): boolean {
    for (const socket of sockets) {
      if (!silent.has(socket)) continue
      if (socket.bytesRead > 0) silent.delete(socket)
      else return close(socket)
    }
    return false
  }

  /** Closes the first of these that waits between two requests. */
  function closeIdle(sockets: Iterable<Socket>): boolean {
    for (const socket of sockets) if (isIdle(socket)) return close(socket)
    return false
  }

  function close(socket: Socket): boolean {
    forget(socket, socket.remoteAddress ?? '')
    socket.destroy()
    return true
  }

  /** Closes what has been silent for too long. */
  function sweep(): void {
    for (const [socket, since] of silent) {
      if (socket.bytesRead > 0) silent.delete(socket)
      else if (now() - since >= FIRST_BYTE_MS) close(socket)
      else break // the others came later
    }
  }

  const timer = setInterval(sweep, SWEEP_MS)
  timer.unref()
  server.once('close', () => clearInterval(timer))
  return { sweep }
}

/** Node hangs the answer in progress on the connection; between two requests there is none. */
const isIdle = (socket: Socket): boolean => socket.bytesRead > 0 && !(socket as { _httpMessage?: unknown })._httpMessage

function halfOfOpenFiles(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    if (soft !== undefined) return Math.max(64, Math.trunc(Number(soft) / 2))
  } catch {
    // no /proc: the usual limit of a shell
  }
  return 512
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

function isTrusted(list: BlockList, address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
}
