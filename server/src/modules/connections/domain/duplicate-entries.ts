import { addDays, type LocalDate } from '../../../platform/clock.ts'
import type { AccountBooks, BookedEntry } from './account-books.ts'
import { entryKey, type Statement, type StatementEntry, sumOf } from './statement.ts'

/** An entry of a statement that is in the books already, under the key that it has there. */
export type KnownEntry = Pick<StatementEntry, 'key' | 'source'>

export type Compared = {
  /** How many of the statement's entries are in the books. */
  readonly duplicates: number
  /** Those of which it is certain which booking they are, under its key: what they say belongs to it. */
  readonly known: readonly KnownEntry[]
  /** The others, in the statement's order. */
  readonly missing: readonly StatementEntry[]
}

/**
 * Which entries of a statement are in the books. The only place that answers this:
 *
 * 1. An entry is a duplicate of the one with its key. But where the statement begins with the balance that the books end with, it goes on
 *    from there, and whatever it holds is not in them: equal entries on two pages of a day are two.
 * 2. An entry may be in the books under another key, because it came in another format, or in a report with other references. A statement
 *    that is complete for its days holds all that the books have of them, so there day and amount are enough (`completeMatches`). What a
 *    report without balances says of days that a statement has covered can only be what the books have (`reportMatches`).
 *
 * @param isRepeat the very statement has been imported before: it goes on from nowhere.
 */
export function compareWithBooks(books: AccountBooks, statement: Statement, isRepeat: boolean): Compared {
  const { entries, span, reconciles } = statement
  const days = entries.map((entry) => entry.day).sort()
  const [first] = days
  const last = days.at(-1)
  if (first === undefined || last === undefined || !books.hasEntryFrom(first))
    return { duplicates: 0, known: [], missing: entries }
  const inBooks = books.entriesBetween(first, last)
  const keys = new Set(inBooks.map((entry) => entry.key))
  const known = entries.filter((entry) => keys.has(entry.key))
  const missing = entries.filter((entry) => !keys.has(entry.key))

  const opening = reconciles === true && span.day !== null ? statement.statedOpening : undefined
  if (opening !== undefined && span.day !== null && !isRepeat && sumOf(known) !== 0n && endsWith(books, span.day, opening)) {
    return { duplicates: 0, known: [], missing: withNextNumbers(books, entries, keys) }
  }
  const stated = new Set(entries.map((entry) => entry.key))
  const unstated = inBooks.filter((entry) => !stated.has(entry.key))
  if (unstated.length === 0 || missing.length === 0) return { duplicates: known.length, known, missing }
  const isComplete = opening !== undefined && span.day !== null && beginsWith(books, span.day, opening)
  const same = isComplete
    ? completeMatches(missing, unstated)
    : reconciles === null
      ? reportMatches(missing, unstated, (day) => books.covers(day))
      : []
  const matched = new Set(same)
  return {
    duplicates: known.length + matched.size,
    known: [...known, ...certain(missing, unstated, matched)],
    missing: missing.filter((_, position) => !matched.has(position)),
  }
}

/**
 * Of entries that were found by day and amount: those whose day and amount nothing else has, here or there. Of two equal ones nobody knows
 * which is which, and what one payer wrote must not be told of the other.
 */
function certain(
  stated: readonly StatementEntry[],
  inBooks: readonly BookedEntry[],
  matched: ReadonlySet<number>,
): readonly KnownEntry[] {
  if (matched.size === 0) return []
  const here = Map.groupBy(stated, bookingName)
  const there = Map.groupBy(inBooks, bookingName)
  return stated.flatMap((entry, position) => {
    const [booked, ...others] = there.get(bookingName(entry)) ?? []
    if (!matched.has(position) || booked === undefined || others.length > 0 || here.get(bookingName(entry))?.length !== 1)
      return []
    return [{ key: booked.key, source: entry.source }]
  })
}

/**
 * Whether the books end with this balance, not counting what was carried forward for later days. They do not where reports go on
 * after the statements: then an equal balance is chance.
 */
function endsWith(books: AccountBooks, day: LocalDate, opening: bigint): boolean {
  const { reached } = books
  if (reached === undefined || day < reached.day || opening !== reached.minor) return false
  if (books.hasEntryFrom(addDays(reached.day, 1))) return false
  const carriedLater = books.carried.reduce((sum, { day: at, carriedMinor }) => (at > reached.day ? sum + carriedMinor : sum), 0n)
  return books.balanceMinor - carriedLater === opening
}

/**
 * Whether a statement that opens so holds all that the books have of its days: they have this balance before it, or what they have of its
 * first day came from reports. Otherwise it may be the second statement of a day.
 */
const beginsWith = (books: AccountBooks, day: LocalDate, opening: bigint): boolean =>
  !books.covers(day) || books.balanceBefore(day) === opening

/** Entries whose keys are taken get the next number among their equals, as one file with both would count them. */
function withNextNumbers(
  { ledgerAccountId }: AccountBooks,
  entries: readonly StatementEntry[],
  taken: Set<StatementEntry['key']>,
): StatementEntry[] {
  return entries.map((entry) => {
    if (!taken.has(entry.key)) return entry
    const at = entry.identity.lastIndexOf(':')
    for (let ordinal = Number(entry.identity.slice(at + 1)) + 1; ; ordinal++) {
      const identity = `${entry.identity.slice(0, at)}:${ordinal}`
      const key = entryKey(ledgerAccountId, identity)
      if (taken.has(key)) continue
      taken.add(key)
      return { ...entry, identity, key }
    }
  })
}

type Booking = Pick<BookedEntry, 'day' | 'signedMinor'>

/** @returns positions in `stated`; none when an entry of the books is not among them, for then something else is going on. */
function completeMatches(stated: readonly Booking[], inBooks: readonly Booking[]): readonly number[] {
  const open = positionsByBooking(stated)
  const same: number[] = []
  for (const booking of inBooks) {
    const position = open.get(bookingName(booking))?.shift()
    if (position === undefined) return []
    same.push(position)
  }
  return same
}

/** @returns positions in `stated`. */
function reportMatches(
  stated: readonly Booking[],
  inBooks: readonly Booking[],
  isCovered: (day: LocalDate) => boolean,
): readonly number[] {
  const open = positionsByBooking(stated)
  return inBooks.flatMap((booking) => (isCovered(booking.day) ? (open.get(bookingName(booking))?.shift() ?? []) : []))
}

function positionsByBooking(bookings: readonly Booking[]): Map<string, number[]> {
  const open = new Map<string, number[]>()
  for (const [position, booking] of bookings.entries()) {
    const positions = open.get(bookingName(booking))
    if (positions) positions.push(position)
    else open.set(bookingName(booking), [position])
  }
  return open
}

const bookingName = ({ day, signedMinor }: Booking): string => `${day} ${signedMinor}`
