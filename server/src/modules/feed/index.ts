/**
 * The feed's door: what happened on accounts as their owners read it. Money is moved by the ledger; whoever moves it writes the feed here
 * in the same transaction, many rows in one statement.
 */
import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { writer } from '../../platform/write.ts'
import type { NewTransaction, Settlement } from './domain/transaction.ts'
import * as store from './store.ts'

export { assignVat } from './commands/assign-vat.ts'
export { createLabel, linkLabels } from './commands/labels.ts'
export type {
  Category,
  CounterpartyAccount,
  NewTransaction,
  OperationType,
  Settlement,
  SubjectType,
} from './domain/transaction.ts'
export { sepaAccount } from './domain/transaction.ts'
export { type MissingMovements, type StatementMovement, statementDocument } from './queries/statement-document.ts'

/** Writes movements to the feed, in one statement. Rows whose id stands there already are left alone, so a repeated call is harmless. */
export async function recordTransactions(tx: Tx, rows: readonly NewTransaction[]): Promise<void> {
  if (rows.length > 0) await store.insertTransactions(tx, rows)
}

/** The same for commands that are decided together. */
export const feedRows = writer('feed.transaction', (_, tx, rows: readonly NewTransaction[]) => recordTransactions(tx, rows))

/** Completes pending transactions, in one statement. @returns how many were pending; those that were not are left as they are. */
export const settleTransactions = async (tx: Tx, settlements: readonly Settlement[]): Promise<number> =>
  settlements.length === 0 ? 0 : store.settleTransactions(tx, settlements)

/** Declines pending transactions, in one statement. @returns how many were pending. */
export const declineTransactions = async (tx: Tx, ids: readonly Id<'transaction'>[], declinedAt: Date): Promise<number> =>
  ids.length === 0 ? 0 : store.declineTransactions(tx, ids, declinedAt)

/** What the feed of an account holds of some days. */
export const bookingsBetween = store.bookingsBetween

/** The day of an account's latest completed transaction. */
export const latestBookingDay = async (tx: Tx, bankAccountId: Id<'bank_account'>): Promise<string | undefined> =>
  (await store.findLatestBooking(tx, bankAccountId))?.day

/** Reckons the balances of a connected account's feed anew: its bank has told bookings in another order than their days. */
export const restateBalances = store.restateBalances
