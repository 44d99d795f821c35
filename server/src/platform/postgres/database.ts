import { createHash } from 'node:crypto'
import pg from 'pg'
import { type Actor, systemActor } from '../actor.ts'
import { assert } from '../assert.ts'
import { answerWithin, presentDeadline, workWithoutDeadline } from '../deadline.ts'
import { PlatformUnavailable, sqlStateOf } from '../errors.ts'
import type { Id } from '../ids.ts'
import { isUtcText } from '../instant-text.ts'
import { type Answer, Pipeline, type Statement } from './pipeline.ts'
import { SilenceWatch } from './silence.ts'

export type ReadOptions = {
  /** All statements see the same moment (repeatable read). */
  readonly snapshot?: boolean
  /**
   * Statements that are asked for at once (`Promise.all`) travel together, and no round trip is spent on beginning and ending. Without a
   * snapshot each such group is a transaction of its own, which loses nothing: read committed sees a new moment with each statement.
   */
  readonly pipelined?: boolean
  /** Looking up a credential has connections of its own, so that guessing secrets never takes one from the money. */
  readonly pool?: 'credentials'
}

/** An open transaction. SQL is a tagged template: every `${value}` becomes a parameter, never text. */
export interface Tx {
  /** All rows, columns named as in SQL. */
  rows<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T[]>
  /** Exactly one row. @throws Bug when there is none or more. */
  one<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T>
  /** One row or none. @throws Bug when there are more. */
  maybe<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T | undefined>
  /** Runs a statement. @returns how many rows it affected. */
  run(sql: TemplateStringsArray, ...values: unknown[]): Promise<number>
  /** Runs a fixed text with `$1` parameters: for compiled Kysely queries and for text that a module keeps in one constant. */
  query<T>(text: string, values?: readonly unknown[]): Promise<T[]>
  /** Says that whoever waits on `channel` has something to do. He is told after the commit, once, and never when it is rolled back. */
  wake(channel: string): void
}

export type DatabaseOptions = {
  /** Connection URL of a login role that may `set role` to `partita_app` and `partita_system`. */
  readonly url: string
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string
  /** Connections per role, default 10. */
  readonly poolSize?: number
  /** How long a caller waits for a connection before it is told that the platform is busy, default 1,000 ms. */
  readonly acquireTimeoutMs?: number
  /** Longest single statement, default 30,000 ms; 0 is no limit (imports, proofs). */
  readonly statementTimeoutMs?: number
  /** Told each channel that a committed transaction woke, once. An error that it throws is a bug that stops the process, and undoes nothing. */
  readonly onWake?: (channel: string) => void
}

const OID_INT8 = 20
const OID_DATE = 1082
const OID_TIMESTAMPTZ = 1184
const OID_INT2_ARRAY = 1005
const OID_INT8_ARRAY = 1016

// int8 arrives as bigint (pg's own default is text), dates stay text: a JavaScript Date would move them by the machine's time zone.
const types = new pg.TypeOverrides()
types.setTypeParser(OID_INT8, (text) => BigInt(text))
types.setTypeParser(OID_DATE, (text) => text)
const parseAnyInstant = pg.types.getTypeParser(OID_TIMESTAMPTZ) as unknown as (text: string) => Date
// Our sessions are in UTC: `2026-03-01 08:00:06.12+00`. What has another form (other zones, years of five digits, infinity) is pg's.
types.setTypeParser(OID_TIMESTAMPTZ, (text) =>
  isUtcText(text) ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : parseAnyInstant(text),
)
types.setTypeParser(OID_INT8_ARRAY, (text) => elementsOf(text).map(BigInt))
types.setTypeParser(OID_INT2_ARRAY, (text) => elementsOf(text).map(Number)) // pg's own reads one character at a time

/** The elements of a one-dimensional array without nulls, as our functions answer them. */
function elementsOf(text: string): string[] {
  return text === '{}' ? [] : text.slice(1, -1).split(',')
}

