/**
 * The ledger's door. Every movement of money goes through `post` (in the caller's own transaction) or a `PostingLane` (many callers,
 * one commit). Balances are credits − debits in minor units: a customer's account is a liability, so its balance is what it owns;
 * a nostro's balance is negative when the bank has money there.
 */
import type { LocalDate } from '../../platform/clock.ts'
import type { Currency } from '../../platform/money.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import type { Result } from '../../platform/result.ts'
import type { BookId, LedgerAccountId, Operation, OperationKey, Outcome } from './domain/operation.ts'

export type {
  BookId,
  GroupId,
  HoldOperation,
  LedgerAccountId,
  Operation,
  OperationKey,
  Outcome,
  Posted,
  PostHoldOperation,
  TransferOperation,
  VoidHoldOperation,
} from './domain/operation.ts'
export type { PostingRefusal } from './domain/refusals.ts'
export { AMOUNT_MAX, BATCH_MAX, POSTING_REFUSALS } from './domain/refusals.ts'

/** Opens the book named `code`, or finds it: repeated, the same book. */
export declare function openBook(tx: Tx, book: { code: string; now: Date }): Promise<BookId>

/** The book named `code`, if it is open. */
export declare function findBook(tx: Tx, code: string): Promise<BookId | undefined>

export interface NewAccount {
  readonly id: LedgerAccountId
  /** Unique within the book, for example `CUST:<iban>`, `NOSTRO:EUR`, `CLR:SCT:OUT`. */
  readonly code: string
  readonly currency: Currency
  /** `credit`: liability, income, equity (customers). `debit`: asset, expense (nostro). For presentation; balances are always credits − debits. */
  readonly normalSide: 'debit' | 'credit'
  /** The lowest that balance − held may be, in minor units: 0n no overdraft, −50000n agreed overdraft of 500.00, null no limit (nostro, clearing). */
  readonly floor: bigint | null
}

/** Why accounts are not opened; none of the call's accounts is. */
export type OpenAccountsRefusal = 'account_id_reused_with_other_content' | 'account_code_taken'

/** Opens accounts in a book; those that stand there already with the same content are left as they are. All or none. */
export declare function openAccounts(
  tx: Tx,
  bookId: BookId,
  accounts: readonly NewAccount[],
  now: Date,
): Promise<Result<readonly Account[], OpenAccountsRefusal>>

/** An account as it stands in this transaction. */
export interface Account {
  readonly id: LedgerAccountId
  readonly bookId: BookId
  readonly code: string
  readonly currency: Currency
  readonly normalSide: 'debit' | 'credit'
  readonly status: 'open' | 'closed'
  readonly debits: bigint
  readonly credits: bigint
  /** credits − debits */
  readonly balance: bigint
  /** The sum of pending holds. */
  readonly held: bigint
  /** balance − held: what may leave before the floor is looked at. */
  readonly available: bigint
  readonly floor: bigint | null
  /** How far forced transfers have taken available under the floor; 0n normally. */
  readonly overdrawn: bigint
  /** How many entries the account has; the last entry's version. */
  readonly version: bigint
}

/** The accounts with these ids, in the order asked; unknown ids are left out. */
export declare function balancesOf(tx: Tx, accountIds: readonly LedgerAccountId[]): Promise<Account[]>

/** The accounts of a book with these codes, in the order asked; unknown codes are left out. */
export declare function accountsByCode(tx: Tx, bookId: BookId, codes: readonly string[]): Promise<Account[]>

/** The balance after all entries recorded (or effective) at or before an instant; 0n before the first. */
export declare function balanceAsOf(
  tx: Tx,
  accountId: LedgerAccountId,
  asOf: { recorded: Date } | { effective: Date },
): Promise<bigint>

/** The balance right after the account's entry number `version`; undefined when there is none. Version 0 is 0n. */
export declare function balanceAtVersion(tx: Tx, accountId: LedgerAccountId, version: bigint): Promise<bigint | undefined>

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
  readonly group: string | null
  readonly reference: string | null
  readonly forced: boolean
  readonly effectiveAt: Date
  readonly recordedAt: Date
}

