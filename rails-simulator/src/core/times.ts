const ZONE = 'Europe/Brussels'

/** The business date of an instant in the clearing system's zone (CET/CEST). */
export const businessDate = (instant: string): string => DATE.format(new Date(instant))

// The Swedish locale writes dates as ISO does.
const DATE = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit' })
const HOUR = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hour: '2-digit', hour12: false })

export const plus = (instant: string, milliseconds: number): string => new Date(Date.parse(instant) + milliseconds).toISOString()

/** The instant at which a business date begins: its midnight in the clearing system's zone. */
export function startOfBusinessDate(date: string): string {
  const midnightUtc = `${date}T00:00:00.000Z`
  const hoursAhead = Number(HOUR.format(new Date(midnightUtc))) % 24
  return plus(midnightUtc, -hoursAhead * 3_600_000)
}