// Lost connection, shutdown, crash recovery, too many connections, and the socket errors that `pg` raises.
const UNAVAILABLE_STATES = new Set(['57P01', '57P02', '57P03', '08000', '08003', '08006', '53300', '53400'])
const UNAVAILABLE_ERRORS =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|Connection terminated|Client has encountered a connection error|connection is not queryable|Query read timeout|timeout expired/

/** Whether an error says that the database is away, rather than that a statement was wrong. */
export const isConnectionLoss = (error: unknown): boolean =>
  error instanceof PlatformUnavailable ||
  UNAVAILABLE_STATES.has(sqlStateOf(error) ?? '') ||
  (error instanceof Error && UNAVAILABLE_ERRORS.test(`${'code' in error ? error.code : ''} ${error.message}`))

const PROBE = systemActor('platform.probe')

/** Guesses at secrets queue here; a look-up takes well under a millisecond. */
const CREDENTIAL_CONNECTIONS = 2

// A deadlock or another collision, resources, a lock that did not come free, a time limit or an operator's hand, the system below.
const PASSING_STATES = /^(40|53|57|58)|^55P03$/

/** What passes without anybody mending a statement is one kind of failure, whoever called; everything else stays what it is. */
function asFailure(error: unknown): unknown {
  if (error instanceof PlatformUnavailable) return error
  if (isConnectionLoss(error)) return new PlatformUnavailable('the database connection was lost', error)
  return PASSING_STATES.test(sqlStateOf(error) ?? '') ? new PlatformUnavailable('the database gave the work up', error) : error
}

/** Our pools of connections to PostgreSQL: one per role, and one for credentials. */
export class Database {
  readonly #app: pg.Pool
  readonly #system: pg.Pool
  readonly #credentials: pg.Pool
  readonly #acquireTimeoutMs: number
  readonly #watch: SilenceWatch
  readonly #wakers = new Set<(channel: string) => void>()

  constructor(options: DatabaseOptions) {
    this.#app = makePool(options, 'partita_app')
    this.#system = makePool(options, 'partita_system')
    this.#credentials = makePool({ ...options, poolSize: CREDENTIAL_CONNECTIONS }, 'partita_system')
    this.#acquireTimeoutMs = options.acquireTimeoutMs ?? 1_000
    this.#watch = new SilenceWatch(options.url)
    if (options.onWake) this.#wakers.add(options.onWake)
  }

  /** Adds somebody who is told of each woken channel, see `DatabaseOptions.onWake`. @returns how to stop being told. */
  onWake(listener: (channel: string) => void): () => void {
    this.#wakers.add(listener)
    return () => this.#wakers.delete(listener)
  }

  /**
   * Runs `work` in one read-committed transaction and commits it; any error rolls it back and is thrown on. Whose rows it may see follows
   * from the actor: a member's own organization, the organizations that a system or operator actor names, or, where he names none, all.
   * It ends with `presentDeadline`: a connection that has not answered by then is given up.
   * @throws PlatformUnavailable when the database is away, no connection came free in time, or the database gave the transaction up (deadlock,
   *   statement timeout, full disk). After an error in the commit itself
   *   the outcome is unknown: callers repeat with the same key.
   */
  async transaction<T>(actor: Actor, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#run(this.#poolOf(actor), `begin${contextOf(actor)}`, work)
  }

  /** The same for reading only: the database refuses a write. */
  async read<T>(actor: Actor, work: (tx: Tx) => Promise<T>, options: ReadOptions = {}): Promise<T> {
    if (options.pipelined) return this.#pipelined(actor, work, options.snapshot === true)
    const pool = options.pool ? this.#credentials : this.#poolOf(actor)
    const isolation = options.snapshot ? ' isolation level repeatable read' : ''
    return this.#run(pool, `begin${isolation} read only${contextOf(actor)}`, work)
  }

