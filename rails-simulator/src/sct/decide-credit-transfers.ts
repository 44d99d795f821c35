import { isCalendarDate } from '@partita/notation/dates'
import { formatCents, parseCents } from '../core/cents.ts'
import { isIban } from '../core/iban.ts'
import type { Reply } from '../core/scheme.ts'
import type { QueuedMessage } from '../core/state.ts'
import { businessDate, plus, startOfBusinessDate } from '../core/times.ts'
import type { TransactionStatus } from '../messages/pacs002.ts'
import type { CreditTransfer, CreditTransferMessage } from '../messages/pacs008.ts'
import type { CreditTransferContent, CreditTransferDraft as Draft } from './content.ts'
import { type Misbehaviour, misbehaviourOf } from './misbehaviour.ts'
import { type PaymentRecord, paymentKey, type TimelineEntry } from './state.ts'

/** Later than the proper answer by this much, where the table says "later". */
const LATER_MS = 5_000

/**
 * Takes a pacs.008: every transaction is accepted (ACSP) and settles (ACSC) at its settlement time, unless a check or a sentinel
 * says otherwise. A TxId is executed at most once, whatever arrives.
 */
export function decideCreditTransfers(draft: Draft, message: CreditTransferMessage): Reply {
  const wishes = message.transactions.map((tx) => misbehaviourOf(tx.creditor.name, parseCents(tx.amount) ?? 0n))
  if (wishes.some((wish) => wish.kind === 'unavailable')) return 'unavailable'
  draft.sawBank(message.instructingAgent)
  const seen = new Set<string>()
  for (const [index, transaction] of message.transactions.entries()) {
    decideOne(draft, message, transaction, wishes[index] ?? { kind: 'none' }, seen)
  }
  return wishes.some((wish) => wish.kind === 'drop_reply') ? 'connection_cut' : 'taken'
}

function decideOne(
  draft: Draft,
  message: CreditTransferMessage,
  transaction: CreditTransfer,
  wish: Misbehaviour,
  seen: Set<string>,
): void {
  const key = paymentKey(message.instructingAgent, transaction.txId)
  if (draft.state.payments.has(key) || seen.has(key)) {
    draft.add({ type: 'payment_seen_again', key })
    answer(
      draft,
      message,
      transaction,
      { at: answerTime(draft, key), status: 'RJCT', reason: 'AM05' },
      'TxId was received before',
    )
    return
  }
  if (wish.kind === 'lost_message') {
    draft.add({ type: 'payment_lost', txId: transaction.txId })
    return
  }
  seen.add(key)
  const refusal = draft.state.neverReceived.has(key)
    ? { reason: 'AB01', information: 'Reported as never received; not executed any more' }
    : check(draft, message, transaction)
  const acceptedAt = answerTime(draft, key)
  const timeline = refusal
    ? [{ at: acceptedAt, status: 'RJCT' as const, reason: refusal.reason }]
    : timelineOf(draft, message, key, acceptedAt, wish)
  const settledAt = timeline.find((entry) => entry.status === 'ACSC')?.at
  const returnAt = settledAt === undefined ? undefined : returnTime(settledAt, wish)
  const payment: PaymentRecord = {
    key,
    msgId: message.msgId,
    settlementDate: message.settlementDate,
    transaction,
    timeline,
    returnAt,
    silent: wish.kind === 'silent',
  }
  draft.add({ type: 'payment_taken', payment })
  if (refusal) answer(draft, message, transaction, timeline[0] as TimelineEntry, refusal.information)
  else deliver(draft, message, payment, wish)
}

/** The checks of a clearing system: what it needs to settle. Names and addresses are the banks' business. */
function check(
  draft: Draft,
  message: CreditTransferMessage,
  tx: CreditTransfer,
): { reason: string; information: string } | undefined {
  const cents = parseCents(tx.amount)
  if (tx.currency !== 'EUR') return { reason: 'CURR', information: 'SCT settles in EUR only' }
  if (cents === undefined || cents < 1n || cents > 99_999_999_999n)
    return { reason: 'AM12', information: 'Amount outside 0.01 to 999999999.99' }
  if (!isCalendarDate(message.settlementDate)) return { reason: 'DT01', information: 'Settlement date is no date' }
  // A day of grace: the bank's date may still be yesterday's when the message is read.
  if (message.settlementDate < businessDate(plus(draft.now, -86_400_000)))
    return { reason: 'DT01', information: 'Settlement date is in the past' }
  if (!isIban(tx.creditor.iban)) return { reason: 'AC01', information: 'Creditor IBAN fails its check digits' }
  return undefined
}

const answerTime = (draft: Draft, key: string): string => plus(draft.now, 100 + draft.seeded.number(400, 'answer', key))

