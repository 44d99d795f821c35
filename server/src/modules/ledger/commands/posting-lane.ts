import { assert } from '../../../platform/assert.ts'
import { PlatformUnavailable, sqlStateOf } from '../../../platform/errors.ts'
import { type Database, isConnectionLoss, type Tx } from '../../../platform/postgres/database.ts'
import type { BookId, Operation, Outcome } from '../domain/operation.ts'
import { BATCH_MAX } from '../domain/refusals.ts'
import { post } from './post.ts'

export interface PostingLaneOptions {
  readonly database: Database
  readonly bookId: BookId
  /** The bank's time, asked once per commit. */
  readonly now: () => Date
  /** Most operations of one commit; 1,000 unless said. A submission larger than this goes alone. */
  readonly batchMax?: number
  /** Operations that may wait before new ones are turned away; 100,000 unless said. */
  readonly waitingMax?: number
  /**
   * Runs in the same transaction, after the posting and before the commit: for rows that must agree with the money. It must bear being
   * repeated: after a lost connection the same keys are sent again, and then it is called with replayed outcomes, also where its rows
   * were committed (insert with `on conflict do nothing`). A throw undoes the posting and fails the caller it belongs to.
   */
  readonly alongside?: (tx: Tx, operations: readonly Operation[], outcomes: readonly Outcome[]) => Promise<void>
}

type Submission = {
  readonly operations: readonly Operation[]
  readonly resolve: (outcomes: Outcome[]) => void
  readonly reject: (error: unknown) => void
}

// A database that restarts after a crash is back within these: 25 ms, then doubled, at most a second each, about six seconds in all.
const RETRIES = 10
const RETRY_DELAY_MS = 25
const RETRY_DELAY_MS_MAX = 1_000

const RETRYABLE_STATES = new Set(['40001', '40P01'])

/**
 * Coalesces concurrent callers of one book into one commit at a time (natural group commit): the next batch is what queued while
 * the last was in flight, so nobody waits for company and a crowd shares one flush to disk. One lane per book and process.
 *
 * Submissions are posted in the order they came. Only when a connection is lost may one pass another that was not yet answered:
 * whoever needs an order then waits for each answer.
 */
export class PostingLane {
  readonly #options: PostingLaneOptions
  readonly #batchMax: number
  readonly #waitingMax: number
  #queue: Submission[] = []
  #waiting = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: PostingLaneOptions) {
    this.#options = options
    this.#batchMax = options.batchMax ?? 1_000
    this.#waitingMax = options.waitingMax ?? 100_000
    assert(this.#batchMax > 0 && this.#batchMax <= BATCH_MAX, 'batchMax out of range')
  }

  /**
   * Posts operations as neighbours in one commit. Resolves after the commit: what it answers is durable.
   *
   * @throws PlatformUnavailable (retryable, with the same keys) when the database stays away or too much waits already.
   */
  submit(operations: readonly Operation[]): Promise<Outcome[]> {
    if (this.#closed) return Promise.reject(new PlatformUnavailable('the posting lane is closed'))
    if (operations.length === 0) return Promise.resolve([])
    if (this.#waiting + operations.length > this.#waitingMax)
      return Promise.reject(new PlatformUnavailable('too many operations are waiting to be posted'))
    this.#waiting += operations.length
    return new Promise((resolve, reject) => {
      this.#queue.push({ operations, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** `submit` for one operation. */
  async submitOne(operation: Operation): Promise<Outcome> {
    return (await this.submit([operation]))[0] as Outcome
  }

  /** Takes no more, and resolves when everything taken is answered. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#running) await this.#running
  }

  async #run(): Promise<void> {
    // Callers of the same turn of the event loop share the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve))
    let answered: Promise<void> | undefined
    while (this.#queue.length > 0) {
      const decided = Promise.withResolvers<void>()
      const before = answered
      answered = this.#settle(this.#take(), decided.resolve)
      // A crowd need not wait for the flush: once a batch is decided it holds the book's lock until it is committed, so the next one may
      // stand behind it at the lock already, and PostgreSQL goes from one to the other without asking us.
      await Promise.race([decided.promise, answered])
      if (this.#waiting < this.#batchMax >> 1) await answered
      await before
    }
    this.#running = answered?.then(() => {
      this.#running = undefined
      if (this.#queue.length > 0) this.#running = this.#run()
    })
  }

  #take(): Submission[] {
    let count = 0
    let operations = 0
    const groups = new Set<string>()
    for (const submission of this.#queue) {
      if (count > 0 && operations + submission.operations.length > this.#batchMax) break
      // The same group from two callers (a retry beside its original) must not become one: the second waits for the next commit.
      if (!addGroups(groups, submission.operations)) break
      operations += submission.operations.length
      count++
    }
    this.#waiting -= operations
    return this.#queue.splice(0, count)
  }

  /** Answers every submission. One that makes the database raise must not fail its neighbours: halves are tried until it stands alone. */
  async #settle(batch: readonly Submission[], onDecided: () => void): Promise<void> {
    const operations =
      batch.length === 1 ? (batch[0] as Submission).operations : batch.flatMap((submission) => submission.operations)
    let outcomes: Outcome[]
    try {
      outcomes = await this.#postWithRetry(operations, onDecided)
    } catch (error) {
      if (batch.length === 1 || isConnectionLoss(error)) {
        for (const submission of batch) submission.reject(error)
        return
      }
      const half = batch.length >> 1
      await this.#settle(batch.slice(0, half), onDecided)
      await this.#settle(batch.slice(half), onDecided)
      return
    }
    let from = 0
    for (const submission of batch) {
      const to = from + submission.operations.length
      submission.resolve(batch.length === 1 ? outcomes : outcomes.slice(from, to))
      from = to
    }
  }

  /** After a lost connection nobody knows whether the batch was committed; the same keys sent again have one effect either way. */
  async #postWithRetry(operations: readonly Operation[], onDecided: () => void): Promise<Outcome[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#postOnce(operations, onDecided)
      } catch (error) {
        const retryable = isConnectionLoss(error) || RETRYABLE_STATES.has(sqlStateOf(error) ?? '')
        if (!retryable || attempt === RETRIES) throw error
        const delay = Math.min(RETRY_DELAY_MS * 2 ** attempt, RETRY_DELAY_MS_MAX)
        await new Promise((resolve) => setTimeout(resolve, delay))
      }
    }
  }

  #postOnce(operations: readonly Operation[], onDecided: () => void): Promise<Outcome[]> {
    const { database, bookId, now, alongside } = this.#options
    // Nobody waits and nothing else is to be written: the call commits by itself.
    if (!alongside && this.#waiting === 0) return database.autocommit((tx) => post(tx, bookId, operations, now()))
    return database.transaction('system', async (tx) => {
      const outcomes = await post(tx, bookId, operations, now())
      onDecided()
      if (alongside) await alongside(tx, operations, outcomes)
      return outcomes
    })
  }
}

/** Adds the groups of one submission. @returns false when an earlier submission has one of them; then nothing is added. */
function addGroups(groups: Set<string>, operations: readonly Operation[]): boolean {
  for (const operation of operations) if (operation.group !== undefined && groups.has(operation.group)) return false
  for (const operation of operations) if (operation.group !== undefined) groups.add(operation.group)
  return true
}
