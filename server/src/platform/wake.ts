import pg from 'pg'
import type { Logger } from './logging.ts'
import type { Database } from './postgres/database.ts'

const PG_CHANNEL = 'partita_wake'

export type WakeupsOptions = {
  readonly database: Database
  /** Where to listen and tell: the database's own URL. */
  readonly url: string
  readonly logger: Logger
  /** Whether others may wake us; a process that only wakes need not listen. */
  readonly isListening: boolean
  /** Pause after telling the other processes, in ms, default 20: what is woken meanwhile goes out together. */
  readonly tellEveryMs?: number
}

const TELL_EVERY_MS = 20
const RECONNECT_MS = 1_000
const RECONNECT_MS_MAX = 10_000
// PostgreSQL takes payloads below 8,000 bytes.
const PAYLOAD_LENGTH_MAX = 4_000

/**
 * Tells whoever waits for work that there is some: `tx.wake(channel)` reaches listeners in this process as soon as it is committed, and
 * those of other processes by a notification of PostgreSQL's. That is sent outside the transaction that did the work, many channels at once: a
 * NOTIFY makes commits of the whole database queue behind one lock.
 *
 * A wake may be lost (a connection breaks) and may come for nothing. Whoever waits must look by himself now and then.
 */
export class Wakeups {
  readonly #options: WakeupsOptions
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #stopWatching: () => void
  #client: pg.Client | undefined
  #connecting: Promise<void> | undefined
  #untold = new Set<string>()
  #telling: NodeJS.Timeout | undefined
  #reconnecting: NodeJS.Timeout | undefined
  #failures = 0
  #isStopped = false

  constructor(options: WakeupsOptions) {
    this.#options = options
    this.#stopWatching = options.database.onWake((channel) => this.wake(channel))
    if (options.isListening) void this.#connect()
  }

  /** Calls `listener` whenever the channel is woken, by anybody. @returns how to stop it. */
  on(channel: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  /** Wakes here at once, and elsewhere soon. */
  wake(channel: string): void {
    this.#call(channel)
    if (this.#isStopped) return
    this.#untold.add(channel)
    this.#telling ??= setTimeout(() => this.#tell(), 0)
  }

  /** Tells what is still untold, and ends. */
  async stop(): Promise<void> {
    this.#stopWatching()
    clearTimeout(this.#telling)
    await this.#send().catch(() => {})
    this.#isStopped = true
    clearTimeout(this.#telling)
    clearTimeout(this.#reconnecting)
    await this.#client?.end().catch(() => {})
  }

  #call(channel: string): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener()
  }

  #tell(): void {
    void this.#send()
      .catch((error) => this.#options.logger.debug('other processes could not be woken', { 'error.message': String(error) }))
      .finally(() => {
        if (this.#isStopped) return
        const again = () => {
          this.#telling = undefined
          if (this.#untold.size > 0) this.#tell()
        }
        this.#telling = setTimeout(again, this.#options.tellEveryMs ?? TELL_EVERY_MS)
      })
  }

  async #send(): Promise<void> {
    if (this.#untold.size === 0) return
    const channels = [...this.#untold].join(' ')
    this.#untold = new Set()
    if (channels.length > PAYLOAD_LENGTH_MAX) throw new Error('too many channels at once')
    if (!this.#client) await this.#connect()
    await this.#client?.query('select pg_notify($1, $2)', [PG_CHANNEL, channels])
  }

  /** A connection of its own, for listening and telling: nothing on it needs to outlive a crash, so it waits for no disk. */
  #connect(): Promise<void> {
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #open(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: 'partita wake',
      options: '-c synchronous_commit=off',
      keepAlive: true,
    })
    client.on('error', () => {}) // 'end' follows
    client.on('end', () => this.#lost(client))
    client.on('notification', ({ payload, processId }) => {
      if (processId === ownProcessId(client)) return // our own listeners have been told
      for (const channel of (payload ?? '').split(' ')) this.#call(channel)
    })
    try {
      await client.connect()
      if (this.#options.isListening) await client.query(`listen ${PG_CHANNEL}`)
      if (this.#isStopped) return void (await client.end())
      this.#client = client
      this.#failures = 0
      // What was woken while nobody listened is found by looking.
      if (this.#options.isListening) for (const channel of this.#listeners.keys()) this.#call(channel)
    } catch (error) {
      this.#options.logger.debug('no connection for wake-ups', { 'error.message': String(error) })
      client.end().catch(() => {})
      this.#lost(client)
    }
  }

  #lost(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined
    if (this.#isStopped || !this.#options.isListening) return
    this.#failures++
    const pauseMs = Math.min(RECONNECT_MS_MAX, RECONNECT_MS * 2 ** Math.min(this.#failures - 1, 4))
    clearTimeout(this.#reconnecting)
    this.#reconnecting = setTimeout(() => void this.#connect(), pauseMs)
  }
}

const ownProcessId = (client: pg.Client): number | null => (client as pg.Client & { processID: number | null }).processID
