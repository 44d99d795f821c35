import type { RateLimitConfig } from '../config.ts'

const TEN_SECONDS = 10_000
const TEN_MINUTES = 600_000
const HOUR = 3_600_000
/** Addresses remembered, and counts kept of all of them together: some 30 MB at most. */
const CLIENTS_MAX = 100_000
const CELLS_MAX = 1_000_000
/** Into how many cells a window is divided: by so much it may seem longer than it is. */
const CELLS_OF_WINDOW = 100

/**
 * How often something happened within a window that ends now. The window slides in hundredths of its length, and what is on its edge counts:
 * in no stretch of that length is there ever more than was allowed.
 */
class SlidingCount {
  total = 0
  readonly windowMs: number
  // The end of each cell and its count, by turns: a hundred thousand clients have theirs.
  private readonly cells: number[] = []

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  /** @returns whether that took another cell. */
  add(nowMs: number): boolean {
    const cellMs = this.windowMs / CELLS_OF_WINDOW
    const until = Math.ceil(nowMs / cellMs) * cellMs
    const isNew = !((this.cells.at(-2) ?? Number.NEGATIVE_INFINITY) >= until)
    if (isNew) this.cells.push(until, 0)
    this.cells[this.cells.length - 1] = (this.cells.at(-1) as number) + 1
    this.total++
    return isNew
  }

  /** Forgets what the window has left behind. @returns how many cells that freed. */
  slide(nowMs: number): number {
    let end = 0
    while (end < this.cells.length && (this.cells[end] as number) <= nowMs - this.windowMs) {
      this.total -= this.cells[end + 1] as number
      end += 2
    }
    if (end > 0) this.cells.splice(0, end)
    return end / 2
  }

  get size(): number {
    return this.cells.length / 2
  }

  /** When the next leaves the window, so that one more may come. */
  get freeAt(): number {
    return (this.cells[0] ?? 0) + this.windowMs
  }
}

/** One client's counts; few are ever refused, or ask with secrets that nobody knows yet. */
class Client {
  readonly tenSeconds = new SlidingCount(TEN_SECONDS)
  readonly tenMinutes = new SlidingCount(TEN_MINUTES)
  unauthorized: SlidingCount | undefined
  /** Secrets that are being looked up, and may be guesses. */
  guesses: Map<string, Promise<void>> | undefined

  get size(): number {
    return this.tenSeconds.size + this.tenMinutes.size + (this.unauthorized?.size ?? 0)
  }

  slide(nowMs: number): number {
    return this.tenSeconds.slide(nowMs) + this.tenMinutes.slide(nowMs) + (this.unauthorized?.slide(nowMs) ?? 0)
  }
}

/** What is said instead of an answer: the seconds until one may be had. */
export type TooMany = { readonly retryAfterSeconds: number }

/**
 * Counts requests per client address (qonto-api.md §7), per process: with several replicas an address may get as many times more.
 * What passes is counted before anything is done for it, so that no crowd gets past; what is turned away is not counted.
 * Time is the process's own, passed in: the bank's clock can be moved, and must not forgive anybody.
 */
export class RateLimiter {
  readonly #limits: RateLimitConfig
  readonly #clients = new Map<string, Client>()
  #cells = 0

  constructor(limits: RateLimitConfig) {
    this.#limits = limits
  }

  /** Counts one request. @returns undefined when it may pass, else the seconds until the next one may. */
  take(address: string, nowMs: number): number | undefined {
    const { per10Seconds, per10Minutes, unauthorizedPerHour } = this.#limits
    if (per10Seconds === 0 && per10Minutes === 0 && unauthorizedPerHour === 0) return undefined
    const client = this.#clientOf(address, nowMs)
    const { tenSeconds, tenMinutes } = client
    const until = Math.max(
      this.#blockedUntil(client),
      per10Minutes > 0 && tenMinutes.total >= per10Minutes ? tenMinutes.freeAt : 0,
      per10Seconds > 0 && tenSeconds.total >= per10Seconds ? tenSeconds.freeAt : 0,
    )
    if (until > 0) return secondsUntil(until, nowMs)
    if (per10Seconds > 0) this.#add(tenSeconds, nowMs)
    if (per10Minutes > 0) this.#add(tenMinutes, nowMs)
    return undefined
  }

