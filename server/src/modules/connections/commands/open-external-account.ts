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
  readonly currency: Currency
}

/**
 * The book of what others tell an organization, or the bank itself, about money elsewhere: apart from the books of our own money, so that
 * a file of many thousand entries makes no payment wait for the book's lock, and one for each, so that it makes no other organization's
 * file wait either. Accounts that earlier releases connected stay where they are, most of them in one book for everybody, `external`.
 */
export const openExternalBook = (tx: Tx, owner: Id<'organization'> | 'bank', now: Date): Promise<BookId> =>
  openBook(tx, { code: `external:${owner}`, now })

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
  const bookId = known.bookId ?? (await openExternalBook(tx, organizationId, now))
  // An IBAN is the whole name: MT940 and OFX tell a bank code beside it, camt may not.
  const bankCode = account.iban === null ? (account.bankCode ?? '') : ''
  const ledgerAccountId =
    known.ledgerAccountId ?? derivedId('ledger_account', organizationId, 'EXT', bankCode, account.id, currency)
  const contraCode = `EXTC:${organizationId}:${currency}`
  // Accounts that were connected by the first release stand in the organization's own book, their contra account under another id.
  const [contra] = await accountsByCode(tx, bookId, [contraCode])
  const contraAccountId = contra?.id ?? derivedId('ledger_account', organizationId, 'EXTC', currency, bookId)
  const opened = { id: known.id, bookId, ledgerAccountId, contraAccountId, currency }
  // Openers of one book take turns until they commit: where there is nothing to open, nobody waits.
  if (known.ledgerAccountId !== null && contra) return opened
  const common = { currency, normalSide: 'credit', floor: null } as const
  const answer = await openAccounts(
    tx,
    bookId,
    [
      { ...common, id: ledgerAccountId, code: `EXT:${ledgerAccountId}` },
      { ...common, id: contraAccountId, code: contraCode },
    ],
    now,
  )
  assert(answer.ok, 'the ledger refused an external account')
  if (known.ledgerAccountId === null) await attachLedgerAccount(tx, { id: known.id, bookId, ledgerAccountId })
  return opened
}

/** Bank code and number as one text. MT940 prints them together already. */
const printedNumber = ({ bankCode, id }: StatementAccount): string =>
  bankCode === null || id.startsWith(bankCode) ? id : `${bankCode} ${id}`