  /**
   * Runs single statements that each commit by themselves, seeing all organizations: one round trip instead of three, for hot paths whose
   * whole effect is one statement. @throws PlatformUnavailable as `transaction` does.
   */
  async autocommit<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.#acquire(this.#system)
    const tx = new ClientTx(client)
    let broken: Error | undefined
    try {
      return await work(tx)
    } catch (error) {
      if (isConnectionLoss(error)) broken = error as Error
      throw asFailure(error)
    } finally {
      this.#release(client, broken)
      this.#tellWakers(tx.woken) // also after an error: what was done before it has been committed
    }
  }

  /** Whether the database answers at all, and soon. */
  async answersWithin(timeoutMs: number): Promise<boolean> {
    const probe = () => this.read(PROBE, (tx) => tx.rows`select 1 as one`)
    return answerWithin(timeoutMs, probe).then(
      () => true,
      () => false,
    )
  }

  /** Connections in use, idle and awaited, for `/metrics` and load shedding. */
  occupancy(): { total: number; idle: number; waiting: number } {
    const pools = [this.#app, this.#system, this.#credentials]
    const sum = (of: (pool: pg.Pool) => number) => pools.reduce((a, pool) => a + of(pool), 0)
    return { total: sum((p) => p.totalCount), idle: sum((p) => p.idleCount), waiting: sum((p) => p.waitingCount) }
  }

  async close(): Promise<void> {
    await Promise.all([this.#app.end(), this.#system.end(), this.#credentials.end()])
    this.#watch.close()
  }

  #poolOf(actor: Actor): pg.Pool {
    return actor.kind === 'member' ? this.#app : this.#system
  }

  #tellWakers(channels: ReadonlySet<string>): void {
    // In a microtask: what a waker throws must not look as if the transaction had failed.
    // What it starts is no part of the request that woke it.
    for (const channel of channels)
      for (const waker of this.#wakers) queueMicrotask(() => workWithoutDeadline(() => waker(channel)))
  }

  async #pipelined<T>(actor: Actor, work: (tx: Tx) => Promise<T>, isSnapshot: boolean): Promise<T> {
    const client = await this.#acquire(this.#poolOf(actor))
    const tx = new PipelinedTx(client, actor, isSnapshot)
    let broken: Error | undefined
    try {
      const value = await work(tx)
      assert(!tx.hasFailed, 'the work ended without an error, but a statement failed: an error inside it was swallowed')
      return value
    } catch (error) {
      if (isConnectionLoss(error)) broken = error as Error
      throw asFailure(error)
    } finally {
      // Nothing was written, so nobody waits for the end of the snapshot.
      if (broken || !tx.isOpen) this.#release(client, broken)
      else
        client.query(tx.hasFailed ? 'rollback' : 'commit').then(
          () => this.#release(client, undefined),
          (error: Error) => this.#release(client, error),
        )
    }
  }

  async #run<T>(pool: pg.Pool, begin: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.#acquire(pool)
    const tx = new ClientTx(client)
    let broken: Error | undefined
    try {
      await client.query(begin)
      const value = await work(tx)
      // A failed statement whose error the work swallowed leaves a transaction that can only end in ROLLBACK, and `commit` says so without an error.
      const { command } = await client.query('commit')
      assert(
        command === 'COMMIT',
        `the work ended without an error, but its transaction with ${command}: an error inside it was swallowed`,
      )
      this.#tellWakers(tx.woken)
      return value
    } catch (error) {
      if (isConnectionLoss(error)) {
        broken = error as Error
        throw asFailure(error)
      }
      await client.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError
      })
      throw asFailure(error)
    } finally {
      this.#release(client, broken)
    }
  }

  #release(client: pg.PoolClient, broken: Error | undefined): void {
    this.#watch.end(client)
    client.release(broken)
  }

  /** pg-pool's own connect timeout can leak the connection it gave up on, so the deadline is ours and a late connection is handed back. */
  async #acquire(pool: pg.Pool): Promise<pg.PoolClient> {
    const deadlineAt = presentDeadline()
    const patienceMs = Math.min(this.#acquireTimeoutMs, deadlineAt - performance.now())
    if (patienceMs <= 0) throw new PlatformUnavailable('whoever asked waits no longer')
    let timer: NodeJS.Timeout | undefined
    const wanted = pool.connect()
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        wanted.then(
          (late) => late.release(),
          () => {},
        )
        reject(new PlatformUnavailable(`no database connection within ${Math.ceil(patienceMs)} ms`))
      }, patienceMs)
    })
    try {
      const client = await Promise.race([wanted, deadline])
      this.#watch.begin(client, deadlineAt)
      return client
    } catch (error) {
      throw error instanceof PlatformUnavailable
        ? error
        : new PlatformUnavailable('the database does not accept connections', error)
    } finally {
      clearTimeout(timer)
    }
  }
}

