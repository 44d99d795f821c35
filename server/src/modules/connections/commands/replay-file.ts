import { isCalendarDate } from '@partita/notation/dates'
import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { type Currency, type Money, minorDigits, parseDecimal } from '../../../platform/money.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import { AMOUNT_MAX } from '../../ledger/index.ts'

/** One movement as the source told it, and what it said the balance was then. */
export type ReplayRow = {
  /** The file's own count: the first row after the header is 1. */
  readonly row: number
  readonly account: string
  /** YYYY-MM-DD */
  readonly date: string
  /** Signed: above zero the account gains. */
  readonly amount: Money
  readonly balanceAfter: Money
  readonly text: string
}

const COLUMNS = ['account', 'date', 'amount', 'balance_after', 'text'] as const
type Column = (typeof COLUMNS)[number]

/** The ledger's codes are 128 characters at most, and ours has a prefix, an owner and a currency in it. */
const ACCOUNT_LENGTH_MAX = 64
const HEADER_SHOWN = 200 // what is no CSV may be one endless line

/**
 * Reads a bank history: CSV with a header that has `account,date,amount,balance_after,text` (in any order, among others), decimal point,
 * signed amounts; UTF-8, or else Windows-1252 (Latin-1). A byte-order mark, CRLF, quoted text and blank lines are fine.
 * @returns all rows, or what is wrong with the first bad one, in words that name row and field.
 */
export function readReplayFile(content: Uint8Array, currency: Currency): Result<ReplayRow[], string> {
  const table = readTable(decode(content))
  if (!table.ok) return table
  const [header, ...records] = table.value
  if (!header) return refuse('the file is empty')
  const names = header.map((name) => name.trim())
  const missing = COLUMNS.filter((column) => !names.includes(column))
  if (missing.length > 0)
    return refuse(
      `the header lacks the column ${missing.join(', ')}: it must be ${COLUMNS.join(',')}, and is ${names.join(',').slice(0, HEADER_SHOWN)}`,
    )
  if (records.length === 0) return refuse('the file has a header but no rows')
  const places = Object.fromEntries(COLUMNS.map((column) => [column, names.indexOf(column)])) as Record<Column, number>
  const rows: ReplayRow[] = []
  for (const [index, cells] of records.entries()) {
    const row = index + 1
    if (cells.length !== names.length)
      return refuse(`row ${row}: ${cells.length} fields where the header has ${names.length} (text with commas must be quoted)`)
    const read = readRow(row, (column) => cells[places[column]] ?? '', currency)
    if (!read.ok) return read
    rows.push(read.value)
  }
  return ok(rows)
}

/** Two accounts whose names differ by an accent must not become one, as they would with every unreadable letter replaced by the same. */
function decode(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return new TextDecoder('windows-1252').decode(content)
  }
}

// A quote inside a text that is not quoted is the text's own.
const CSV = { bom: true, relax_column_count: true, relax_quotes: true, skip_records_with_empty_values: true } as const

function readTable(content: string): Result<string[][], string> {
  try {
    return ok(parse(content, CSV) as string[][])
  } catch (error) {
    if (error instanceof CsvError) return refuse(`not readable as CSV: ${error.message}`)
    throw error
  }
}

function readRow(row: number, cell: (column: Column) => string, currency: Currency): Result<ReplayRow, string> {
  const wrong = (column: Column, why: string) => refuse(`row ${row}, ${column}: ${JSON.stringify(cell(column))} ${why}`)
  const decimal = `is not a decimal number with at most ${minorDigits(currency)} decimals and a point, as ${currency} has`
  const account = cell('account').trim()
  if (account === '') return wrong('account', 'names no account')
  if (account.length > ACCOUNT_LENGTH_MAX || /\p{Cc}/u.test(account))
    return wrong('account', `is longer than ${ACCOUNT_LENGTH_MAX} characters or has control characters`)
  const date = cell('date').trim()
  if (!isDate(date)) return wrong('date', 'is not a day as YYYY-MM-DD')
  const amount = parseDecimal(currency, cell('amount').trim())
  if (!amount) return wrong('amount', decimal)
  if (amount.minor > AMOUNT_MAX || amount.minor < -AMOUNT_MAX) return wrong('amount', 'is larger than the ledger takes')
  const balanceAfter = parseDecimal(currency, cell('balance_after').trim())
  if (!balanceAfter) return wrong('balance_after', decimal)
  return ok({ row, account, date, amount, balanceAfter, text: cell('text') })
}

/** Four digits of a year that somebody has lived in. */
const isDate = (text: string): boolean => isCalendarDate(text) && text >= '1000'
