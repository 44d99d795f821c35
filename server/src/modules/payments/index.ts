/**
 * The payments' door: internal transfers, SEPA credit transfers out and in, payment files. The states of a transfer: domain/credit-transfer.ts;
 * its accounting entries: postings.ts.
 */
export {
  type AcceptedPaymentFile,
  acceptPaymentFile,
  creditTransferStatuses,
  type FiledTransfer,
  recordPaymentFileAnswer,
} from './commands/accept-payment-file.ts'
export { type InitiationAnswer, initiateCreditTransfers } from './commands/initiate-credit-transfers.ts'
export { tellLoad } from './demo/index.ts'
export type { CreditTransferInstruction } from './domain/instruction.ts'
export { isTargetDay } from './domain/target-calendar.ts'
export { openHomeBook, type PaymentWorld, paymentPasses } from './passes.ts'
export { verifyPayments } from './queries/verify-payments.ts'
export { type Delivery, httpRail, httpRailSandbox, type Rail, type RailMessage, type RailSandbox } from './rail.ts'
export { openSettlementAccounts, settlementAccounts } from './settlement-accounts.ts'
