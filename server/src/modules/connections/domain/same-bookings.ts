import type { LocalDate } from '../../../platform/clock.ts'

/** A booking as every format tells it: its day and its signed amount. */
export type Booking = { readonly day: LocalDate; readonly signedMinor: bigint }

/**
 * Which bookings of a statement stand in the books already under another name, because they came in another format or from a report with
 * other references. For a statement that is complete for its days: then all that the books have of these days is in it, and day and
 * amount are enough.
 *
 * @returns positions in `told`; none when a booking of the books is missing from it, for then something else is going on.
 */
export function sameBookings(told: readonly Booking[], inBooks: readonly Booking[]): readonly number[] {
  const open = positionsByName(told)
  const same: number[] = []
  for (const booking of inBooks) {
    const position = open.get(nameOf(booking))?.shift()
    if (position === undefined) return []
    same.push(position)
  }
  return same
}

/**
 * The same for a report without balances, about days for which the books are complete: what it tells of them can only be what they have.
 * @returns positions in `told`.
 */
export function bookingsAmong(
  told: readonly Booking[],
  inBooks: readonly Booking[],
  isCovered: (day: LocalDate) => boolean,
): readonly number[] {
  const open = positionsByName(told)
  return inBooks.flatMap((booking) => (isCovered(booking.day) ? (open.get(nameOf(booking))?.shift() ?? []) : []))
}

function positionsByName(bookings: readonly Booking[]): Map<string, number[]> {
  const open = new Map<string, number[]>()
  for (const [position, booking] of bookings.entries()) {
    const positions = open.get(nameOf(booking))
    if (positions) positions.push(position)
    else open.set(nameOf(booking), [position])
  }
  return open
}

const nameOf = ({ day, signedMinor }: Booking): string => `${day} ${signedMinor}`