function timelineOf(
  draft: Draft,
  message: CreditTransferMessage,
  key: string,
  acceptedAt: string,
  wish: Misbehaviour,
): readonly TimelineEntry[] {
  if (wish.kind === 'reject') return [{ at: acceptedAt, status: 'RJCT', reason: wish.reason }]
  const dayStart = startOfBusinessDate(message.settlementDate)
  const cycle = plus(acceptedAt > dayStart ? acceptedAt : dayStart, 500 + draft.seeded.number(1_000, 'settlement', key))
  const accepted: TimelineEntry = { at: acceptedAt, status: 'ACSP' }
  if (wish.kind === 'reject_after_accept') return [accepted, { at: cycle, status: 'RJCT', reason: wish.reason }]
  return [accepted, { at: cycle, status: 'ACSC' }]
}

function returnTime(settledAt: string, wish: Misbehaviour): string | undefined {
  if (wish.kind === 'return') return plus(settledAt, wish.delayMs)
  if (wish.kind === 'early_return') return plus(settledAt, 1)
  return undefined
}

/** Queues the answers that the timeline promises, bent by the misbehaviour. */
function deliver(draft: Draft, message: CreditTransferMessage, payment: PaymentRecord, wish: Misbehaviour): void {
  const { transaction, timeline } = payment
  const last = timeline.at(-1) as TimelineEntry
  if (wish.kind === 'lost_answer' || wish.kind === 'silent') return
  if (wish.kind === 'garbage_answer') {
    draft.queue('SIMBAD', (timeline[0] as TimelineEntry).at, () => ({
      type: 'unreadable',
      text: '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"><FIToFI',
    }))
  }
  for (const entry of timeline) {
    const dueAt = deliveryTime(entry, last, wish)
    const grouped = wish.kind === 'group_answer'
    const sent = answer(
      draft,
      message,
      transaction,
      entry,
      entry.status === 'RJCT' ? 'Rejected by the clearing system' : undefined,
      dueAt,
      grouped,
    )
    if (wish.kind === 'duplicate_answer') {
      draft.queueAgain({ ...sent, dueAt: plus(dueAt, 1) })
      answer(draft, message, transaction, entry, undefined, plus(dueAt, 2))
    }
  }
  if (wish.kind === 'contradict') {
    answer(
      draft,
      message,
      transaction,
      { at: plus(last.at, LATER_MS), status: 'RJCT', reason: wish.reason },
      'Against the rules: after settlement',
    )
  }
  if (payment.returnAt !== undefined && (wish.kind === 'return' || wish.kind === 'early_return')) {
    queueReturns(draft, message, payment, wish.kind === 'return' ? payment.returnAt : plus(last.at, -200), wish)
  }
}

function deliveryTime(entry: TimelineEntry, last: TimelineEntry, wish: Misbehaviour): string {
  if (wish.kind === 'late') return plus(entry.at, wish.delayMs)
  if (wish.kind === 'out_of_order' && entry.status === 'ACSP') return plus(last.at, LATER_MS)
  return entry.at
}

function queueReturns(
  draft: Draft,
  message: CreditTransferMessage,
  payment: PaymentRecord,
  dueAt: string,
  wish: Extract<Misbehaviour, { reason: string }>,
): void {
  const returnId = draft.nextReference('SIMRTR')
  const copies = wish.kind === 'return' ? wish.copies : 1
  const amount = formatCents(parseCents(payment.transaction.amount) ?? 0n)
  for (let copy = 0; copy < copies; copy += 1) {
    draft.queue('SIMRET', plus(dueAt, copy), (msgId) => ({
      type: 'pacs.004.001.09',
      msgId,
      createdAt: dueAt,
      instructedAgent: message.instructingAgent,
      settlementDate: businessDate(dueAt),
      returnId,
      originalMsgId: message.msgId,
      originalSettlementDate: message.settlementDate,
      reason: wish.reason,
      original: { ...payment.transaction, amount },
    }))
  }
}

function answer(
  draft: Draft,
  message: CreditTransferMessage,
  transaction: CreditTransfer,
  entry: TimelineEntry,
  information: string | undefined,
  dueAt = entry.at,
  grouped = false,
): QueuedMessage<CreditTransferContent> {
  return draft.queue('SIMSTS', dueAt, (msgId) => ({
    type: 'pacs.002.001.10',
    msgId,
    createdAt: dueAt,
    instructedAgent: message.instructingAgent,
    originalMsgId: message.msgId,
    originalMessageName: message.type,
    group: grouped ? { status: entry.status, reason: entry.reason, information } : undefined,
    transactions: grouped
      ? []
      : [{ ...transactionStatus(transaction, entry, message.settlementDate), statusId: `${msgId}-1`, information }],
  }))
}

/** The line of a pacs.002 that tells an entry of the timeline. */
export const transactionStatus = (
  tx: CreditTransfer,
  entry: TimelineEntry,
  settlementDate: string,
): Omit<TransactionStatus, 'statusId'> => ({
  instructionId: tx.instructionId,
  endToEndId: tx.endToEndId,
  txId: tx.txId,
  uetr: tx.uetr,
  status: entry.status,
  reason: entry.reason,
  effectiveSettlementDate: entry.status === 'ACSC' ? settlementDate : undefined,
})
