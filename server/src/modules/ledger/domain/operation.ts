import type { Id } from '../../../platform/ids.ts'
import type { Money } from '../../../platform/money.ts'
import type { Result } from '../../../platform/result.ts'
import type { PostingRefusal } from './refusals.ts'

declare const bookBrand: unique symbol

/** A book: the shard of the ledger in which an organization lives for life. */
export type BookId = number & { readonly [bookBrand]: true }

/** An account of the ledger. Made by the caller (`newId` or `derivedId`), so that opening is safe to repeat. */
export type LedgerAccountId = Id<'ledger_account'>

/** The caller's name for one operation: the same key with the same content has one effect and one answer, however often it is sent. */
export type OperationKey = Id<'ledger_operation'>

/** Operations of one call that carry the same group stand or fall together. They must be neighbours in the array. */
export type GroupId = Id<'ledger_group'>

interface OperationBase {
  readonly key: OperationKey
  readonly group?: GroupId | undefined
}

interface Coded extends OperationBase {
  /** What kind of movement this is, for example `sct.out`: 1 to 64 characters, the caller's vocabulary. */
  readonly code: string
  /** What the movement belongs to, for example a payment's id. A UUID; not interpreted. */
  readonly reference?: string | undefined
}

interface Effective {
  /** When the movement counts; absent: when it is recorded. Must not lie in a closed period. */
  readonly effectiveAt?: Date | undefined
}

/** Moves `amount` from `debit` to `credit` at once: balance = credits − debits, so the debited account goes down. */
export interface TransferOperation extends Coded, Effective {
  readonly kind: 'transfer'
  readonly debit: LedgerAccountId
  readonly credit: LedgerAccountId
  readonly amount: Money
  /**
   * Posts even when the debited account lacks the money, as a bank must when an answer comes late. The shortfall stays on record in
   * the account (`overdrawn`) until credits cover it, and the transfer is marked `forced`. Nothing else may go under a floor.
   */
  readonly force?: boolean | undefined
}

/** Reserves `amount` on an account: available goes down, the balance does not. The operation's key is the hold's name. */
export interface HoldOperation extends Coded {
  readonly kind: 'hold'
  readonly account: LedgerAccountId
  readonly amount: Money
  /** From this moment on the hold can no longer be posted; `expireHolds` releases it. Absent: never. */
  readonly expiresAt?: Date | undefined
}

/** Turns a pending hold into a transfer to `credit`, in full or in part. What is not posted is released. Possible even when the account has nothing else left. */
export interface PostHoldOperation extends Coded, Effective {
  readonly kind: 'post_hold'
  /** The key of the operation that placed the hold. */
  readonly hold: OperationKey
  readonly credit: LedgerAccountId
  /** Absent: the whole hold. */
  readonly amount?: Money | undefined
}

/** Releases a pending hold. */
export interface VoidHoldOperation extends OperationBase {
  readonly kind: 'void_hold'
  readonly hold: OperationKey
}

export type Operation = TransferOperation | HoldOperation | PostHoldOperation | VoidHoldOperation

/** What an accepted operation did. Balances are credits − debits in minor units, right after this operation; null where it has no such leg (holds and voids move nothing). */
export interface Posted {
  /** The operation's place in the book: without gaps, in commit order. */
  readonly seq: bigint
  /** True when the key was stored before (or earlier in the same call) and this is the stored answer. */
  readonly replayed: boolean
  readonly debitBalance: bigint | null
  readonly debitVersion: bigint | null
  readonly creditBalance: bigint | null
  readonly creditVersion: bigint | null
}

export type Outcome = Result<Posted, PostingRefusal>
