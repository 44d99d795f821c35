import { publish } from '../../../platform/events/outbox.ts'
import { EUR, money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { BookId } from '../../ledger/index.ts'
import { repeatsAmount, type StatusReported } from '../domain/rail-event.ts'
import { incomingTransferEvent } from '../events.ts'
import * as store from '../incoming-store.ts'
import { sentBack } from '../postings.ts'
import { postAll } from './transfer-steps.ts'

const SETTLED = new Set(['ACSC', 'ACCC'])

/**
 * Does what the rail reports of a return (pacs.004) that we sent: settled, it leaves the nostro; rejected, the money goes back to
 * suspense, for an operator. One that never reached the rail is sent anew in another message. Safe to repeat.
 * @returns what was done, for the record of the message.
 * @see sepa.md §12.2 "returned within 3 days"
 */
export async function applyReturnReport(tx: Tx, report: StatusReported, now: Date): Promise<string> {
  const messageId = report.originalMessageId
  const incoming = messageId === null ? undefined : await store.lockReturned(tx, messageId, report.transactionId)
  if (messageId === null || !incoming) return 'transfer_not_found'
  const isSettled = SETTLED.has(report.status)
  if (!isSettled && report.status !== 'RJCT') return 'nothing'
  if (!repeatsAmount(report.repeatedAmount, incoming.amountMinor)) return 'contradiction'
  const amount = money(EUR, incoming.amountMinor)
  const bookId = incoming.bookId as BookId
  const book = (step: 'send' | 'settle' | 'refuse') =>
    postAll(tx, { bookId }, [sentBack({ id: incoming.id, amount, bookId }, messageId, step)], now)

  if (incoming.status !== 'returning')
    return incoming.status === 'returned' && (isSettled || report.isAboutCopy) ? 'nothing' : 'contradiction'
  if (isSettled) {
    await book('settle')
    await store.moveIncoming(tx, incoming.id, 'settle_return')
    await publish(tx, [incomingTransferEvent('returned', { ...incoming, amount }, now)])
    return 'return_settled'
  }
  if (report.isAboutCopy && !incoming.isInvestigated) {
    // The rail has executed an earlier return of this payment: what it says of that one counts.
    await store.moveIncoming(tx, incoming.id, 'ask_about_return', { answerDueAt: now })
    tx.wake('payments.ask_about_returns')
    return 'copy_refused'
  }
  await book('refuse')
  // What the rail did not take, it would not take again in another message.
  const move = report.isUnknownToRail && !incoming.isRefusedMessage ? 'forget_return' : 'refuse_return'
  await store.moveIncoming(tx, incoming.id, move)
  if (move === 'forget_return') return 'return_never_received'
  await publish(tx, [incomingTransferEvent('return_refused', { ...incoming, amount }, now)])
  return 'return_refused'
}
