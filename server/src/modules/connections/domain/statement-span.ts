import { addDays, type LocalDate } from '../../../platform/clock.ts'

/** What a statement says about its days, nothing more than is needed here. */
type Dated = {
  readonly from: LocalDate | null
  readonly to: LocalDate | null
  readonly balances: readonly { readonly date: LocalDate | null }[]
  readonly entries: readonly { readonly bookingDate: LocalDate; readonly status: string }[]
}

/**
 * The days of a statement. `day`: its opening balance is the one before this day; null when nothing of it has a day. `isStated`: the
 * statement says so itself, and nothing of it counts earlier. `end`: its last day.
 */
export type StatementSpan = { readonly day: LocalDate | null; readonly isStated: boolean; readonly end: LocalDate | null }

export function spanOf(statement: Dated): StatementSpan {
  const days = statement.entries
    .filter((entry) => entry.status === 'BOOK')
    .map((entry) => entry.bookingDate)
    .sort()
  const latest = days.at(-1) ?? null
  const stated = statement.from ?? statement.balances[0]?.date ?? null
  const end = later(statement.to ?? statement.balances.at(-1)?.date ?? null, latest) ?? stated
  // A start after everything that the statement holds is a mistake of the bank.
  if (stated === null || (end !== null && stated > end)) return { day: days[0] ?? end, isStated: false, end }
  // An opening balance is often dated with the day of the closing balance before it (MT940, PRCD): it counts before the first booking.
  const day = statement.from === null ? (days.find((booked) => booked >= stated) ?? end) : stated
  return { day, isStated: true, end }
}

/** The day on which a booking counts: its own, but not before its statement's opening balance, which lacks it. */
export const countingDay = (bookingDate: LocalDate, { day, isStated }: StatementSpan): LocalDate =>
  isStated && day !== null && day > bookingDate ? day : bookingDate

const later = (a: LocalDate | null, b: LocalDate | null): LocalDate | null => (a === null ? b : b === null || a > b ? a : b)

// Bookings count at noon of their day; a balance carried forward counts on the evening before, earlier than the banking day's
// start in Central European time and later than every booking of the day before.
export const dayBefore = (day: LocalDate): LocalDate => addDays(day, -1)
export const eveOf = (day: LocalDate): Date => new Date(`${dayBefore(day)}T18:00:00.000Z`)
export const noonOf = (day: LocalDate): Date => new Date(`${day}T12:00:00.000Z`)

const SIX_HOURS_MS = 6 * 3_600_000

/** The day before whose eve is over nothing counts yet of what counts at the instant: `balanceBefore` of any later day has it. */
export const countsOn = (instant: Date): LocalDate => new Date(instant.getTime() - 1 + SIX_HOURS_MS).toISOString().slice(0, 10)
