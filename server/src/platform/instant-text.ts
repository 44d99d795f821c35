/** `2026-03-01 08:00:06.12+00`, as PostgreSQL writes a time in UTC, with as many decimals as it needs. */
const UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/

export const isUtcText = (text: string): boolean => UTC.test(text)

const DATE = 10
const SECONDS = 19

/** The same as ISO 8601 with milliseconds, as `Date` writes it: what is finer is cut off. */
export function instantText(written: string): string {
  if (!isUtcText(written)) return new Date(written.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')).toISOString()
  const milliseconds =
    written.length > SECONDS + 3
      ? written
          .slice(SECONDS + 1, -3)
          .padEnd(3, '0')
          .slice(0, 3)
      : '000'
  return `${written.slice(0, DATE)}T${written.slice(DATE + 1, SECONDS)}.${milliseconds}Z`
}
