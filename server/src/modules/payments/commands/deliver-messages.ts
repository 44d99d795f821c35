import type { Clock } from '../../../platform/clock.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { expectReturnAnswer } from '../incoming-store.ts'
import type { Delivery, Rail } from '../rail.ts'
import * as store from '../store.ts'

const BATCH = 96
/** Taken, sent and recorded together: what is marked as tried is on its way at once, so that nobody asks about it before it left. */
const PARALLEL = 16

/** How long the rail may take to answer a transfer before we ask, in ms of the bank's time. */
export const ANSWER_DUE_MS = 60_000

/**
 * Hands waiting messages to the rail. Each is marked as tried, and committed, before it is sent: if we die in between, or the
 * connection does, the transfer is asked about (`investigateSilentTransfers`) and never sent again. Only a message that provably
 * did not leave, or a question, which has no effect, is tried again.
 * @returns how many were delivered.
 */
export async function deliverMessages(database: Database, rail: Rail, clock: Clock): Promise<number> {
  let delivered = 0
  for (let tried = 0; tried < BATCH; tried += PARALLEL) {
    const batch = await database.transaction('system', (tx) => take(tx, clock.now()))
    const deliveries = await Promise.all(batch.map(async (message) => ({ message, delivery: await rail.send(message.xml) })))
    await database.transaction('system', async (tx) => {
      for (const { message, delivery } of deliveries) await recordDelivery(tx, message, delivery, clock.now())
    })
    delivered += deliveries.filter(({ delivery }) => delivery.kind === 'delivered').length
    // The rail is away: what is left waits for the next pass instead of running into the same wall.
    if (batch.length < PARALLEL || deliveries.some(({ delivery }) => delivery.kind === 'not_sent')) break
  }
  return delivered
}

async function take(tx: Tx, now: Date): Promise<store.OutgoingMessage[]> {
  const messages = await store.takeMessages(tx, now, PARALLEL)
  const returns = messages.filter(isReturn).flatMap((m) => m.incomingTransferId ?? [])
  if (returns.length > 0) await expectReturnAnswer(tx, returns, new Date(now.getTime() + ANSWER_DUE_MS))
  return messages
}

async function recordDelivery(tx: Tx, message: store.OutgoingMessage, delivery: Delivery, now: Date): Promise<void> {
  if (delivery.kind === 'not_sent' || (delivery.kind === 'unknown' && isQuestion(message))) {
    await store.markNotSent(tx, message.id)
    if (isReturn(message) && message.incomingTransferId) await expectReturnAnswer(tx, [message.incomingTransferId], null)
    return
  }
  if (delivery.kind === 'refused') await store.markRefused(tx, message.id, delivery.reason)
  if (delivery.kind === 'delivered') await store.markDelivered(tx, message.id, now)
  if (isQuestion(message)) return
  const answerDueAt = delivery.kind === 'delivered' ? new Date(now.getTime() + ANSWER_DUE_MS) : now
  if (message.transferId) await store.expectAnswer(tx, message.transferId, answerDueAt)
  if (message.incomingTransferId) await expectReturnAnswer(tx, [message.incomingTransferId], answerDueAt)
}

/** A status request moves no money: asking twice is harmless. */
const isQuestion = (message: store.OutgoingMessage): boolean => message.messageName.startsWith('pacs.028')

const isReturn = (message: store.OutgoingMessage): boolean => message.messageName.startsWith('pacs.004')