  /** Counts an answer of 401 that is about to be given. @returns undefined when it may be, else the seconds until the next one may. */
  countUnauthorized(address: string, nowMs: number): number | undefined {
    if (this.#limits.unauthorizedPerHour === 0) return undefined
    const client = this.#clientOf(address, nowMs)
    const until = this.#blockedUntil(client)
    if (until > 0) return secondsUntil(until, nowMs)
    client.unauthorized ??= new SlidingCount(HOUR)
    this.#add(client.unauthorized, nowMs)
    return undefined
  }

  /**
   * Looks up a secret that may be a guess. Never are more looked up at once than may be wrong: whoever has the right ones waits a moment for
   * the others, and is never turned away; whoever guesses is, before his secret is looked at. The same secret counts once.
   */
  async lookUp<T>(address: string, secret: string, now: () => number, find: () => Promise<T>): Promise<T | TooMany> {
    const limit = this.#limits.unauthorizedPerHour
    if (limit === 0) return find()
    for (;;) {
      const client = this.#clientOf(address, now())
      const until = this.#blockedUntil(client)
      if (until > 0) return { retryAfterSeconds: secondsUntil(until, now()) }
      client.guesses ??= new Map()
      const { guesses } = client
      if (guesses.has(secret)) return find()
      if ((client.unauthorized?.total ?? 0) + guesses.size <= limit) return await guessing(guesses, secret, find)
      await Promise.race(guesses.values())
    }
  }

  /** 0: it is not. */
  #blockedUntil({ unauthorized }: Client): number {
    const limit = this.#limits.unauthorizedPerHour
    return unauthorized && limit > 0 && unauthorized.total > limit ? unauthorized.freeAt : 0
  }

  #add(count: SlidingCount, nowMs: number): void {
    if (!count.add(nowMs)) return
    this.#cells++
    if (this.#cells >= CELLS_MAX) this.#sweep(nowMs)
  }

  #clientOf(address: string, nowMs: number): Client {
    const key = networkOf(address)
    let client = this.#clients.get(key)
    if (client) this.#cells -= client.slide(nowMs)
    else {
      if (this.#clients.size >= CLIENTS_MAX) this.#sweep(nowMs)
      client = new Client()
      this.#clients.set(key, client)
    }
    return client
  }

  #sweep(nowMs: number): void {
    for (const [key, client] of this.#clients) {
      this.#cells -= client.slide(nowMs)
      if (client.size === 0 && !client.guesses?.size) this.#clients.delete(key)
    }
    // Everybody is recent: forget a tenth, the longest known first, rather than grow without end or look at all of them for every newcomer.
    for (const [key, client] of this.#clients) {
      if (this.#clients.size < CLIENTS_MAX * 0.9 && this.#cells < CELLS_MAX * 0.9) break
      this.#cells -= client.size
      this.#clients.delete(key)
    }
  }
}

async function guessing<T>(guesses: Map<string, Promise<void>>, secret: string, find: () => Promise<T>): Promise<T> {
  const { promise: isAnswered, resolve: answered } = Promise.withResolvers<void>()
  guesses.set(secret, isAnswered)
  try {
    return await find()
  } finally {
    // A turn later: by then a wrong one has been answered, and counts.
    setImmediate(() => {
      guesses.delete(secret)
      answered()
    })
  }
}

const secondsUntil = (until: number, nowMs: number): number => Math.max(1, Math.ceil((until - nowMs) / 1_000))

/** A household or server is given a whole IPv6 /64, so that is what counts as one client. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address
  if (address.startsWith('::ffff:')) return address.slice(7)
  const [head = '', tail = ''] = address.split('::')
  const groups = head.split(':')
  const missing = 8 - groups.length - tail.split(':').filter((g) => g !== '').length
  return [...groups, ...new Array(Math.max(0, missing)).fill('0')].slice(0, 4).join(':')
}
