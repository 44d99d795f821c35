/**
 * The accounts' door: IBAN accounts of ours, and the organization's accounts at other banks by their names. What happened on them is kept
 * by the feed and by connections, their money by the ledger.
 */
import { gatherer } from '../../platform/gather.ts'
import { asId, type Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { BookId, LedgerAccountId } from '../ledger/index.ts'
import type { PaymentAccount } from './domain/bank-account.ts'
import * as store from './store.ts'

export { connectAccount } from './commands/connect-account.ts'
export { bookOf, DEFAULT_BOOK, type OpenBankAccount, openBankAccount } from './commands/open-bank-account.ts'
export type { BankAccount, PaymentAccount } from './domain/bank-account.ts'
export { allBankAccounts, findBankAccount, listBankAccounts } from './queries/bank-accounts.ts'
export { type BankCountry, type BankIdentity, bankSettings } from './settings.ts'
export type { LedgerLink } from './store.ts'

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

/**
 * The organization's account, one of ours or a connected one, by what a caller wrote: `id`, which wins, `iban`, blanks and case aside, or
 * `slug`.
 * @returns undefined when it has no such account.
 */
export function findAccountName(
  tx: Tx,
  organizationId: Id<'organization'>,
  asked: { readonly id?: string | undefined; readonly iban?: string | undefined; readonly slug?: string | undefined },
): Promise<store.AccountName | undefined> {
  return store.findAccount(tx, {
    organizationId,
    by: asked.id !== undefined ? 'id' : asked.iban !== undefined ? 'iban' : 'slug',
    id: asId<'bank_account'>(asked.id ?? '') ?? null,
    iban: (asked.iban ?? '').replaceAll(' ', '').toUpperCase(),
    slug: asked.slug ?? '',
  })
}

/** An account and its history, for a statement: by IBAN or number, one of ours before a connected one. Undefined when none has a ledger account. */
export const findStatementAccount = store.findStatementAccount

/** How accounts are called in URLs and exports, and what their transactions' slugs begin with, by id. */
export const namesOf = async (tx: Tx, ids: readonly Id<'bank_account'>[]): Promise<Map<string, store.AccountName>> =>
  ids.length === 0 ? new Map() : new Map((await store.namesOf(tx, [...new Set(ids)])).map((account) => [account.id, account]))

/** Says where the history of a connected account stands in the ledger (system scope). */
export const attachLedgerAccount = (
  tx: Tx,
  account: { readonly id: Id<'bank_account'>; readonly bookId: BookId; readonly ledgerAccountId: LedgerAccountId },
): Promise<number> => store.attachLedgerAccount(tx, account)

/** All accounts that have one in the ledger, whosever they are, a page by id (system scope). */
export const ledgerLinksAfter = store.ledgerLinksAfter
