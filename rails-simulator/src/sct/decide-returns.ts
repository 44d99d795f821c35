import { parseCents } from '../core/cents.ts'
import type { Reply } from '../core/scheme.ts'
import { businessDate, plus } from '../core/times.ts'
import type { TransactionStatus } from '../messages/pacs002.ts'
import { PACS_004, type ReceivedReturns } from '../messages/pacs004.ts'
import type { CreditTransferDraft as Draft } from './content.ts'
import { type BankReturnRecord, returnKey } from './state.ts'

/** Takes a pacs.004 of the bank: each return of a payment that we sent is settled once, anything else is rejected with a reason. */
export function decideReturns(draft: Draft, message: ReceivedReturns): Reply {
  const seen = new Set<string>()
  for (const received of message.returns) {
    const at = plus(draft.now, 100 + draft.seeded.number(400, 'return', received.originalTxId, received.returnId))
    const refusal = seen.has(received.originalTxId)
      ? { reason: 'AM05', information: 'Returned twice in one message' }
      : check(draft, message.msgId, received)
    const settlementDate = businessDate(at)
    // A return rejected by wish is remembered too, so that a status request can tell.
    if (!refusal || refusal.reason === refusal.wished) {
      seen.add(received.originalTxId)
      const bankReturn: BankReturnRecord = {
        returnId: received.returnId,
        msgId: message.msgId,
        amount: received.amount,
        settlementDate,
        timeline: [{ at, status: refusal ? 'RJCT' : 'ACSC', reason: refusal?.reason }],
      }
      draft.add({ type: 'incoming_returned', txId: received.originalTxId, bankReturn })
    }
    const line: Omit<TransactionStatus, 'statusId'> = {
      instructionId: received.returnId,
      endToEndId: received.originalEndToEndId,
      txId: received.originalTxId,
      status: refusal ? 'RJCT' : 'ACSC',
      reason: refusal?.reason,
      information: refusal?.information,
      effectiveSettlementDate: refusal ? undefined : settlementDate,
    }
    draft.queue('SIMSTS', at, (msgId) => ({
      type: 'pacs.002.001.10',
      msgId,
      createdAt: at,
      instructedAgent: message.instructingAgent,
      originalMsgId: message.msgId,
      originalMessageName: PACS_004,
      transactions: [{ ...line, statusId: `${msgId}-1` }],
    }))
  }
  return 'taken'
}

type Refusal = { reason: string; information: string; wished?: string }

function check(draft: Draft, msgId: string, received: ReceivedReturns['returns'][number]): Refusal | undefined {
  if (draft.state.neverReceived.has(returnKey(msgId, received.originalTxId)))
    return { reason: 'AB01', information: 'Reported as never received; not executed any more' }
  const original = draft.state.incoming.get(received.originalTxId)
  if (!original) return { reason: 'AG09', information: 'Original payment never sent to this bank' }
  const earlier = draft.state.bankReturns.get(received.originalTxId)
  if (earlier && earlier.timeline[0]?.status !== 'RJCT') return { reason: 'AM05', information: 'Already returned' }
  if (received.currency !== 'EUR') return { reason: 'CURR', information: 'SCT settles in EUR only' }
  const cents = parseCents(received.amount)
  if (cents === undefined || cents !== parseCents(original.transaction.amount)) {
    return { reason: 'AM09', information: 'An SCT is returned in full' }
  }
  const wished = /(?:^|\s)SIM REJECT RETURN(?: ([A-Z]{2}[A-Z0-9]{2}))?$/i.exec(original.transaction.debtor.name)
  if (!wished) return undefined
  const reason = wished[1]?.toUpperCase() ?? 'MS03'
  return { reason, information: 'Return rejected by the clearing system', wished: reason }
}
