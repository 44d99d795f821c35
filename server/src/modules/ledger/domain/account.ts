import type { Id } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { BookId, LedgerAccountId, OperationKey } from './operation.ts'

export interface NewAccount {
  readonly id: LedgerAccountId
  /** Unique within the book, for example `CUST:<iban>`, `NOSTRO:EUR`, `CLR:SCT:OUT`: 1 to 128 characters. */
  readonly code: string
  readonly currency: Currency
  /** `credit`: liability, income, equity (customers). `debit`: asset, expense (nostro). For presentation; balances are always credits − debits. */
  readonly normalSide: 'debit' | 'credit'
  /** The lowest that balance − held may be, in minor units, never above zero: 0n no overdraft, −50000n agreed overdraft of 500.00, null no limit (nostro, clearing). */
  readonly floor: bigint | null
}

/** An account as it stands in this transaction. */
export interface Account extends NewAccount {
  readonly bookId: BookId
  readonly status: 'open' | 'closed'
  readonly debits: bigint
  readonly credits: bigint
  /** credits − debits */
  readonly balance: bigint
  /** The sum of pending holds. */
  readonly held: bigint
  /** balance − held: what may leave before the floor is looked at. */
  readonly available: bigint
  /** How far forced transfers have taken available under the floor; 0n normally. */
  readonly overdrawn: bigint
  /** How many entries the account has, which is the last entry's version. */
  readonly version: bigint
}

/** Why accounts are not opened; none of the call's accounts is. */
export type OpenAccountsRefusal = 'account_id_reused_with_other_content' | 'account_code_taken'

/** Why an account is not closed. */
export type CloseAccountRefusal = 'account_not_found' | 'balance_not_zero' | 'holds_pending'

/** Why a period is not closed. */
export type ClosePeriodRefusal = 'period_not_over'

/** One leg of a transfer, as its account sees it. */
export interface Entry {
  readonly version: bigint
  readonly side: 'debit' | 'credit'
  /** Above zero. */
  readonly amount: bigint
  readonly balanceAfter: bigint
  readonly counterAccountId: LedgerAccountId
  readonly seq: bigint
  readonly code: string
  readonly group: Id<'ledger_group'> | null
  readonly reference: string | null
  /** The hold that was posted, if it was one. */
  readonly hold: OperationKey | null
  readonly forced: boolean
  readonly effectiveAt: Date
  readonly recordedAt: Date
}

/** A transfer of the book's log. */
export interface LoggedTransfer {
  readonly seq: bigint
  readonly debitAccountId: LedgerAccountId
  readonly creditAccountId: LedgerAccountId
  readonly currency: Currency
  readonly amount: bigint
  readonly debitVersion: bigint
  readonly debitBalance: bigint
  readonly creditVersion: bigint
  readonly creditBalance: bigint
  readonly code: string
  readonly group: Id<'ledger_group'> | null
  readonly reference: string | null
  readonly hold: OperationKey | null
  readonly forced: boolean
  readonly effectiveAt: Date
  readonly recordedAt: Date
}

export interface Hold {
  readonly id: OperationKey
  readonly accountId: LedgerAccountId
  readonly currency: Currency
  readonly amount: bigint
  readonly status: 'pending' | 'posted' | 'voided' | 'expired'
  /** What was posted of it; 0n unless posted. */
  readonly posted: bigint
  readonly code: string
  readonly reference: string | null
  readonly expiresAt: Date | null
}

/** What an account gained (less than zero: lost) by the entries that count from one instant. */
export type Movement = { readonly effectiveAt: Date; readonly minor: bigint }
