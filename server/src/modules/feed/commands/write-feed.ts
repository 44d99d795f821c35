import type { CommandContext } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { SubjectRef } from '../../../platform/subject.ts'
import { type CompletedMovement, type Completion, completedRow, type PendingMovement, pendingRow } from '../domain/movement.ts'
import * as store from '../store.ts'

// The only writers of the feed's movements: each takes any number, in one statement, in the transaction that moves their money.

type Written = Pick<CommandContext, 'now'>

/** Writes movements whose money is held, or is not certain yet. Those that stand there already are left alone: a repeated call is harmless. */
export async function pending(ctx: Written, tx: Tx, movements: readonly PendingMovement[]): Promise<void> {
  if (movements.length === 0) return
  await store.insertTransactions(
    tx,
    movements.map((movement) => pendingRow(movement, ctx.now)),
  )
}

/** Writes movements whose money has moved. One entry stands once in an account's feed: a repeated call is harmless. */
export async function completed(ctx: Written, tx: Tx, movements: readonly CompletedMovement[]): Promise<void> {
  if (movements.length === 0) return
  await store.insertTransactions(
    tx,
    movements.map((movement) => completedRow(movement, ctx.now)),
  )
}

/** Completes the pending movements of these subjects. @throws Bug when one of them has none: its money has moved, and nobody would see it. */
export async function complete(ctx: Written, tx: Tx, completions: readonly Completion[]): Promise<void> {
  if (completions.length === 0) return
  const done = await store.completeTransactions(tx, completions, ctx.now)
  assert(done === completions.length, 'money has moved for a subject without a pending transaction')
}

/** Declines the pending movements of these subjects: their money has been given back. @throws Bug when one of them has none. */
export async function decline(ctx: Written, tx: Tx, subjects: readonly SubjectRef[]): Promise<void> {
  if (subjects.length === 0) return
  const done = await store.declineTransactions(tx, subjects, ctx.now)
  assert(done === subjects.length, 'a subject without a pending transaction was declined')
}