/** A page of an account's entries by version. `afterVersion`: oldest first from there (0n: from the start). `beforeVersion`, or neither: newest first. */
export declare function entriesPage(
  tx: Tx,
  page: { accountId: LedgerAccountId; limit: number; afterVersion?: bigint; beforeVersion?: bigint },
): Promise<Entry[]>

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
  readonly group: string | null
  readonly reference: string | null
  readonly hold: OperationKey | null
  readonly forced: boolean
  readonly effectiveAt: Date
  readonly recordedAt: Date
}

/** The book's transfers with seq above `afterSeq`, in commit order: the ledger's own outbox. Holds and voids take a seq but are not in it. */
export declare function transfersAfter(tx: Tx, bookId: BookId, afterSeq: bigint, limit: number): Promise<LoggedTransfer[]>

/**
 * Posts operations in the caller's transaction, in order; each sees what the ones before it did. Call it last: the book's lock is
 * held until commit.
 *
 * @param now the bank's time. The book's recorded time never runs backwards: an earlier `now` records at the book's latest time.
 * @returns one outcome per operation, in order. Refused operations leave no trace; the others are posted with the transaction.
 * @throws Bug on more than BATCH_MAX operations, or a group whose legs are not neighbours; a database error otherwise (nothing is written).
 */
export declare function post(tx: Tx, bookId: BookId, operations: readonly Operation[], now: Date): Promise<Outcome[]>

export interface PostingLaneOptions {
  readonly database: Database
  readonly bookId: BookId
  readonly now: () => Date
  /** Most operations of one commit; 1,000 unless said. */
  readonly batchMax?: number
  /**
   * Runs in the same transaction, after the posting and before the commit: for rows that must agree with the money. It must not depend
   * on having run before: a lost connection is resolved by sending the same keys again, and then it is called with replayed outcomes,
   * also where its rows were committed (insert with `on conflict do nothing`). A throw fails every caller of the batch.
   */
  readonly alongside?: (tx: Tx, operations: readonly Operation[], outcomes: readonly Outcome[]) => Promise<void>
}

/** Coalesces concurrent callers of one book into one commit at a time. One lane per book and process. */
export declare class PostingLane {
  constructor(options: PostingLaneOptions)
  /** Posts operations as neighbours in one commit. Resolves after the commit: what it answers is durable. */
  submit(operations: readonly Operation[]): Promise<Outcome[]>
  /** `submit` for one operation. */
  submitOne(operation: Operation): Promise<Outcome>
  /** Takes no more, and resolves when everything taken is answered. */
  close(): Promise<void>
}

/** Why a period is not closed. */
export type ClosePeriodRefusal = 'period_not_over'

/** Closes the book for effective times up to the end of `through` (a banking day, Central European time). Repeated or earlier: no change. */
export declare function closePeriod(
  tx: Tx,
  period: { bookId: BookId; through: LocalDate; now: Date },
): Promise<Result<{ closedThrough: LocalDate }, ClosePeriodRefusal>>

/** Why an account is not closed. */
export type CloseAccountRefusal = 'account_not_found' | 'balance_not_zero' | 'holds_pending'

/** Closes an account with balance zero and no pending holds: no entry and no hold may touch it again. Repeated: no change. */
export declare function closeAccount(tx: Tx, accountId: LedgerAccountId, now: Date): Promise<Result<void, CloseAccountRefusal>>

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

/** The hold placed by the operation with this key, if there is one. */
export declare function findHold(tx: Tx, bookId: BookId, hold: OperationKey): Promise<Hold | undefined>

/** Releases the pending holds of a book that are due at `now`. @returns those released, at most `limit` (1,000 unless said). */
export declare function expireHolds(tx: Tx, bookId: BookId, now: Date, limit?: number): Promise<Hold[]>

/** One proof over the whole ledger. */
export interface LedgerCheck {
  readonly name: string
  readonly violations: number
  /** The first few, as text for a person. */
  readonly examples: readonly string[]
}

export interface LedgerReport {
  readonly ok: boolean
  readonly checks: readonly LedgerCheck[]
  /** How many entries (two per transfer) were looked at. */
  readonly entries: number
  /** Accounts that stand under their floor because of forced transfers: allowed, but somebody should know. */
  readonly forcedOverdrafts: number
  readonly seconds: number
}

/** Proves the whole ledger from its entries: zero sum per currency, balance = entries, versions, floors, holds, keys, orphans. Reads one snapshot. */
export declare function verifyLedger(database: Database): Promise<LedgerReport>
