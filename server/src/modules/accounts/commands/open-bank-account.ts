import { buildIban } from '../../../formats/payments/iban.ts'
import { assert } from '../../../platform/assert.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { type BookId, openAccounts, openBook } from '../../ledger/index.ts'
import { ledgerCodeOf, type PaymentAccount } from '../domain/bank-account.ts'
import { type BankCountry, type BankIdentity, bicOfCountry } from '../settings.ts'
import * as store from '../store.ts'

export type OpenBankAccount = {
  readonly organizationId: Id<'organization'>
  readonly organizationSlug: string
  /** The owner's legal name, as other banks are told. */
  readonly holderName: string
  readonly name: string
  /** Whose IBAN form the account has. */
  readonly country: BankCountry
  readonly currency: Currency
  readonly bank: BankIdentity
  readonly now: Date
  /** The lowest that the available balance may be, in minor units: 0n unless an overdraft was agreed. */
  readonly floorMinor?: bigint
}

/** The book that takes in every organization until somebody decides otherwise. */
export const DEFAULT_BOOK = 'main'

/**
 * Opens an account with an IBAN of its own and its ledger account (system scope). The organization's first account is its main one.
 * @throws Bug when the ledger refuses an account that has just been made up.
 */
export async function openBankAccount(tx: Tx, request: OpenBankAccount): Promise<PaymentAccount> {
  const { organizationId, organizationSlug, country, currency, bank, holderName, name, now } = request
  const bookId = await bookOf(tx, organizationId, now)
  const { next: number, hasMain } = await store.lockAccountNumbers(tx, organizationId)
  const { number: accountNumber } = await store.nextAccountNumber(tx)
  const iban = buildIban(country, bank.codes[country], accountNumber)
  const bic = bicOfCountry(bank, country)
  const ledgerAccountId = newId<'ledger_account'>()
  const opened = await openAccounts(
    tx,
    bookId,
    [{ id: ledgerAccountId, code: ledgerCodeOf(iban), currency, normalSide: 'credit', floor: request.floorMinor ?? 0n }],
    now,
  )
  assert(opened.ok, 'the ledger refused a new account')
  const id = newId<'bank_account'>()
  await store.insertAccount(tx, {
    ...slugsOf(organizationSlug, number),
    id,
    organizationId,
    number,
    name,
    holderName,
    main: !hasMain,
    country,
    iban,
    bic,
    accountNumber: null,
    currency,
    isExternal: false,
    bookId,
    ledgerAccountId,
    statedBalanceMinor: null,
    createdAt: now,
  })
  return { id, organizationId, iban, bic, currency, status: 'active', name, holderName, bookId, ledgerAccountId }
}

/** How an account and its transactions are called in URLs and exports. */
export const slugsOf = (organizationSlug: string, number: number) => ({
  slug: `${organizationSlug}-bank-account-${number}`,
  transactionSlugPrefix: `${organizationSlug}-${number}`,
})

/** The book that the organization lives in; a new organization is routed to the default one. */
export async function bookOf(tx: Tx, organizationId: Id<'organization'>, now: Date): Promise<BookId> {
  const route = await store.findBookRoute(tx, organizationId)
  if (route) return route.bookId
  const bookId = await openBook(tx, { code: DEFAULT_BOOK, now })
  await store.insertBookRoute(tx, organizationId, bookId)
  return bookId
}
