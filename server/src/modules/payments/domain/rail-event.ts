import type { LocalDate } from '../../../platform/clock.ts'
import type { Money } from '../../../platform/money.ts'

/** What one transaction in a message from the rail says, whatever the message it came in. */
export type RailEvent = StatusReported | TransferReturned | TransferReceived

/** From pacs.002: the status of a transaction that we sent, or of all of a message when `transactionId` is null. */
export type StatusReported = {
  readonly kind: 'status_reported'
  /** MsgId of our message, if the report names it. */
  readonly originalMessageId: string | null
  /** TxId of our transfer. */
  readonly transactionId: string | null
  /** ISO external payment transaction status code: ACSP, ACSC, RJCT … */
  readonly status: string
  readonly reasonCode: string | null
  /** The rail answers that it never received the transfer that we asked about. */
  readonly isUnknownToRail: boolean
  /** The rail refused a second copy of a transfer that it has already (AM05). */
  readonly isAboutCopy: boolean
}

/** From pacs.004: money that we sent comes back. */
export type TransferReturned = {
  readonly kind: 'transfer_returned'
  readonly originalTransactionId: string
  readonly amount: Money
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
