import type { StatementAccount } from '../../../formats/statements/index.ts'
import { assert } from '../../../platform/assert.ts'
import { derivedId, type Id } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { attachLedgerAccount, connectAccount } from '../../accounts/index.ts'
import { accountsByCode, type BookId, type LedgerAccountId, openAccounts, openBook } from '../../ledger/index.ts'

/** An account at another bank whose history stands in our books, against a contra account of the organization. */
export type ExternalAccount = {
  readonly id: Id<'bank_account'>
  readonly bookId: BookId
  readonly ledgerAccountId: LedgerAccountId
  readonly contraAccountId: LedgerAccountId
}

/**
 * The book of what is told about accounts at other banks. It is apart from the books of our own money, so that a file of many thousand
 * bookings never makes a payment wait for the book's lock.
 */
const EXTERNAL_BOOK = 'external'

/** Finds the organization's external account in this currency, or connects it; gives it ledger accounts, which may go below zero. */
export async function openExternalAccount(
  tx: Tx,
  { organizationId, organizationSlug, now }: { organizationId: Id<'organization'>; organizationSlug: string; now: Date },
  account: StatementAccount,
  currency: Currency,
): Promise<ExternalAccount> {
  const known = await connectAccount(tx, {
    organizationId,
    organizationSlug,
    name: account.holder ?? account.id,
    holderName: account.holder ?? '',
    iban: account.iban,
    bic: account.bic,
    accountNumber: account.iban === null ? printedNumber(account) : null,
    currency,
    now,
  })
  const bookId = known.bookId ?? (await openBook(tx, { code: EXTERNAL_BOOK, now }))
  // An IBAN is the whole name: MT940 and OFX tell a bank code beside it, camt may not.
  const bankCode = account.iban === null ? (account.bankCode ?? '') : ''
  const ledgerAccountId =
    known.ledgerAccountId ?? derivedId('ledger_account', organizationId, 'EXT', bankCode, account.id, currency)
  const contraCode = `EXTC:${organizationId}:${currency}`
  // Accounts that were connected by the first release stand in the organization's own book, their contra account under another id.
  const [standing] = await accountsByCode(tx, bookId, [contraCode])
  const contraAccountId = standing?.id ?? derivedId('ledger_account', organizationId, 'EXTC', currency, bookId)
  const common = { currency, normalSide: 'credit', floor: null } as const
  const opened = await openAccounts(
    tx,
    bookId,
    [
      { ...common, id: ledgerAccountId, code: `EXT:${ledgerAccountId}` },
      { ...common, id: contraAccountId, code: contraCode },
    ],
    now,
  )
  assert(opened.ok, 'the ledger refused an external account')
  if (known.ledgerAccountId === null) await attachLedgerAccount(tx, { id: known.id, bookId, ledgerAccountId })
  return { id: known.id, bookId, ledgerAccountId, contraAccountId }
}

/** Bank code and number as one text. MT940 prints them together already. */
const printedNumber = ({ bankCode, id }: StatementAccount): string =>
  bankCode === null || id.startsWith(bankCode) ? id : `${bankCode} ${id}`
