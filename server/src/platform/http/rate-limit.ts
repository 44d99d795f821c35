import type { RateLimitConfig } from '../config.ts'

/** One client's counters. Windows are fixed: they start with the first request after the last window ended. */
type Counters = {
  tenSeconds: number
  tenSecondsEnd: number
  tenMinutes: number
  tenMinutesEnd: number
  unauthorized: number
  unauthorizedEnd: number
}

const TEN_SECONDS = 10_000
const TEN_MINUTES = 600_000
const HOUR = 3_600_000
/** Addresses remembered before old ones are swept: about 100 bytes each. */
const CLIENTS_MAX = 100_000

/**
 * Counts requests per client address (qonto-api.md §7), per process: with several replicas an address may get as many times more.
 * Time is the process's own, passed in: the bank's clock can be moved, and must not forgive anybody.
 */
export class RateLimiter {
  readonly #limits: RateLimitConfig
  readonly #clients = new Map<string, Counters>()

  constructor(limits: RateLimitConfig) {
    this.#limits = limits
  }

  /** Counts one request. @returns undefined when it may pass, else the seconds until the next one may. */
  take(address: string, nowMs: number): number | undefined {
    const { per10Seconds, per10Minutes, unauthorizedPerHour } = this.#limits
    if (per10Seconds === 0 && per10Minutes === 0 && unauthorizedPerHour === 0) return undefined
    const client = this.#countersOf(address, nowMs)
    if (nowMs >= client.tenSecondsEnd) {
      client.tenSeconds = 0
      client.tenSecondsEnd = nowMs + TEN_SECONDS
    }
    if (nowMs >= client.tenMinutesEnd) {
      client.tenMinutes = 0
      client.tenMinutesEnd = nowMs + TEN_MINUTES
    }
    if (nowMs >= client.unauthorizedEnd) client.unauthorized = 0
    client.tenSeconds++
    client.tenMinutes++
    const until = Math.max(
      unauthorizedPerHour > 0 && client.unauthorized > unauthorizedPerHour ? client.unauthorizedEnd : 0,
      per10Minutes > 0 && client.tenMinutes > per10Minutes ? client.tenMinutesEnd : 0,
      per10Seconds > 0 && client.tenSeconds > per10Seconds ? client.tenSecondsEnd : 0,
    )
    return until === 0 ? undefined : Math.max(1, Math.ceil((until - nowMs) / 1_000))
  }

  /** Counts an answer of 401. */
  countUnauthorized(address: string, nowMs: number): void {
    if (this.#limits.unauthorizedPerHour === 0) return
    const client = this.#countersOf(address, nowMs)
    if (nowMs >= client.unauthorizedEnd) {
      client.unauthorized = 0
      client.unauthorizedEnd = nowMs + HOUR
    }
    client.unauthorized++
  }

  #countersOf(address: string, nowMs: number): Counters {
    const key = networkOf(address)
    let client = this.#clients.get(key)
    if (!client) {
      if (this.#clients.size >= CLIENTS_MAX) this.#sweep(nowMs)
      client = { tenSeconds: 0, tenSecondsEnd: 0, tenMinutes: 0, tenMinutesEnd: 0, unauthorized: 0, unauthorizedEnd: 0 }
      this.#clients.set(key, client)
    }
    return client
  }

  #sweep(nowMs: number): void {
    for (const [key, client] of this.#clients) {
      if (nowMs >= client.tenMinutesEnd && nowMs >= client.unauthorizedEnd) this.#clients.delete(key)
    }
    // Everybody is recent: forget the longest known rather than grow without end.
    for (const key of this.#clients.keys()) {
      if (this.#clients.size < CLIENTS_MAX) break
      this.#clients.delete(key)
    }
  }
}

/** A household or server is given a whole IPv6 /64, so that is what counts as one client. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  if (address.startsWith('::ffff:')) return address.slice(7)
  const [head = '', tail = ''] = address.split('::')
  const groups = head.split(':')
  const missing = 8 - groups.length - tail.split(':').filter((g) => g !== '').length
  return [...groups, ...new Array(Math.max(0, missing)).fill('0')].slice(0, 4).join(':')
}
