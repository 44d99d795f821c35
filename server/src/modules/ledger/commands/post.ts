import { assert } from '../../../platform/assert.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { BookId, Operation, Outcome } from '../domain/operation.ts'
import { BATCH_MAX } from '../domain/refusals.ts'
import { packBatch, unpackOutcomes } from '../packed-batch.ts'
import { postBatch } from '../store.ts'

/**
 * Posts operations in the caller's transaction, in order; each sees what the ones before it did. Call it last: the book's lock is
 * held until commit.
 *
 * @param now the bank's time. The book's recorded time never runs backwards: an earlier `now` records at the book's latest time.
 * @returns one outcome per operation, in order. Refused operations leave no trace; the others are posted with the transaction.
 * @throws Bug on more than BATCH_MAX operations, or a group whose legs are not neighbours; a database error otherwise (nothing is written).
 */
export async function post(tx: Tx, bookId: BookId, operations: readonly Operation[], now: Date): Promise<Outcome[]> {
  if (operations.length === 0) return []
  return unpackOutcomes(await postBatch(tx, bookId, packBatch(operations), now))
}

/** `post` for any number of operations: as many calls as it takes, no group torn apart. */
export async function postInPieces(tx: Tx, bookId: BookId, operations: readonly Operation[], now: Date): Promise<Outcome[]> {
  if (operations.length <= BATCH_MAX) return post(tx, bookId, operations, now)
  const outcomes: Outcome[] = []
  for (let from = 0; from < operations.length; ) {
    let to = Math.min(from + BATCH_MAX, operations.length)
    while (to < operations.length && to > from && isOneGroup(operations[to - 1], operations[to])) to--
    assert(to > from, 'a group has more operations than one call takes')
    outcomes.push(...(await post(tx, bookId, operations.slice(from, to), now)))
    from = to
  }
  return outcomes
}

const isOneGroup = (a: Operation | undefined, b: Operation | undefined): boolean => a?.group !== undefined && a.group === b?.group
