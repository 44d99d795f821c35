import type { CommandContext } from '../../../platform/actor.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { expectReturnAnswer } from '../incoming-store.ts'
import * as messages from '../message-store.ts'
import type { Delivery } from '../rail.ts'
import { expectAnswer } from '../store.ts'

/** How long the rail may take to answer a transfer before we ask, in ms of the bank's time. */
export const ANSWER_DUE_MS = 60_000

export type TriedMessage = { readonly item: messages.OutgoingMessage; readonly outcome: Delivery }

/**
 * Takes waiting messages for the rail. Each is marked as tried, and committed, before it is sent: if we die in between, or the
 * connection does, the transfer is asked about (`investigateSilentTransfers`) and never sent again.
 */
export async function takeWaitingMessages(tx: Tx, now: Date, limit: number): Promise<messages.OutgoingMessage[]> {
  const taken = await messages.takeMessages(tx, now, limit)
  const returns = taken.filter(isReturn).flatMap((m) => m.incomingTransferId ?? [])
  if (returns.length > 0) await expectReturnAnswer(tx, returns, new Date(now.getTime() + ANSWER_DUE_MS))
  return taken
}

/** Writes what came of each. Only a message that provably did not leave, or a question, which has no effect, will be tried again. */
export async function recordDeliveries({ now }: CommandContext, tx: Tx, tried: readonly TriedMessage[]): Promise<void> {
  for (const one of tried) await recordDelivery(tx, one, now)
}

async function recordDelivery(tx: Tx, { item: message, outcome: delivery }: TriedMessage, now: Date): Promise<void> {
  if (isTriedAgain({ item: message, outcome: delivery })) {
    await messages.markNotSent(tx, message.id)
    if (isReturn(message) && message.incomingTransferId) await expectReturnAnswer(tx, [message.incomingTransferId], null)
    return
  }
  if (delivery.kind === 'refused') await messages.markRefused(tx, message.id, delivery.reason)
  if (delivery.kind === 'delivered') await messages.markDelivered(tx, message.id, now)
  if (isQuestion(message)) return
  const answerDueAt = delivery.kind === 'delivered' ? new Date(now.getTime() + ANSWER_DUE_MS) : now
  if (message.transferIds.length > 0) await expectAnswer(tx, message.transferIds, answerDueAt)
  if (message.incomingTransferId) await expectReturnAnswer(tx, [message.incomingTransferId], answerDueAt)
}

/** The rail is away: what is left waits, too, instead of running into the same wall. */
export const isTriedAgain = ({ item, outcome }: TriedMessage): boolean =>
  outcome.kind === 'not_sent' || (outcome.kind === 'unknown' && isQuestion(item))

/** A status request moves no money: asking twice is harmless. */
const isQuestion = (message: messages.OutgoingMessage): boolean => message.messageName.startsWith('pacs.028')

const isReturn = (message: messages.OutgoingMessage): boolean => message.messageName.startsWith('pacs.004')
