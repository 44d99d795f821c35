import type { Currency, Money } from '../../platform/money.ts'
import { minorDigits, parseDecimal } from '../../platform/money.ts'
import type { Result } from '../../platform/result.ts'
import { ok, refuse } from '../../platform/result.ts'
import type { Decimal } from './types.ts'

type Exact = { digits: bigint; scale: number }

/** No bank writes more; it keeps hostile digits out of the arithmetic. ISO 20022 allows 18 in all. */
const DIGITS_MAX = 18

/**
 * Reads an unsigned decimal as ISO 20022 amounts are written: `12.50`, `7`, `.5`, `12.` (all valid xs:decimal), no sign but `+`,
 * no exponent, no separators. At most 18 digits on either side of the point.
 */
export function unsignedDecimal(text: string): Decimal | undefined {
  const match = /^\+?(\d*)(?:\.(\d*))?$/.exec(text)
  const whole = match?.[1] ?? ''
  const fraction = match?.[2] ?? ''
  if (!match || (whole === '' && fraction === '') || whole.length > DIGITS_MAX || fraction.length > DIGITS_MAX) return undefined
  return `${whole.replace(/^0+(?=\d)/, '') || '0'}${fraction === '' ? '' : `.${fraction}`}`
}

/** Whether text may be counted with here: what `unsignedDecimal` gives, with or without a minus. */
const exact = (text: Decimal): Exact => {
  const negative = text.startsWith('-')
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.')
  const digits = BigInt(whole + fraction)
  return { digits: negative ? -digits : digits, scale: fraction.length }
}

const rescale = (value: Exact, scale: number): bigint => value.digits * 10n ** BigInt(scale - value.scale)

function written({ digits, scale }: Exact): Decimal {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0')
  return `${digits < 0n ? '-' : ''}${text.slice(0, text.length - scale)}${scale === 0 ? '' : `.${text.slice(-scale)}`}`
}

/** The exact sum, with as many decimals as the longest part. */
export function sumDecimals(parts: Iterable<Decimal>): Decimal {
  const values = [...parts].map(exact)
  const scale = values.reduce((most, value) => Math.max(most, value.scale), 0)
  return written({ digits: values.reduce((sum, value) => sum + rescale(value, scale), 0n), scale })
}

/** `-0` never comes out: zero stays zero. */
export const negateDecimal = (value: Decimal): Decimal =>
  isZero(value) ? value.replace('-', '') : value.startsWith('-') ? value.slice(1) : `-${value}`

export const isNegative = (value: Decimal): boolean => value.startsWith('-') && !isZero(value)

export const isZero = (value: Decimal): boolean => !/[1-9]/.test(value)

/** By value: `8.850` equals `8.85`. */
export const equalDecimals = (a: Decimal, b: Decimal): boolean => isZero(sumDecimals([a, negateDecimal(b)]))

/** One spelling per value: `8.850` and `8.85` give `8.85`. For keys. */
export const canonicalDecimal = (value: Decimal): Decimal =>
  (value.includes('.') ? value.replace(/\.?0+$/, '') : value).replace(/^-(?=0$)/, '')

/**
 * The amount in the currency's minor units, exactly.
 *
 * @returns `amount_has_more_decimals` when digits would be lost (27.055 EUR; 27.050 EUR is fine), `amount_too_large` beyond 64 bits.
 */
export function toMinor(currency: Currency, value: Decimal): Result<Money, 'amount_has_more_decimals' | 'amount_too_large'> {
  const amount = parseDecimal(currency, value)
  if (amount) return ok(amount)
  const lost = (value.split('.')[1] ?? '').slice(minorDigits(currency))
  return refuse(/[1-9]/.test(lost) ? 'amount_has_more_decimals' : 'amount_too_large')
}

/** How a column or a file writes its decimals. */
export type NumberStyle = Readonly<{ decimal: '.' | ','; thousands: '' | '.' | ',' | ' ' | "'" }>

/**
 * Reads a signed decimal in a given style. Thousands must stand in groups of three, so that `12,5,0` is nobody's number.
 * A sign may lead or trail (`12,50-`), a minus may be U+2212, spaces may be no-break spaces; parentheses mean negative.
 */
export function styledDecimal(text: string, style: NumberStyle): Decimal | undefined {
  let rest = text
    .replace(/[\u00a0\u202f\u2009]/g, ' ')
    .replace(/\u2212/g, '-')
    .replace(/[\u2019]/g, "'")
    .trim()
  let negative = false
  const parenthesised = /^\((.*)\)$/.exec(rest)
  const signed = /^([+-]) ?([^+-]*)$/.exec(rest) ?? /^([^+-]*?) ?([+-])$/.exec(rest)
  if (parenthesised) {
    negative = true
    rest = parenthesised[1] ?? ''
  } else if (signed) {
    const leads = signed[1] === '-' || signed[1] === '+'
    negative = (leads ? signed[1] : signed[2]) === '-'
    rest = (leads ? signed[2] : signed[1]) ?? ''
  }
  if (style.thousands !== '' && rest.includes(style.thousands)) {
    const [whole = '', ...fraction] = rest.split(style.decimal)
    const groups = whole.split(style.thousands)
    if (groups.some((group, index) => !(index === 0 ? /^\d{1,3}$/ : /^\d{3}$/).test(group)) || fraction.length > 1)
      return undefined
    rest = [groups.join(''), ...fraction].join(style.decimal)
  }
  if (style.decimal === ',') {
    if (rest.includes('.')) return undefined
    rest = rest.replace(',', '.')
  }
  const value = rest.startsWith('+') ? undefined : unsignedDecimal(rest)
  if (value === undefined) return undefined
  return negative ? negateDecimal(value) : value
}

/**
 * The style in which a set of amounts is written, by their own evidence: a mark that comes last before one, two or four and more
 * digits is the decimal mark, one that repeats or stands before the other is not. `ambiguous` when all there is are marks before exactly three
 * digits (`1.000`): then the mark is taken for the decimal mark, as OFX and the absence of grouping say.
 */
export function numberStyleOf(amounts: Iterable<string>): { style: NumberStyle; ambiguous: boolean } {
  let point = 0 // votes: above zero for the point as decimal mark, below for the comma
  let doubtful: '.' | ',' | undefined
  let grouping: ' ' | "'" | undefined
  for (const amount of amounts) {
    const text = amount
      .replace(/[\u00a0\u202f\u2009]/g, ' ')
      .replace(/\u2019/g, "'")
      .trim()
    if (/\d'\d{3}/.test(text)) grouping = "'"
    else if (/\d \d{3}/.test(text)) grouping = ' '
    const marks = text.match(/[.,]/g) ?? []
    const last = marks.at(-1)
    if (last === undefined) continue
    const after = text.slice(text.lastIndexOf(last) + 1).replace(/\D/g, '').length
    const other = marks.some((mark) => mark !== last)
    const repeated = marks.filter((mark) => mark === last).length > 1
    if (!other && !repeated && after === 3) doubtful ??= last as '.' | ','
    else if (repeated) point += last === '.' ? -1 : 1
    else point += last === '.' ? 1 : -1
  }
  const decimal = point === 0 ? (doubtful ?? '.') : point > 0 ? '.' : ','
  const thousands = grouping ?? (decimal === '.' ? ',' : '.')
  return { style: { decimal, thousands }, ambiguous: point === 0 && doubtful !== undefined && grouping === undefined }
}