export const openDatabase = (options: DatabaseOptions): Database => new Database(options)

/** How much later than the statement's own limit, which the database keeps, we take it that the database keeps nothing any more. */
const SILENCE_MS = 2_000

/**
 * What members ask is answered from indexes, in the order of an index, whatever PostgreSQL knows of the tables: on one that has been filled
 * and not yet analyzed it takes everybody's rows for a handful, and reads and sorts them all for a page. One plan serves all values, so
 * that none changes with the sixth call.
 */
const BY_INDEX = ['enable_seqscan', 'enable_sort', 'enable_hashjoin', 'enable_mergejoin']
  .map((method) => `${method}=off`)
  .concat('plan_cache_mode=force_generic_plan')

function makePool(options: DatabaseOptions, role: string): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000
  const settings = [
    `role=${role}`,
    `statement_timeout=${statementTimeoutMs}`,
    'idle_in_transaction_session_timeout=60000',
    'timezone=UTC',
    // Whatever a database or a role is set to: what we say is done survives a crash.
    'synchronous_commit=on',
    ...(role === 'partita_app' ? BY_INDEX : []),
  ]
  // The client's own limit, not the pool's of the same name, see #acquire: a connection that nobody answers must not keep its place.
  const connectionTimeoutMillis = options.acquireTimeoutMs ?? 1_000
  class Client extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super({ ...config, connectionTimeoutMillis })
    }
  }
  const pool = new pg.Pool({
    Client,
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.poolSize ?? 10,
    idleTimeoutMillis: 30_000,
    // A network that swallows packets, or a frozen server, sends no error: without this a caller would wait for ever.
    ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + SILENCE_MS }),
    keepAlive: true,
    options: settings.map((s) => `-c ${s}`).join(' '),
    types,
  })
  // A connection that dies says so twice: the query in flight fails, and the connection emits an error, which without a listener
  // would stop the process. Idle connections are replaced by the pool.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

const UUID = /^[0-9a-f-]{36}$/

// Sent together with `begin` to save a round trip, which PostgreSQL allows only without parameters; hence the check.
function contextOf(actor: Actor): string {
  if (actor.kind === 'member') return `; set local app.organization_id = '${checkedId(actor.organizationId)}'`
  if (!actor.organizationIds) return ''
  return `; set local app.organization_ids = '{${[...new Set(actor.organizationIds)].map(checkedId).join()}}'`
}

function checkedId(id: Id<'organization'>): string {
  assert(UUID.test(id), 'organization id is not a UUID')
  return id
}

type Text = Pick<Statement, 'text' | 'name'>

const statements = new WeakMap<TemplateStringsArray, Text>()

/** One named prepared statement per place in the code: PostgreSQL plans it once per connection. */
function statementOf(parts: TemplateStringsArray): Text {
  let statement = statements.get(parts)
  if (!statement) {
    const text = parts.reduce((sql, part, index) => `${sql}$${index}${part}`)
    statement = { text, name: nameOf(text) }
    statements.set(parts, statement)
  }
  return statement
}

const nameOf = (text: string): string => `p_${createHash('sha1').update(text).digest('base64url')}`

