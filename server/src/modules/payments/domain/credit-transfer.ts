import { defineMoves } from '../../../platform/moves.ts'

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

/**
 * An outgoing SEPA credit transfer, from the hold on the debtor's account to the end: the whole of what its status may do, which is also
 * drawn in the module's README. A status only moves forward (sepa.md §9); settled is final but for a return, and for a settlement that
 * the rail reports after we took it for rejected. `unknown` is not an end: the rail is asked (pacs.028), and the transfer is never sent again.
 */
export const CREDIT_TRANSFER_MOVES = defineMoves({
  submit: [['pending'], 'submitted'], // a hold stands on the debtor's account
  settle_in_house: [['pending'], 'settled'],
  reject_in_house: [['pending'], 'rejected'],
  ask: [['submitted', 'unknown'], 'unknown'], // nobody answered in time
  accept: [['submitted', 'unknown'], 'accepted'], // the hold is posted to clearing
  ask_about_settlement: [['accepted'], 'accepted'],
  settle: [['accepted'], 'settled'], // clearing is paid from the nostro
  accept_and_settle: [['submitted', 'unknown'], 'settled'],
  reject: [['submitted', 'unknown'], 'rejected'], // the hold is voided
  reject_accepted: [['accepted'], 'rejected'], // clearing gives the money back
  settle_after_rejection: [['rejected'], 'settled'],
  return: [['accepted', 'settled', 'returned'], 'returned'], // pacs.004; the whole, or another part
})

export type CreditTransferMove = keyof typeof CREDIT_TRANSFER_MOVES

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
