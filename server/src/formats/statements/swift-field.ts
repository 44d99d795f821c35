import { unsignedDecimal } from './decimal.ts'
import type { Decimal } from './types.ts'

/** One field of a SWIFT message, `:61:...`, with its continuation lines. */
export type SwiftField = Readonly<{ tag: string; lines: readonly string[]; line: number; endsFile: boolean }>

/**
 * An amount as SWIFT writes it: digits and one decimal comma, `12,5` or `12,`. Banks that leave out a zero before the comma (`,50`), or write a
 * point instead (`12.50`), are understood: the point where it can only be a decimal one.
 */
export function swiftAmount(text: string): Decimal | undefined {
  const trimmed = text.trim()
  if (/^,\d+$/.test(trimmed)) return unsignedDecimal(`0${trimmed.replace(',', '.')}`)
  if (/^\d+(?:,\d*)?$/.test(trimmed)) return unsignedDecimal(trimmed.replace(',', '.'))
  return /^\d+\.\d{2}$/.test(trimmed) ? unsignedDecimal(trimmed) : undefined
}
