/**
 * The ledger's door. Every movement of money goes through `post` (in the caller's own transaction) or a `PostingLane` (many callers,
 * one commit). Balances are credits − debits in minor units: a customer's account is a liability, so its balance is what the customer
 * owns; a nostro's balance is negative when the bank has money there.
 */
export { closeAccount, closePeriod, openAccounts, prepareMonth } from './commands/accounts.ts'
export {
  carryOut,
  type MoneyAnswer,
  type MoneyDecision,
  type MoneyEffects,
  MoneyLane,
  type MoneyOrder,
} from './commands/money-lane.ts'
export { post } from './commands/post.ts'
export { PostingLane, type PostingLaneOptions } from './commands/posting-lane.ts'
export type {
  Account,
  CloseAccountRefusal,
  ClosePeriodRefusal,
  Entry,
  Hold,
  LoggedTransfer,
  Movement,
  NewAccount,
  OpenAccountsRefusal,
} from './domain/account.ts'
export type {
  BookId,
  GroupId,
  HoldOperation,
  LedgerAccountId,
  Operation,
  OperationKey,
  Outcome,
  Posted,
  PostHoldOperation,
  TransferOperation,
  VoidHoldOperation,
} from './domain/operation.ts'
export type { PostingRefusal } from './domain/refusals.ts'
export { AMOUNT_MAX, BATCH_MAX, TOTAL_MAX } from './domain/refusals.ts'
export { balanceAsOf, balanceAtVersion, entriesPage, movementsAfter } from './queries/entries.ts'
export { type LedgerCheck, type LedgerReport, verifyLedger } from './queries/verify-ledger.ts'
export {
  accountsByCode,
  balancesOf,
  type EntryOf,
  entriesMissing,
  entriesOfAccounts,
  expireHolds,
  findClosedUntil,
  findHold,
  findHolds,
  lockBooks,
  openBook,
  transfersAfter,
} from './store.ts'
