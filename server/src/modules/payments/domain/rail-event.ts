import type { LocalDate } from '../../../platform/clock.ts'
import type { Money } from '../../../platform/money.ts'

/** What one transaction in a message from the rail says, whatever the message it came in. */
export type RailEvent = StatusReported | TransferReturned | TransferReceived

/** An amount that a message repeats of ours: `other` when it is none in EUR, null when nothing is repeated. */
export type RepeatedAmount = Money | 'other' | null

/** From pacs.002: the status of a transaction that we sent, or of all of a message when `transactionId` is null. */
export type StatusReported = {
  readonly kind: 'status_reported'
  /** What kind of message of ours it speaks of: TxIds of returns are other banks' and may equal ours. */
  readonly about: 'transfer' | 'return' | 'other'
  /** MsgId of our message, if the report names it. */
  readonly originalMessageId: string | null
  /** TxId of our transfer, or of the one that we return. */
  readonly transactionId: string | null
  /** ISO external payment transaction status code: ACSP, ACSC, RJCT … */
  readonly status: string
  readonly reasonCode: string | null
  readonly repeatedAmount: RepeatedAmount
  /** The rail answers that it never received the transfer that we asked about. */
  readonly isUnknownToRail: boolean
  /** Rejected as a duplicate (AM05): a second copy of what the rail has already, unless it says so of the first. */
  readonly isAboutCopy: boolean
}

/** From pacs.004: money that we sent comes back, all of it or, after a recall, less a fee. */
export type TransferReturned = {
  readonly kind: 'transfer_returned'
  /** With `returnId` the scheme's key of the return. */
  readonly returningAgent: string
  readonly returnId: string
  readonly originalMessageId: string | null
  readonly originalTransactionId: string
  readonly amount: Money
  readonly repeatedAmount: RepeatedAmount
  readonly reasonCode: string
}

/** From pacs.008: money for one of our accounts. */
export type TransferReceived = {
  readonly kind: 'transfer_received'
  readonly messageId: string
  readonly instructingAgent: string
  readonly transactionId: string
  readonly endToEndId: string
  readonly debtorName: string
  readonly debtorIban: string
  readonly debtorBic: string | null
  readonly creditorName: string
  readonly creditorIban: string
  readonly amount: Money
  readonly remittanceInformation: string | null
  readonly settlementDate: LocalDate
}

/** Whether what a message repeats of our amount is our amount. */
export const repeatsAmount = (repeated: RepeatedAmount, minor: bigint): boolean =>
  repeated === null || (repeated !== 'other' && repeated.minor === minor)
