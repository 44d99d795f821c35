import { systemActor } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import { Lane, type LaneAttempt } from '../../../platform/lane.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
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

const AS_LANE = systemActor('ledger.posting_lane')

type Submission = readonly Operation[]

/**
 * Coalesces concurrent callers of one book into one commit at a time (see `Lane`): nobody waits for company, and a crowd shares one flush
 * to disk. One lane per book and process. Submissions are posted in the order they came.
 */
export class PostingLane {
  readonly #options: PostingLaneOptions
  readonly #lane: Lane<Submission, Outcome[]>

  constructor(options: PostingLaneOptions) {
    const { batchMax = 1_000, waitingMax = 100_000 } = options
    assert(batchMax > 0 && batchMax <= BATCH_MAX, 'batchMax out of range')
    this.#options = options
    this.#lane = new Lane({
      execute: (batch, attempt) => this.#execute(batch, attempt),
      batchMax,
      waitingMax,
      weigh: (operations) => operations.length,
      companions: distinctGroups,
      // Longer than the restart of a database takes after a crash.
      patienceMs: 10_000,
    })
  }

  /**
   * Posts operations as neighbours in one commit. Resolves after the commit: what it answers is durable.
   *
   * @throws PlatformUnavailable (retryable, with the same keys) when the database stays away or too much waits already.
   */
  submit(operations: readonly Operation[]): Promise<Outcome[]> {
    return operations.length === 0 ? Promise.resolve([]) : this.#lane.submit(operations)
  }

  /** `submit` for one operation. */
  async submitOne(operation: Operation): Promise<Outcome> {
    return (await this.submit([operation]))[0] as Outcome
  }

  /** Takes no more, and resolves when everything taken is answered. */
  close(): Promise<void> {
    return this.#lane.close()
  }

  async #execute(batch: readonly Submission[], attempt: LaneAttempt): Promise<Outcome[][]> {
    if (batch.length === 1) return [await this.#post(batch[0] as Submission, attempt)]
    const outcomes = await this.#post(batch.flat(), attempt)
    let from = 0
    return batch.map((operations) => {
      const to = from + operations.length
      const own = outcomes.slice(from, to)
      from = to
      return own
    })
  }

  #post(operations: readonly Operation[], attempt: LaneAttempt): Promise<Outcome[]> {
    const { database, bookId, now, alongside } = this.#options
    // Nobody waits and nothing else is to be written: the call commits by itself.
    if (!alongside && this.#lane.waiting === 0) return database.autocommit((tx) => post(tx, bookId, operations, now()))
    return database.transaction(AS_LANE, async (tx) => {
      const outcomes = await post(tx, bookId, operations, now())
      attempt.decided()
      if (alongside) await alongside(tx, operations, outcomes)
      return outcomes
    })
  }
}

/** The same group from two callers (a retry beside its original) must not become one: the second waits for the next commit. */
function distinctGroups(): (operations: Submission) => boolean {
  const groups = new Set<string>()
  return (operations) => {
    for (const { group } of operations) if (group !== undefined && groups.has(group)) return false
    for (const { group } of operations) if (group !== undefined) groups.add(group)
    return true
  }
}
