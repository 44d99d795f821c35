import type { ParsedEntry } from '../../../formats/statements/index.ts'
import type { LocalDate } from '../../../platform/clock.ts'
import { type Currency, formatDecimal, money } from '../../../platform/money.ts'

/** A problem of the file: the reader's codes, and those of `IMPORT_PROBLEMS`. */
export type ImportProblem = { readonly line: number; readonly code: string; readonly message: string }

/** What import itself finds, beyond what the reader of the format said. */
export const IMPORT_PROBLEMS = {
  /** The currency has fewer decimals than the amount: not booked, kept exactly with the statement. */
  amount_has_more_decimals: 'the currency cannot hold this amount',
  amount_too_large: 'the amount is larger than the ledger keeps',
  /** The entry is in another currency than its account: not booked. */
  entry_currency_differs: 'the entry is in another currency than its account',
  /** The books are closed for the entry's date: not booked. */
  period_closed: 'the books are closed for this date',
  /** The statement does not begin where the bookings before it ended: some are missing, or the statement before does not add up. */
  balance_gap: 'the statement does not begin with the balance that the bookings before it come to',
  /** A booking is told late: it keeps the bank's day, and counts for balances from the statement's first day on, which lacks it. */
  booked_before_opening: 'booked on a day before the opening balance, which lacks it',
} as const
export type ImportProblemCode = keyof typeof IMPORT_PROBLEMS

/** An entry that the books could not take, kept exactly as its statement has it. */
export type UnbookedEntry = {
  readonly line: number
  readonly code: ImportProblemCode
  readonly amount: string
  readonly currency: string
  readonly bookingDate: LocalDate
}

export const unbookedEntry = (entry: ParsedEntry, code: ImportProblemCode): UnbookedEntry => ({
  line: entry.line,
  code,
  amount: entry.amount,
  currency: entry.currency,
  bookingDate: entry.bookingDate,
})

export const notBooked = ({ line, code, amount, currency }: UnbookedEntry): ImportProblem => ({
  line,
  code,
  message: `${IMPORT_PROBLEMS[code]}: ${amount} ${currency} is not booked`,
})

/** @param balance which one, as the file has it: `balance 12.345 EUR`. */
export const notCarried = (line: number, code: ImportProblemCode, balance: string): ImportProblem => ({
  line,
  code,
  message: `${IMPORT_PROBLEMS[code]}: ${balance} is not carried forward`,
})

/** @param count how many entries of the statement there are like this one, its first. */
export const countsLater = (entry: ParsedEntry, day: LocalDate, count: number): ImportProblem => ({
  line: entry.line,
  code: 'booked_before_opening',
  message: `${IMPORT_PROBLEMS.booked_before_opening}: ${entry.amount} ${entry.currency} keeps its day ${entry.bookingDate}, and counts for balances on ${day}${count > 1 ? `; so do ${count - 1} more` : ''}`,
})

export const gapBefore = (line: number, day: LocalDate, gapMinor: bigint, currency: Currency): ImportProblem => ({
  line,
  code: 'balance_gap',
  message: `${IMPORT_PROBLEMS.balance_gap}: ${amountText(gapMinor, currency)} carried forward on ${day}`,
})

export const gapAfter = (line: number, gapMinor: bigint, currency: Currency): ImportProblem => ({
  line,
  code: 'balance_gap',
  message: `the books have bookings of these days that the statement lacks: ${amountText(gapMinor, currency)} carried forward`,
})

const amountText = (minor: bigint, currency: Currency): string => `${formatDecimal(money(currency, minor))} ${currency}`
