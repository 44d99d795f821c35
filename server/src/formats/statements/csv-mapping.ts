import { DATE_FORMATS, type DateFormat } from './dates.ts'
import { StatementRefused } from './problems.ts'

/** A column by the text of its header, or by its number counted from 1. */
export type CsvColumn = string | number

/** The meanings a column can have. `text` may be several columns, joined by a space. */
export const CSV_FIELDS = [
  'account',
  'currency',
  'date',
  'valueDate',
  'amount',
  'debit',
  'credit',
  'direction',
  'balance',
  'status',
  'text',
  'additionalText',
  'reference',
  'endToEndId',
  'mandateId',
  'counterparty',
  'counterpartyIban',
  'counterpartyBic',
  'transactionCode',
  // Who pays and who is paid: the one that is not the account's owner is the counterparty.
  'payer',
  'payee',
  'ultimateParty',
  'creditorId',
  'creditorReference',
  // The order before it was exchanged.
  'originalAmount',
  'originalCurrency',
  // Comes off the account beside the amount; a fee that the amount holds already is no column here.
  'fee',
] as const

export type CsvField = (typeof CSV_FIELDS)[number]

/**
 * How to read a bank's CSV. Every property may be left out; what is left out is found from the content, and `columns` names only those
 * whose meaning is not found, or is another. Date and amount must be known one way or the other.
 */
export type CsvMapping = Readonly<{
  /** A label of the Encoding Standard: `utf-8`, `windows-1252`, `iso-8859-15` ... */
  encoding?: string
  delimiter?: ',' | ';' | '\t' | '|'
  /** Lines before the header, or before the first row when there is no header. */
  skipLines?: number
  /** false: the first row is already an entry and columns are numbers. */
  header?: boolean
  decimal?: '.' | ','
  thousands?: '' | '.' | ',' | ' ' | "'"
  dateFormat?: DateFormat
  /** The account of all rows, when no column names it. */
  account?: string
  /** The currency of all rows, when no column names it. */
  currency?: string
  /** What the `direction` column says for money going out, besides the usual words. */
  debitWords?: readonly string[]
  columns?: Readonly<Partial<Record<CsvField, CsvColumn | readonly CsvColumn[]>>>
}>

const ALLOWED: Readonly<Record<string, readonly unknown[] | 'string' | 'boolean' | 'count' | 'words' | 'columns'>> = {
  encoding: 'string',
  delimiter: [',', ';', '\t', '|'],
  skipLines: 'count',
  header: 'boolean',
  decimal: ['.', ','],
  thousands: ['', '.', ',', ' ', "'"],
  dateFormat: DATE_FORMATS,
  account: 'string',
  currency: 'string',
  debitWords: 'words',
  columns: 'columns',
}

/** Checks a mapping that came from outside. @throws StatementRefused `mapping_invalid`, naming the property. */
export function checkedMapping(value: unknown): CsvMapping {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('the mapping', 'is not a JSON object')
  const mapping = value as Record<string, unknown>
  for (const [name, given] of Object.entries(mapping)) {
    const allowed = Object.hasOwn(ALLOWED, name) ? ALLOWED[name] : undefined
    if (allowed === undefined) throw invalid(name, 'is not a property of a mapping')
    if (given !== undefined && !fits(allowed, given)) throw invalid(name, `cannot be ${JSON.stringify(given)?.slice(0, 60)}`)
  }
  if (mapping.currency !== undefined && !/^[A-Z]{3}$/.test(mapping.currency as string))
    throw invalid('currency', 'is not an ISO 4217 code')
  if (mapping.decimal !== undefined && mapping.decimal === mapping.thousands) throw invalid('thousands', 'is the same as decimal')
  return mapping as unknown as CsvMapping
}

function fits(allowed: (typeof ALLOWED)[string], given: unknown): boolean {
  if (Array.isArray(allowed)) return allowed.includes(given)
  if (allowed === 'count') return Number.isInteger(given) && (given as number) >= 0 && (given as number) <= 10_000
  if (allowed === 'words') return Array.isArray(given) && given.every((word) => typeof word === 'string')
  if (allowed !== 'columns') return typeof given === allowed
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false
  return Object.entries(given).every(
    ([field, column]) =>
      (CSV_FIELDS as readonly string[]).includes(field) && (Array.isArray(column) ? column : [column]).every(isColumn),
  )
}

const isColumn = (column: unknown): boolean => typeof column === 'string' || (Number.isInteger(column) && (column as number) >= 1)

const invalid = (what: string, why: string) => new StatementRefused('mapping_invalid', 1, `${what} ${why}`)
