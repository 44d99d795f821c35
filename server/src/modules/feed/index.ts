/**
 * The feed's door: what happened on accounts as their owners read it. Money is moved by the ledger; whoever moves it writes the feed here
 * in the same transaction, many rows in one statement.
 */
import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { publishingWriter } from '../../platform/write.ts'
import type { OperationKey } from '../ledger/index.ts'
import { writeCompleted, writePending } from './commands/write-feed.ts'
import * as store from './store.ts'

export { assignVat } from './commands/assign-vat.ts'
export { linkLabels } from './commands/labels.ts'
export { complete, completed, decline } from './commands/write-feed.ts'
export { type CompletedMovement, type Completion, type Movement, ownTransfer, type PendingMovement } from './domain/movement.ts'
export type { Category, CounterpartyAccount } from './domain/transaction.ts'
export { sepaAccount } from './domain/transaction.ts'
export { parseVatRate, type VatRate } from './domain/vat-rate.ts'
export { findTransaction, type Transaction } from './queries/find-transaction.ts'
export { labelsByName } from './queries/labels.ts'
export { rowSubject } from './queries/row-subjects.ts'
export { type StatementMovement, statementDocument, type ToldByBanks } from './queries/statement-document.ts'

export { type ShownTransaction, TransactionSchema, transactionToWire } from './wire.ts'

/** The key of the entry behind a transaction; null while none is. */
export const ledgerKeyOf = async (
  tx: Tx,
  organizationId: Id<'organization'>,
  id: Id<'transaction'>,
): Promise<OperationKey | null> => (await store.findLedgerKey(tx, organizationId, id))?.ledgerKey ?? null

/** `pending` and `completed` for commands that are decided together: each says its own `at`. */
export const pendingMovements = publishingWriter('feed.pending', writePending)
export const completedMovements = publishingWriter('feed.completed', writeCompleted)

/** What the feed of an account holds of some days. */
export const bookingsBetween = store.bookingsBetween

/** The day of an account's latest completed transaction. */
export const latestBookingDay = async (tx: Tx, bankAccountId: Id<'bank_account'>): Promise<string | undefined> =>
  (await store.findLatestBooking(tx, bankAccountId))?.day

/** Reckons the balances of a connected account's feed anew: its bank has told bookings in another order than their days. */
export const restateBalances = store.restateBalances
