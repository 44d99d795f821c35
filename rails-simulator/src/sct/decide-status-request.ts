import type { Reply } from '../core/scheme.ts'
import { plus } from '../core/times.ts'
import type { TransactionStatus } from '../messages/pacs002.ts'
import type { StatusRequest } from '../messages/pacs028.ts'
import type { CreditTransferDraft as Draft } from './content.ts'
import { transactionStatus } from './decide-credit-transfers.ts'
import { happened, paymentKey, returnKey, type TimelineEntry } from './state.ts'

/**
 * Answers a pacs.028 with what is known at this moment. What never arrived is answered RJCT with AG09 (original payment never
 * received), and from then on that payment, or that return, is not executed even if it should still arrive: the bank may rely on it.
 */
export function decideStatusRequest(draft: Draft, message: StatusRequest): Reply {
  for (const request of message.requests) {
    const line = request.originalMessageName.startsWith('pacs.004')
      ? returnStatus(draft, request)
      : paymentStatus(draft, message.instructingAgent, request)
    if (!line) continue
    const dueAt = plus(draft.now, 50 + draft.seeded.number(200, 'investigation', message.msgId, request.originalTxId))
    draft.queue('SIMSTS', dueAt, (msgId) => ({
      type: 'pacs.002.001.10',
      msgId,
      createdAt: dueAt,
      instructedAgent: message.instructingAgent,
      originalMsgId: request.originalMsgId,
      originalMessageName: request.originalMessageName,
      transactions: [{ ...line, statusId: request.requestId ?? `${msgId}-1` }],
    }))
  }
  return 'taken'
}

type Request = StatusRequest['requests'][number]
type Line = Omit<TransactionStatus, 'statusId'>

const PENDING: TimelineEntry = { at: '', status: 'ACSP' }

function paymentStatus(draft: Draft, instructingAgent: string | undefined, request: Request): Line | undefined {
  const key = paymentKey(instructingAgent, request.originalTxId)
  const payment = draft.state.payments.get(key)
  if (!payment) {
    draft.add({ type: 'never_received_told', key })
    return neverReceived(request)
  }
  if (payment.silent) return undefined
  const entry = happened(payment.timeline, draft.now).at(-1) ?? PENDING
  const information = entry.status === 'RJCT' ? 'Rejected by the clearing system' : undefined
  return { ...transactionStatus(payment.transaction, entry, payment.settlementDate), information }
}

function returnStatus(draft: Draft, request: Request): Line {
  const found = draft.state.bankReturns.get(request.originalTxId)
  if (!found) {
    draft.add({ type: 'never_received_told', key: returnKey(request.originalMsgId, request.originalTxId) })
    return neverReceived(request)
  }
  const entry = happened(found.timeline, draft.now).at(-1) ?? PENDING
  return {
    instructionId: found.returnId,
    endToEndId: request.originalEndToEndId,
    txId: request.originalTxId,
    status: entry.status,
    reason: entry.reason,
    effectiveSettlementDate: entry.status === 'ACSC' ? found.settlementDate : undefined,
  }
}

const neverReceived = (request: Request): Line => ({
  instructionId: request.originalInstructionId,
  endToEndId: request.originalEndToEndId,
  txId: request.originalTxId,
  uetr: request.originalUetr,
  status: 'RJCT',
  reason: 'AG09',
  information: 'Original payment never received',
})
