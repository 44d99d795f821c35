import { type Id, newId } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { BookId, LedgerAccountId } from '../../ledger/index.ts'
import * as store from '../store.ts'
import { slugsOf } from './open-bank-account.ts'

export type ConnectAccount = {
  readonly organizationId: Id<'organization'>
  readonly organizationSlug: string
  readonly name: string
  readonly holderName: string
  readonly iban: string | null
  readonly bic: string | null
  /** As its bank prints it; null when the IBAN is known. */
  readonly accountNumber: string | null
  readonly currency: Currency
  readonly now: Date
}

export type ConnectedAccount = {
  readonly id: Id<'bank_account'>
  /** Both null until somebody keeps its history in the ledger. */
  readonly bookId: BookId | null
  readonly ledgerAccountId: LedgerAccountId | null
}

/**
 * Finds the organization's account at another bank, under whichever of its names, or notes it (system scope). One whose IBAN was not known
 * gets it. Two callers at once connect it once.
 */
export async function connectAccount(tx: Tx, request: ConnectAccount): Promise<ConnectedAccount> {
  const { organizationId, organizationSlug, iban, accountNumber, currency, now, ...told } = request
  const { next: number } = await store.lockAccountNumbers(tx, organizationId)
  const germanNumber = germanNumberOf(iban ?? accountNumber ?? '')
  const known = await store.findConnectedAccount(tx, { organizationId, iban, accountNumber, germanNumber, currency })
  if (known) {
    if (known.iban === null && iban !== null) await store.setIban(tx, { id: known.id, iban })
    return known
  }
  const id = newId<'bank_account'>()
  await store.insertAccount(tx, {
    ...slugsOf(organizationSlug, number),
    ...told,
    id,
    organizationId,
    number,
    main: false,
    country: iban?.slice(0, 2) ?? null,
    iban,
    accountNumber,
    currency,
    isExternal: true,
    bookId: null,
    ledgerAccountId: null,
    statedBalanceMinor: null,
    createdAt: now,
  })
  return { id, bookId: null, ledgerAccountId: null }
}

/**
 * Bank code and account number, 18 digits, of a German account: its IBAN holds them, and MT940 and OFX print them instead of it, as
 * `37040044/532013000`. So an account is one account in every format.
 */
function germanNumberOf(printed: string): string | null {
  const iban = /^DE\d{2}(\d{18})$/.exec(printed)
  const parts = /^(\d{8})[/ ](\d{1,10})$/.exec(printed)
  return iban?.[1] ?? (parts ? `${parts[1]}${parts[2]?.padStart(10, '0')}` : null)
}