class ClientTx implements Tx {
  readonly woken = new Set<string>()
  readonly #client: pg.PoolClient

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  async rows<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T[]> {
    return (await this.#client.query({ ...statementOf(sql), values })).rows
  }

  async one<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T> {
    const rows = await this.rows<T>(sql, ...values)
    assert(rows.length === 1, `expected one row, got ${rows.length}`)
    return rows[0] as T
  }

  async maybe<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T | undefined> {
    const rows = await this.rows<T>(sql, ...values)
    assert(rows.length <= 1, `expected at most one row, got ${rows.length}`)
    return rows[0]
  }

  async run(sql: TemplateStringsArray, ...values: unknown[]): Promise<number> {
    return (await this.#client.query({ ...statementOf(sql), values })).rowCount ?? 0
  }

  async query<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.#client.query({ text, values: [...values] })).rows
  }

  wake(channel: string): void {
    this.woken.add(channel)
  }
}

/** How many texts made while running are prepared; more forms than this, and each further one is planned whenever it is asked. */
const PREPARED_MAX = 500
const madeTexts = new Map<string, Text>()

/** A text that was put together while running, such as an optional filter's: the few forms that are asked again and again keep their plans. */
function statementOfText(text: string): Text {
  let statement = madeTexts.get(text)
  if (!statement) {
    statement = { text, name: madeTexts.size < PREPARED_MAX ? nameOf(text) : '' }
    if (statement.name !== '') madeTexts.set(text, statement)
  }
  return statement
}

/** Whose rows a transaction may see, and that it only reads, as its first statement. */
const SCOPE = statementOfText("select set_config('transaction_read_only', 'on', true), set_config($1, $2, true)")
const BEGIN_SNAPSHOT = { ...statementOfText('begin isolation level repeatable read read only'), values: [] }

function scopeOf(actor: Actor): Statement {
  if (actor.kind === 'member') return { ...SCOPE, values: ['app.organization_id', checkedId(actor.organizationId)] }
  const ids = actor.organizationIds
  return { ...SCOPE, values: ['app.organization_ids', ids ? `{${[...new Set(ids)].map(checkedId).join()}}` : ''] }
}

const parserOf = (oid: number) => types.getTypeParser(oid, 'text') as unknown as (text: string) => unknown

type Waiting = { readonly statement: Statement; resolve(answer: Answer): void; reject(error: unknown): void }

/** Reads in as few round trips as the work's own order leaves. */
class PipelinedTx implements Tx {
  hasFailed = false
  /** Whether there is a transaction that somebody must end. */
  isOpen = false
  readonly #client: pg.PoolClient
  readonly #actor: Actor
  readonly #isSnapshot: boolean
  #waiting: Waiting[] = []
  #isSending = false

  constructor(client: pg.PoolClient, actor: Actor, isSnapshot: boolean) {
    this.#client = client
    this.#actor = actor
    this.#isSnapshot = isSnapshot
  }

  async rows<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T[]> {
    return (await this.#ask({ ...statementOf(sql), values })).rows as T[]
  }

  async one<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T> {
    const rows = await this.rows<T>(sql, ...values)
    assert(rows.length === 1, `expected one row, got ${rows.length}`)
    return rows[0] as T
  }

  async maybe<T>(sql: TemplateStringsArray, ...values: unknown[]): Promise<T | undefined> {
    const rows = await this.rows<T>(sql, ...values)
    assert(rows.length <= 1, `expected at most one row, got ${rows.length}`)
    return rows[0]
  }

  async run(sql: TemplateStringsArray, ...values: unknown[]): Promise<number> {
    return (await this.#ask({ ...statementOf(sql), values })).count
  }

  async query<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.#ask({ ...statementOfText(text), values })).rows as T[]
  }

  wake(): void {
    assert(false, 'a read has nothing to wake anybody for')
  }

  #ask(statement: Statement): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statement, resolve, reject })
      if (this.#isSending) return
      this.#isSending = true
      queueMicrotask(() => void this.#send())
    })
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0)
      const before = this.isOpen ? [] : [...(this.#isSnapshot ? [BEGIN_SNAPSHOT] : []), scopeOf(this.#actor)]
      const pipeline = new Pipeline([...before, ...group.map(({ statement }) => statement)], parserOf)
      try {
        this.isOpen = this.#isSnapshot
        this.#client.query(pipeline)
        const answers = await pipeline.answers
        for (const [index, { resolve }] of group.entries()) resolve(answers[before.length + index] as Answer)
      } catch (error) {
        this.hasFailed = true
        for (const { reject } of group) reject(error)
      }
    }
    this.#isSending = false
  }
}
