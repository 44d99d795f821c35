import { publish } from '../../../platform/events/outbox.ts'
import { newId } from '../../../platform/ids.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { creditTransferEvent } from '../events.ts'
import { expectReturnAnswer, takeSilentReturns } from '../incoming-store.ts'
import { factOf } from '../postings.ts'
import { type Bank, messageIdOf, writeReturnStatusRequest, writeStatusRequest } from '../rail-messages.ts'
import * as store from '../store.ts'

const BATCH = 100

/** How long before we ask again, in ms of the bank's time. */
const ASK_AGAIN_MS = 15 * 60_000

/** Accepted but not settled: the rail is asked when a settlement cycle has certainly passed. */
export const SETTLEMENT_DUE_MS = 24 * 3_600_000

/**
 * Asks the rail (`pacs.028`) about every transfer, and every return of ours, whose answer is overdue. A transfer that was never answered
 * becomes `unknown`: its money stays held, and what the rail says in the end is what happened.
 * @returns how many questions were written.
 */
export async function investigateSilentTransfers(database: Database, bank: Bank, now: Date): Promise<number> {
  const returns = await database.transaction('system', (tx) => askAboutReturns(tx, bank, now))
  return returns + (await askAboutTransfers(database, bank, now))
}

async function askAboutReturns(tx: Tx, bank: Bank, now: Date): Promise<number> {
  const silent = await takeSilentReturns(tx, now, BATCH)
  if (silent.length === 0) return 0
  const messages = silent.map(({ returnMessageId, ...incoming }) => {
    const id = newId<'outgoing_message'>()
    const written = writeReturnStatusRequest(bank, { incoming, returnMessageId }, messageIdOf(id), now)
    return { id, messageId: messageIdOf(id), transferId: null, incomingTransferId: incoming.id, ...written }
  })
  await store.insertMessages(tx, messages, now)
  await expectReturnAnswer(
    tx,
    silent.map(({ id }) => id),
    new Date(now.getTime() + ASK_AGAIN_MS),
  )
  return silent.length
}

function askAboutTransfers(database: Database, bank: Bank, now: Date): Promise<number> {
  return database.transaction('system', async (tx) => {
    for (const { transferId } of await store.findInterrupted(tx, new Date(now.getTime() - INTERRUPTED_AFTER_MS))) {
      await store.expectAnswer(tx, transferId, now)
    }
    const silent = await store.takeSilentTransfers(tx, now, BATCH)
    if (silent.length === 0) return 0
    const messages = silent.map((transfer) => {
      const id = newId<'outgoing_message'>()
      return {
        id,
        messageId: messageIdOf(id),
        transferId: transfer.id,
        incomingTransferId: null,
        ...writeStatusRequest(bank, transfer, messageIdOf(id), now),
      }
    })
    await store.insertMessages(tx, messages, now)
    const nextQuestion = new Date(now.getTime() + ASK_AGAIN_MS)
    const unanswered = silent.filter((t) => t.status !== 'accepted')
    const accepted = silent.filter((t) => t.status === 'accepted')
    await store.setStatus(
      tx,
      unanswered.map((t) => t.id),
      { status: 'unknown', answerDueAt: nextQuestion, investigatedAt: now, now },
    )
    await store.setStatus(
      tx,
      accepted.map((t) => t.id),
      { status: 'accepted', answerDueAt: nextQuestion, investigatedAt: now, now },
    )
    const fresh = unanswered.filter((t) => t.status === 'submitted')
    await publish(
      tx,
      fresh.map((t) => creditTransferEvent('became_unknown', factOf(t), now)),
    )
    return silent.length
  })
}

// Longer than any delivery takes (5 seconds, rail.ts): a message still without a result after it belongs to a process that died.
const INTERRUPTED_AFTER_MS = 15_000
