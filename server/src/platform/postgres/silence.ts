import pg from 'pg'

const LOOK_MS = 500
/** A look that takes longer tells nothing but that the database is silent, or busy. */
const LOOK_MS_MAX = 500

/** What `pg` keeps of a connection and does not declare. */
type Inside = {
  readonly processID: number
  readonly connection: { readonly stream: { destroy(): void } }
  _getActiveQuery(): unknown
}

type Lease = {
  readonly client: pg.PoolClient
  readonly deadline: number
  /** The statement that was unanswered at the last look, since how many looks, and how often the database said that it has none. */
  statement: unknown
  looks: number
  denials: number
}

/**
 * Watches the connections in use, so that none is waited for in vain. One whose deadline is over is cut. One that has been without an answer
 * for long is asked about on another connection: when the database says that it is not working on a statement there, question or answer were
 * lost on the way (a network that swallows packets closes nothing), and it is cut as well. Nothing of this costs a statement anything.
 */
export class SilenceWatch {
  readonly #url: string
  readonly #leases = new Map<pg.PoolClient, Lease>()
  readonly #timer: NodeJS.Timeout
  #witness: pg.Client | undefined
  #isLooking = false

  constructor(url: string) {
    this.#url = url
    this.#timer = setInterval(() => void this.#look(), LOOK_MS).unref()
  }

  /** @param deadline in `performance.now()`. */
  begin(client: pg.PoolClient, deadline: number): void {
    this.#leases.set(client, { client, deadline, statement: undefined, looks: 0, denials: 0 })
  }

  end(client: pg.PoolClient): void {
    this.#leases.delete(client)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#dismiss()
  }

  async #look(): Promise<void> {
    const now = performance.now()
    const silent: Lease[] = []
    for (const lease of this.#leases.values()) {
      if (now > lease.deadline) cut(lease.client)
      else if (isUnanswered(lease)) silent.push(lease)
    }
    if (silent.length === 0) return this.#dismiss()
    if (this.#isLooking) return
    this.#isLooking = true
    await this.#ask(silent).catch(() => this.#dismiss())
    this.#isLooking = false
  }

  async #ask(silent: readonly Lease[]): Promise<void> {
    const statements = silent.map(({ statement }) => statement)
    const witness = this.#witness ?? (await this.#summon())
    const { rows } = await witness.query<{ pid: number }>(
      `select pid from pg_stat_activity where pid = any($1) and state in ('idle', 'idle in transaction', 'idle in transaction (aborted)')`,
      [silent.map(({ client }) => inside(client).processID)],
    )
    const idle = new Set(rows.map(({ pid }) => pid))
    for (const [index, lease] of silent.entries()) {
      const { client, statement } = lease
      if (statement !== statements[index] || inside(client)._getActiveQuery() !== statement) continue
      lease.denials = idle.has(inside(client).processID) ? lease.denials + 1 : 0
      // Once proves nothing: the answer may have been on its way.
      if (lease.denials > 1 && this.#leases.get(client) === lease) cut(client)
    }
  }

  /** As the login itself: the roles that we become may not see what others do. */
  async #summon(): Promise<pg.Client> {
    const witness = new pg.Client({
      connectionString: this.#url,
      application_name: 'partita silence watch',
      connectionTimeoutMillis: LOOK_MS_MAX,
      query_timeout: LOOK_MS_MAX,
    })
    this.#witness = witness
    witness.on('error', () => {})
    await witness.connect()
    return witness
  }

  #dismiss(): void {
    const witness = this.#witness
    this.#witness = undefined
    if (witness) cut(witness)
  }
}

/** Whether the same statement has been in flight since the look before the last. */
function isUnanswered(lease: Lease): boolean {
  const statement = inside(lease.client)._getActiveQuery() ?? undefined
  lease.looks = statement !== undefined && statement === lease.statement ? lease.looks + 1 : 0
  if (lease.looks === 0) lease.denials = 0
  lease.statement = statement
  return lease.looks > 0
}

const inside = (client: pg.Client | pg.PoolClient): Inside => client as unknown as Inside

/** Without a farewell, which nobody would hear: its statements fail at once, and the pool makes another. */
const cut = (client: pg.Client | pg.PoolClient): void => inside(client).connection.stream.destroy()
