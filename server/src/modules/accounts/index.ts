/**
 * The accounts' door: IBAN accounts and the feed that their owners read. Money is moved by the ledger; whoever moves it writes the feed
 * here in the same transaction, many rows in one statement.
 */
import { gatherer } from '../../platform/gather.ts'
import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { writer } from '../../platform/write.ts'
import type { PaymentAccount } from './domain/bank-account.ts'
import type { NewTransaction, Settlement } from './domain/transaction.ts'
import * as store from './store.ts'

export { assignVat } from './commands/assign-vat.ts'
export { type ImportOutcome, type ImportProblem, importStatementFile } from './commands/import-statement-file.ts'
export { createLabel, linkLabels } from './commands/labels.ts'
export { type OpenBankAccount, openBankAccount } from './commands/open-bank-account.ts'
export { type ReplayRow, readReplayFile } from './commands/replay-file.ts'
export { type ReplayHistory, type ReplayRefusal, type ReplayReport, replayHistory } from './commands/replay-history.ts'
export type { BankAccount, PaymentAccount } from './domain/bank-account.ts'
export type {
  Category,
  CounterpartyAccount,
  NewTransaction,
  OperationType,
  Settlement,
  SubjectType,
} from './domain/transaction.ts'
export { sepaAccount } from './domain/transaction.ts'
export { allBankAccounts } from './queries/bank-accounts.ts'
export { statementDocument } from './queries/statement-document.ts'
export { type BankCountry, type BankIdentity, bankSettings } from './settings.ts'

/**
 * Our accounts with these IBANs (compact, upper case), whosever they are: for incoming payments, and for lanes that serve many
 * organizations at once (system scope). Closed ones are among them: look at `status`. Within an organization's scope only its own appear.
 * @returns by IBAN; an IBAN that is not ours has no entry.
 */
export async function findAccountsByIban(tx: Tx, ibans: readonly string[]): Promise<Map<string, PaymentAccount>> {
  const accounts = await store.findPaymentAccounts(tx, [...new Set(ibans)])
  return new Map(accounts.map((account) => [account.iban, account]))
}

/** The same for commands that are decided together. */
export const accountsByIban = gatherer('accounts.by_iban', findAccountsByIban)

/** `findAccountsByIban` for one. */
export async function findAccountByIban(tx: Tx, iban: string): Promise<PaymentAccount | undefined> {
  return (await store.findPaymentAccounts(tx, [iban]))[0]
}

/** Writes movements to the feed, in one statement. Rows whose id stands there already are left alone, so a repeated call is harmless. */
export async function recordTransactions(tx: Tx, rows: readonly NewTransaction[]): Promise<void> {
  if (rows.length > 0) await store.insertTransactions(tx, rows)
}

/** The same for commands that are decided together. */
export const feedRows = writer('accounts.transaction', (_, tx, rows: readonly NewTransaction[]) => recordTransactions(tx, rows))

/** Completes pending transactions, in one statement. @returns how many were pending; those that were not are left as they are. */
export const settleTransactions = async (tx: Tx, settlements: readonly Settlement[]): Promise<number> =>
  settlements.length === 0 ? 0 : store.settleTransactions(tx, settlements)

/** Declines pending transactions, in one statement. @returns how many were pending. */
export const declineTransactions = async (tx: Tx, ids: readonly Id<'transaction'>[], declinedAt: Date): Promise<number> =>
  ids.length === 0 ? 0 : store.declineTransactions(tx, ids, declinedAt)
