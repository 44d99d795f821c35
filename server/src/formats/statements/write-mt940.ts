import { formatDecimal, type Money, minorDigits } from '../../platform/money.ts'
import { toSepaText } from '../payments/sepa-text.ts'
import { swiftTypeOf } from './business-codes.ts'
import {
  absolute,
  assertAddsUp,
  bankTransactionCode,
  type StatementDocument,
  type StatementDocumentEntry,
  type StatementEntryKind,
} from './statement-document.ts'

/**
 * Writes MT940: one message for the period, as a text file with CRLF line ends, without SWIFT blocks. Field 86 carries `/TAG/` pairs.
 * What a field is too short for is not cut into something else: a reference of more than 16 characters stands in field 86 only.
 * @see SWIFT User Handbook, Category 9, MT940; character set X, which is SEPA's.
 */
export function writeMt940(document: StatementDocument): string {
  assertAddsUp(document)
  const lines = [
    `:20:ST${swiftDay(document.from)}${document.sequenceNumber.toString().slice(-8)}`,
    `:25:${document.iban}`,
    `:28C:${document.sequenceNumber.toString().slice(-5)}/1`,
    `:60F:${balance(document.opening, document.from)}`,
    ...document.entries.flatMap(entryLines),
    `:62F:${balance(document.closing, document.to)}`,
    `:64:${balance(document.closing, document.to)}`,
    '-',
  ]
  return `${lines.join('\r\n')}\r\n`
}

const swiftDay = (date: string): string => date.slice(2).replaceAll('-', '')

/** `12,50`, JPY `7,`: the comma is always there. */
function swiftAmount(amount: Money): string {
  const text = formatDecimal(absolute(amount))
  return minorDigits(amount.currency) === 0 ? `${text},` : text.replace('.', ',')
}

const balance = (amount: Money, date: string): string =>
  `${amount.minor < 0n ? 'D' : 'C'}${swiftDay(date)}${amount.currency}${swiftAmount(amount)}`

const TYPES: Readonly<Record<StatementEntryKind, string>> = {
  credit_transfer: 'NTRF',
  instant_credit_transfer: 'NTRF',
  returned_credit_transfer: 'NRTI',
  internal_transfer: 'NTRF',
  direct_debit: 'NDDT',
  business_direct_debit: 'NDDT',
  returned_direct_debit: 'NRTI',
  reversed_direct_debit: 'NRTI',
  card_payment: 'NMSC',
  cash_withdrawal: 'NMSC',
  account_fee: 'NCHG',
  payment_fee: 'NCHG',
  interest: 'NINT',
  other: 'NMSC',
}

/** By family of ISO 20022, for another bank's booking. */
const FAMILY_TYPES: Readonly<Record<string, string>> = {
  ICDT: 'NTRF',
  RCDT: 'NTRF',
  IRCT: 'NTRF',
  RRCT: 'NTRF',
  RDDT: 'NDDT',
  IDDT: 'NDDT',
  ICHQ: 'NCHK',
  RCHQ: 'NCHK',
}

/** Miscellaneous, where nobody said what it is. */
function typeOf(entry: StatementDocumentEntry): string {
  if (entry.kind !== null) return TYPES[entry.kind]
  const [, family = '', subFamily] = bankTransactionCode(entry) ?? []
  const type = subFamily === 'RRTN' || subFamily === 'UPDD' || subFamily === 'PRDD' ? 'NRTI' : FAMILY_TYPES[family]
  return swiftTypeOf(entry.told?.bankTransactionCode ?? null) ?? type ?? 'NMSC'
}

function entryLines(entry: StatementDocumentEntry): string[] {
  const debit = entry.amount.minor < 0n
  // RC takes a credit back and is a debit; RD the other way round.
  const mark = entry.reversal ? (debit ? 'RC' : 'RD') : debit ? 'D' : 'C'
  const reference = shortReference(entry.reference)
  const line = `:61:${swiftDay(entry.valueDate ?? entry.bookingDate)}${entry.bookingDate.slice(5).replace('-', '')}${mark}${swiftAmount(entry.amount)}${typeOf(entry)}${shortReference(entry.endToEndId) ?? 'NONREF'}${reference === null ? '' : `//${reference}`}`
  return [line, ...wrapped(`:86:${information(entry)}`)]
}

/** A reference that fits SWIFT's 16 characters unchanged and cannot be taken for a separator; otherwise it is left out here. */
function shortReference(reference: string | null): string | null {
  const text = reference?.trim() ?? ''
  return /^[A-Za-z0-9?:().,'+-][A-Za-z0-9/?:().,'+ -]{0,15}$/.test(text) && !text.includes('//') && !text.endsWith('/')
    ? text
    : null
}

/** Six lines of 65 characters. */
const INFORMATION_MAX = 6 * 60

function information(entry: StatementDocumentEntry): string {
  const pairs: [string, string | null][] = [
    ['TRTP', entry.description],
    ['TRID', shortReference(entry.reference) === null ? entry.reference : null],
    ['IBAN', entry.counterpartyIban],
    ['BIC', entry.counterpartyBic],
    ['NAME', entry.counterpartyName],
    ['ULTD', entry.told?.ultimateParty ?? null],
    ['MARF', entry.mandateId],
    ['CSID', entry.told?.references.creditorId ?? null],
    ['EREF', entry.endToEndId],
    ['PURP', entry.told?.purpose ? `CD/${entry.told.purpose}` : null],
    ['OCMT', orderedText(entry)],
    ['REMI', entry.remittanceInformation],
  ]
  let text = ''
  for (const [tag, value] of pairs) {
    const clean = toSepaText(value ?? '')
      .replace(/\/(?=[A-Z]{2,5}\d?\/)/g, '-')
      .replace(/^\/+|\/+$/g, '')
    if (clean === '') continue
    const room = INFORMATION_MAX - text.length - tag.length - 2
    if (room > 0) text += `/${tag}/${clean.slice(0, room).trimEnd()}`
  }
  return text === '' ? '/TRTP/NONE' : text
}

const orderedText = ({ told }: StatementDocumentEntry): string | null =>
  told?.instructed ? `${told.instructed.currency}${told.instructed.amount.replace('.', ',')}` : null

/** Lines of at most 65 characters that neither start with what ends a field (`:` or `-`) nor start or end with a space. */
function wrapped(text: string): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > 65) {
    let end = 65
    while (end > 55 && (/[:\- ]/.test(rest.charAt(end)) || rest.charAt(end - 1) === ' ')) end -= 1
    lines.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  return [...lines, rest]
}
