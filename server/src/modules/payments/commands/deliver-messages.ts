import type { Clock } from '../../../platform/clock.ts'
import type { Database } from '../../../platform/postgres/database.ts'
import type { Delivery, Rail } from '../rail.ts'
import * as store from '../store.ts'

const BATCH = 50
const PARALLEL = 8

/** How long the rail may take to answer a transfer before we ask, in ms of the bank's time. */
export const ANSWER_DUE_MS = 60_000

/**
 * Hands waiting messages to the rail. Each is marked as tried, and committed, before it is sent: if we die in between, or the
 * connection does, the transfer is asked about (`investigateSilentTransfers`) and never sent again. Only a message that provably
 * did not leave, or a question, which has no effect, is tried again.
 * @returns how many were delivered.
 */
export async function deliverMessages(database: Database, rail: Rail, clock: Clock): Promise<number> {
  const batch = await database.transaction('system', (tx) => store.takeMessages(tx, clock.now(), BATCH))
  let delivered = 0
  for (let start = 0; start < batch.length; start += PARALLEL) {
    const deliveries = await Promise.all(
      batch.slice(start, start + PARALLEL).map(async (message) => ({ message, delivery: await rail.send(message.xml) })),
    )
    for (const { message, delivery } of deliveries) {
      await recordDelivery(database, message, delivery, clock.now())
      if (delivery.kind === 'delivered') delivered++
    }
    // The rail is away: the rest of the batch waits for the next pass instead of running into the same wall.
    if (deliveries.some(({ delivery }) => delivery.kind === 'not_sent')) {
      await giveBack(database, batch.slice(start + PARALLEL))
      break
    }
  }
  return delivered
}

const giveBack = (database: Database, messages: readonly store.OutgoingMessage[]) =>
  database.transaction('system', async (tx) => {
    for (const message of messages) await store.markNotSent(tx, message.id)
  })

async function recordDelivery(database: Database, message: store.OutgoingMessage, delivery: Delivery, now: Date): Promise<void> {
  await database.transaction('system', async (tx) => {
    if (delivery.kind === 'not_sent' || (delivery.kind === 'unknown' && isQuestion(message)))
      return store.markNotSent(tx, message.id)
    if (delivery.kind === 'refused') await store.markRefused(tx, message.id, delivery.reason)
    if (delivery.kind === 'delivered') await store.markDelivered(tx, message.id, now)
    if (message.transferId === null || isQuestion(message)) return
    const answerDueAt = delivery.kind === 'delivered' ? new Date(now.getTime() + ANSWER_DUE_MS) : now
    return store.expectAnswer(tx, message.transferId, answerDueAt)
  })
}

/** A status request moves no money: asking twice is harmless. */
const isQuestion = (message: store.OutgoingMessage): boolean => message.messageName.startsWith('pacs.028')
