/**
 * An outgoing SEPA credit transfer, from the hold on the debtor's account to the end.
 *
 *   pending ──submit──▶ submitted ──ACCP/ACSP──▶ accepted ──ACSC──▶ settled ──pacs.004──▶ returned
 *      (hold)              │    ▲                   │  (hold posted     (clearing is paid
 *                          │    └─ any answer ──┐   │   to clearing)     from the nostro)
 *                          ├─ silence ─▶ unknown┘   └─RJCT─▶ rejected (clearing gives the money back)
 *                          └─RJCT──────────────────▶ rejected (hold voided)
 *
 * A status only moves forward (sepa.md §9); settled is final but for a return. `unknown` is not an end: the rail is asked (pacs.028)
 * and the transfer is never sent again.
 */
export const CREDIT_TRANSFER_STATUSES = [
  'pending',
  'submitted',
  'unknown',
  'accepted',
  'settled',
  'rejected',
  'returned',
] as const

export type CreditTransferStatus = (typeof CREDIT_TRANSFER_STATUSES)[number]

/** What a status report of the rail means for the money. */
export type StatusEffect =
  /** Nothing new: a repeated or an earlier status. */
  | 'nothing'
  /** The hold is posted against clearing. */
  | 'accept'
  /** Clearing is paid from the nostro. */
  | 'settle'
  /** Both at once: the acceptance was lost, or the rail settles without one. */
  | 'accept_and_settle'
  /** The hold is voided. */
  | 'reject'
  /** Clearing gives the money back to the debtor. */
  | 'reject_accepted'
  /** The report contradicts a final status: the books stay, an operator looks. */
  | 'contradiction'
  /** Accepted by the rail after we gave the money back: it left, so the debtor's account is debited whatever its balance. */
  | 'settle_after_rejection'

const ACCEPTED = new Set(['ACTC', 'ACCP', 'ACSP', 'ACWC'])
const SETTLED = new Set(['ACSC', 'ACCC'])

/**
 * Decides what a transaction status (pacs.002 TxSts or GrpSts) does to a transfer.
 *
 * @param status where the transfer stands. @param report ISO external payment transaction status code.
 */
export function decideStatusReport(status: CreditTransferStatus, report: string): StatusEffect {
  if (ACCEPTED.has(report)) {
    if (status === 'submitted' || status === 'unknown') return 'accept'
    return status === 'rejected' ? 'contradiction' : 'nothing'
  }
  if (SETTLED.has(report)) {
    if (status === 'submitted' || status === 'unknown') return 'accept_and_settle'
    if (status === 'accepted') return 'settle'
    return status === 'rejected' ? 'settle_after_rejection' : status === 'pending' ? 'contradiction' : 'nothing'
  }
  if (report === 'RJCT') {
    if (status === 'submitted' || status === 'unknown') return 'reject'
    if (status === 'accepted') return 'reject_accepted'
    return status === 'rejected' ? 'nothing' : 'contradiction'
  }
  return 'nothing' // RCVD, PDNG and codes we do not know: the rail is still at work
}

/** Statuses after which no answer is awaited any more. */
export const isFinal = (status: CreditTransferStatus): boolean =>
  status === 'settled' || status === 'rejected' || status === 'returned'
