/**
 * Why the ledger refuses an operation, most basic first: when several apply, the first in this list is the answer.
 * `post_batch` (SQL) and the oracle `decide` give the same answer in the same order; a property test compares them.
 * A refusal leaves no trace: the same key may be sent again later and is decided anew.
 */
export const POSTING_REFUSALS = [
  /** The key is stored with another content. Nothing of the new content happened. */
  'key_reused_with_other_content',
  /** Not between 1 and AMOUNT_MAX minor units. */
  'amount_out_of_range',
  /** A hold to post or void that is not in this book. */
  'hold_not_found',
  'debit_account_not_found',
  'credit_account_not_found',
  'same_account_on_both_sides',
  /** The amount's currency is not the currency of both accounts (or of the hold). */
  'currency_mismatch',
  'debit_account_closed',
  'credit_account_closed',
  /** The effective time lies in a closed period of the book. */
  'period_closed',
  /** The hold was posted, voided or expired already, or its expiry is due. */
  'hold_not_pending',
  'amount_exceeds_hold',
  /** The debit (or the hold) would take balance − held under the account's floor. */
  'available_balance_insufficient',
  /** Total debits or credits of an account would pass TOTAL_MAX: sums can never overflow 64 bits. */
  'account_total_out_of_range',
  /** Another leg of the same group was refused (or had been stored before), so this one falls with it. */
  'group_refused',
] as const

export type PostingRefusal = (typeof POSTING_REFUSALS)[number]

/** The largest amount of one operation, in minor units: 10 trillion of a currency with two decimals. */
export const AMOUNT_MAX = 1_000_000_000_000_000n

/** The largest total of debits, and of credits, that one account may gather: 2^62, so that every sum and difference fits 64 bits. */
export const TOTAL_MAX = 4_611_686_018_427_387_904n

/** The most operations of one call: with AMOUNT_MAX, all of them together stay far from 64 bits. */
export const BATCH_MAX = 4_000
