import type { XmlElement } from '@partita/notation/xml'
import { child, children, textOf } from '@partita/notation/xml'
import type { LocalDate } from '../../platform/clock.ts'
import { isoDate } from './dates.ts'
import { negateDecimal, unsignedDecimal } from './decimal.ts'
import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'
import type { Decimal } from './types.ts'

/** An amount as the file has it, and its negative. */
export type ReadAmount = Readonly<{ value: Decimal; negative: Decimal; currency: string }>

/**
 * The one `Amt` of an entry or balance. The sign is never in it: ISO 20022 has CdtDbtInd for that.
 *
 * @param accountCurrency stands in, by name, where the compulsory attribute is missing.
 * @throws StatementRefused when there is none or several, when it is not a plain decimal, or without any currency.
 */
export function amountOf(parent: XmlElement, accountCurrency: string | undefined, problems: ProblemList): ReadAmount {
  const elements = children(parent, 'Amt')
  const element = elements[0]
  if (!element) throw new StatementRefused('amount_missing', parent.line, `<${parent.name}> without an amount`)
  if (elements.length > 1)
    throw new StatementRefused(
      'amount_malformed',
      elements[1]?.line ?? parent.line,
      `<${parent.name}> with ${elements.length} amounts`,
    )
  return readAmount(element, accountCurrency, problems)
}

/** An element that holds an amount and a Ccy attribute. */
export function readAmount(element: XmlElement, accountCurrency: string | undefined, problems: ProblemList): ReadAmount {
  const text = element.text.trim()
  const value = element.children.length > 0 ? undefined : unsignedDecimal(text)
  if (value === undefined) throw new StatementRefused('amount_malformed', element.line, `${quoted(text)} is not an amount`)
  const stated = element.attributes.Ccy?.trim()
  if (stated !== undefined && /^[A-Z]{3}$/.test(stated)) return { value, negative: negateDecimal(value), currency: stated }
  if (accountCurrency === undefined || !/^[A-Z]{3}$/.test(accountCurrency)) {
    throw new StatementRefused(
      'currency_missing',
      element.line,
      stated === undefined ? 'an amount without currency' : `${quoted(stated)} is not a currency`,
    )
  }
  problems.add(
    'currency_assumed',
    element.line,
    `${stated === undefined ? 'no currency' : quoted(stated)}; ${accountCurrency} of the account taken`,
  )
  return { value, negative: negateDecimal(value), currency: accountCurrency }
}

/** @returns undefined when it is not said. @throws StatementRefused for anything but CRDT and DBIT. */
export function directionOf(element: XmlElement): 'credit' | 'debit' | undefined {
  const indicator = child(element, 'CdtDbtInd')
  const text = textOf(indicator)
  if (text === undefined) return undefined
  if (text === 'CRDT') return 'credit'
  if (text === 'DBIT') return 'debit'
  throw new StatementRefused('direction_missing', indicator?.line ?? element.line, `${quoted(text)} is neither CRDT nor DBIT`)
}

/** The code of a choice, `Cd` or else `Prtry`, which itself may be text or hold `Cd` or `Id`. */
export const codeOf = (element: XmlElement | undefined): string | undefined =>
  textOf(element, 'Cd') ?? textOf(element, 'Prtry') ?? textOf(element, 'Prtry/Cd') ?? textOf(element, 'Prtry/Id')

/** The day of an ISO date or date-time. Days that do not exist are corrected and named, anything else is left out and named. */
export function isoDateOf(
  text: string | undefined,
  report?: { line: number; what: string; problems: ProblemList },
): LocalDate | null {
  if (text === undefined) return null
  const read = isoDate(text)
  if (!read) report?.problems.add('date_ignored', report.line, `${report.what} ${quoted(text)} is not a date`)
  if (read?.corrected)
    report?.problems.add('date_corrected', report.line, `${report.what} ${quoted(text)} does not exist; ${read.date} taken`)
  return read?.date ?? null
}
