import type { Id } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { BookId, LedgerAccountId } from '../../ledger/index.ts'

/** What a payment needs to know of one of our accounts. */
export type PaymentAccount = {
  readonly id: Id<'bank_account'>
  readonly organizationId: Id<'organization'>
  readonly iban: string
  readonly bic: string
  readonly currency: Currency
  readonly status: 'active' | 'closed'
  readonly name: string
  /** The account's owner as other banks are told. */
  readonly holderName: string
  readonly bookId: BookId
  readonly ledgerAccountId: LedgerAccountId
}

/** An account as its owner reads it; the balances come from the ledger. */
export type BankAccount = {
  readonly id: Id<'bank_account'>
  readonly organizationId: Id<'organization'>
  readonly number: number
  readonly slug: string
  readonly name: string
  readonly status: 'active' | 'closed'
  readonly main: boolean
  /** Null when a connected account elsewhere has none. */
  readonly iban: string | null
  readonly bic: string | null
  readonly accountNumber: string | null
  readonly currency: Currency
  readonly isExternal: boolean
  /** Booked: everything that has settled. */
  readonly balanceMinor: bigint
  /** Booked less what pending debits hold. */
  readonly authorizedBalanceMinor: bigint
  /** Its own last change; not that of its feed. */
  readonly updatedAt: Date
}

/** The ledger's code of a customer's account. */
export const ledgerCodeOf = (iban: string): string => `CUST:${iban}`
