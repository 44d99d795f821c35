import type { CommandContext } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import type { NewEvent } from '../../../platform/events/definition.ts'
import { publish } from '../../../platform/events/outbox.ts'
import { newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { SubjectRef } from '../../../platform/subject.ts'
import {
  type CompletedMovement,
  type Completion,
  completedRow,
  type FeedRow,
  type Movement,
  type Named,
  type PendingMovement,
  pendingRow,
} from '../domain/movement.ts'
import * as events from '../events.ts'
import * as store from '../store.ts'

// The only writers of the feed's movements: each takes any number, in one statement, in the transaction that moves their money. What they
// change is published with it, so that nobody who writes has to think of those who listen.

type Written = Pick<CommandContext, 'now'>

/** Writes movements whose money is held, or is not certain yet. Those that stand there already are left alone: a repeated call is harmless. */
export const pending = async (ctx: Written, tx: Tx, movements: readonly PendingMovement[]): Promise<void> =>
  publish(tx, await writePending(ctx, tx, movements))

/** Writes movements whose money has moved. One entry stands once in an account's feed: a repeated call is harmless. */
export const completed = async (ctx: Written, tx: Tx, movements: readonly CompletedMovement[]): Promise<void> =>
  publish(tx, await writeCompleted(ctx, tx, movements))

/** `pending` for a caller who publishes what is answered. */
export async function writePending(ctx: Written, tx: Tx, movements: readonly PendingMovement[]): Promise<NewEvent[]> {
  const rows = movements.map((movement) => pendingRow(named(movement), ctx.now))
  return (await insert(tx, rows)).map((row) => events.created(row, row.recordedAt))
}

/** `completed` for a caller who publishes what is answered. */
export async function writeCompleted(ctx: Written, tx: Tx, movements: readonly CompletedMovement[]): Promise<NewEvent[]> {
  const rows = movements.map((movement) => completedRow(named(movement), ctx.now))
  return (await insert(tx, rows)).map((row) => events.completed({ ...row, wasPending: false }, row.recordedAt))
}

const named = <Said extends Movement>(movement: Said): Named<Said> => ({ ...movement, id: movement.id ?? newId<'transaction'>() })

/** @returns those that were not there before. */
async function insert<Row extends FeedRow>(tx: Tx, rows: readonly Row[]): Promise<readonly Row[]> {
  if (rows.length === 0) return []
  if (rows.every((row) => row.isNew)) {
    await store.insertNewTransactions(tx, rows)
    return rows
  }
  const inserted = new Set(await store.insertTransactions(tx, rows))
  return inserted.size === rows.length ? rows : rows.filter((row) => inserted.has(row.id))
}

/** Completes the pending movements of these subjects. @throws Bug when one of them has none: its money has moved, and nobody would see it. */
export async function complete(ctx: Written, tx: Tx, completions: readonly Completion[]): Promise<void> {
  if (completions.length === 0) return
  const done = await store.completeTransactions(tx, completions, ctx.now)
  assert(done.length === completions.length, 'money has moved for a subject without a pending transaction')
  await publish(
    tx,
    done.map((row) => events.completed({ ...row, wasPending: true, settledAt: ctx.now }, ctx.now)),
  )
}

/** Declines the pending movements of these subjects: their money has been given back. @throws Bug when one of them has none. */
export async function decline(ctx: Written, tx: Tx, subjects: readonly SubjectRef[]): Promise<void> {
  if (subjects.length === 0) return
  const done = await store.declineTransactions(tx, subjects, ctx.now)
  assert(done.length === subjects.length, 'a subject without a pending transaction was declined')
  await publish(
    tx,
    done.map((row) => events.declined(row, ctx.now)),
  )
}
