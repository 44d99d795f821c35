import type { LocalDate } from '../../platform/clock.ts'

/** A date as read: `corrected` when the file names a day that its month does not have, such as 30 February. */
export type ReadDate = Readonly<{ date: LocalDate; corrected: boolean }>

/**
 * A calendar day from its parts, exact when it exists. A day up to 31 that its month does not have becomes the month's last day:
 * banks that count 30 days per month book interest on 30 February. @returns undefined when it cannot be a date at all.
 */
export function dateOf(year: number, month: number, day: number): ReadDate | undefined {
  if (!(year >= 1900 && year <= 2999 && month >= 1 && month <= 12 && day >= 1 && day <= 31)) return undefined
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return { date: `${year}-${two(month)}-${two(Math.min(day, last))}`, corrected: day > last }
}

const two = (value: number): string => value.toString().padStart(2, '0')

/** `2014-12-31`, with or without time and zone: the day as the bank wrote it, not converted. */
export function isoDate(text: string): ReadDate | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T.*|Z|[+-]\d{2}:\d{2})?$/.exec(text)
  return match ? dateOf(Number(match[1]), Number(match[2]), Number(match[3])) : undefined
}

/** `YYMMDD` of SWIFT: 70 to 99 are the 1900s. */
export function swiftDate(text: string): ReadDate | undefined {
  const match = /^(\d{2})(\d{2})(\d{2})$/.exec(text)
  if (!match) return undefined
  const year = Number(match[1])
  return dateOf(year + (year >= 70 ? 1900 : 2000), Number(match[2]), Number(match[3]))
}

/** `MMDD` of an entry date in the year that brings it nearest to the value date: 0102 beside 2013-12-31 is in 2014. */
export function swiftEntryDate(text: string, valueDate: LocalDate): ReadDate | undefined {
  const year = Number(valueDate.slice(0, 4))
  let nearest: ReadDate | undefined
  for (const candidate of [year, year - 1, year + 1]) {
    const read = dateOf(candidate, Number(text.slice(0, 2)), Number(text.slice(2)))
    if (read && (!nearest || distance(read.date, valueDate) < distance(nearest.date, valueDate))) nearest = read
  }
  return nearest
}

const distance = (a: LocalDate, b: LocalDate): number => Math.abs(Date.parse(a) - Date.parse(b))

/** `20110331120000.000[-5:EST]` of OFX: the day in the zone the bank wrote. */
export function ofxDate(text: string): ReadDate | undefined {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})(?:\D.*|\d{2,6}.*)?$/.exec(text)
  return match ? dateOf(Number(match[1]), Number(match[2]), Number(match[3])) : undefined
}

/** How a CSV column writes dates. `YYYY`, `YY`, `MM`, `DD` in this order with these marks; time after it is left aside. */
export const DATE_FORMATS = [
  'YYYY-MM-DD',
  'DD.MM.YYYY',
  'DD/MM/YYYY',
  'DD-MM-YYYY',
  'MM/DD/YYYY',
  'MM-DD-YYYY',
  'YYYY/MM/DD',
  'YYYY.MM.DD',
  'YYYYMMDD',
  'DDMMYYYY',
  'DD.MM.YY',
  'DD/MM/YY',
  'DD-MM-YY',
  'MM/DD/YY',
  'YY-MM-DD',
] as const

export type DateFormat = (typeof DATE_FORMATS)[number]

/** The parts of a format and the expression that finds them. One-digit days and months are accepted where a mark separates them. */
const PATTERNS = new Map(
  DATE_FORMATS.map((format) => {
    const separated = /[^A-Z]/.test(format)
    const parts: string[] = []
    const pattern = format.replace(/YYYY|YY|MM|DD|[./-]/g, (part) => {
      if (/[./-]/.test(part)) return `\\${part}`
      parts.push(part)
      return part === 'YYYY' ? '(\\d{4})' : part === 'YY' || !separated ? '(\\d{2})' : '(\\d{1,2})'
    })
    return [format, { parts, expression: new RegExp(`^${pattern}(?:[T ,].*)?$`) }] as const
  }),
)

/** Reads a date in one format. */
export function formattedDate(text: string, format: DateFormat): ReadDate | undefined {
  const pattern = PATTERNS.get(format)
  const match = pattern?.expression.exec(text.trim())
  if (!pattern || !match) return undefined
  const part = (name: string): number => Number(match[pattern.parts.indexOf(name) + 1])
  const year = pattern.parts.includes('YYYY') ? part('YYYY') : part('YY') + (part('YY') >= 70 ? 1900 : 2000)
  return dateOf(year, part('MM'), part('DD'))
}
