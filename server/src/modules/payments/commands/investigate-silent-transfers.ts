import type { CommandContext } from '../../../platform/actor.ts'
import { publish } from '../../../platform/events/outbox.ts'
import { newId } from '../../../platform/ids.ts'
import type { Taking } from '../../../platform/passes/pass.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { creditTransferEvent } from '../events.ts'
import { expectReturnAnswer, type takeSilentReturns } from '../incoming-store.ts'
import { findInterrupted, insertMessages, messageIdsOfTransfers } from '../message-store.ts'
import { factOf } from '../postings.ts'
import { type Bank, messageIdOf, writeReturnStatusRequest, writeStatusRequest } from '../rail-messages.ts'
import * as store from '../store.ts'

/** How long before we ask again, in ms of the bank's time. */
const ASK_AGAIN_MS = 15 * 60_000

/** Accepted but not settled: the rail is asked when a settlement cycle has certainly passed. */
export const SETTLEMENT_DUE_MS = 24 * 3_600_000

// Longer than any delivery takes (5 seconds, rail.ts): a message still without a result after it belongs to a process that died.
const INTERRUPTED_AFTER_MS = 15_000

/** A return of ours about which the rail has said nothing in time. */
export type SilentReturn = Awaited<ReturnType<typeof takeSilentReturns>>[number]

/** Takes transfers whose answer is overdue; that of one whose sender died in the middle of it is overdue at once. */
export async function takeSilentTransfers(tx: Tx, taking: Taking): Promise<store.StoredCreditTransfer[]> {
  const interrupted = await findInterrupted(tx, new Date(taking.now.getTime() - INTERRUPTED_AFTER_MS))
  if (interrupted.length > 0) await store.expectAnswer(tx, interrupted, taking.now)
  return store.takeSilentTransfers(tx, taking)
}

/**
 * Asks the rail (`pacs.028`) about transfers whose answer is overdue. One that was never answered becomes `unknown`: its money stays
 * held, and what the rail says in the end is what happened.
 */
export async function askAboutTransfers(
  { now }: CommandContext,
  tx: Tx,
  { bank, transfers }: { readonly bank: Bank; readonly transfers: readonly store.StoredCreditTransfer[] },
): Promise<void> {
  const sentIn = await messageIdsOfTransfers(
    tx,
    transfers.map(({ id }) => id),
  )
  const messages = transfers.map((transfer) => {
    const id = newId<'outgoing_message'>()
    const messageId = messageIdOf(id)
    const asked = { transfer, sentIn: sentIn.get(transfer.id) ?? transfer.transactionId }
    return {
      id,
      messageId,
      transferIds: [transfer.id],
      incomingTransferId: null,
      ...writeStatusRequest(bank, asked, messageId, now),
    }
  })
  await insertMessages(tx, messages, now)
  const answerDueAt = new Date(now.getTime() + ASK_AGAIN_MS)
  const unanswered = transfers.filter((t) => t.status !== 'accepted')
  for (const [move, asked] of [
    ['ask', unanswered],
    ['ask_about_settlement', transfers.filter((t) => t.status === 'accepted')],
  ] as const) {
    const ids = asked.map((t) => t.id)
    await store.moveTransfers(tx, ids, move, { answerDueAt, investigatedAt: now, now })
  }
  const fresh = unanswered.filter((t) => t.status === 'submitted')
  await publish(
    tx,
    fresh.map((t) => creditTransferEvent('became_unknown', factOf(t), now)),
  )
  tx.wake('payments.deliver')
}

/** The same about returns of ours. */
export async function askAboutReturns(
  { now }: CommandContext,
  tx: Tx,
  { bank, returns }: { readonly bank: Bank; readonly returns: readonly SilentReturn[] },
): Promise<void> {
  const messages = returns.map(({ returnMessageId, ...incoming }) => {
    const id = newId<'outgoing_message'>()
    const written = writeReturnStatusRequest(bank, { incoming, returnMessageId }, messageIdOf(id), now)
    return { id, messageId: messageIdOf(id), transferIds: [], incomingTransferId: incoming.id, ...written }
  })
  await insertMessages(tx, messages, now)
  await expectReturnAnswer(
    tx,
    returns.map(({ id }) => id),
    new Date(now.getTime() + ASK_AGAIN_MS),
  )
  tx.wake('payments.deliver')
}
