import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { counterpartyOf, ibanShaped } from './account.ts'
import { columnName, isPartitaHeader, recognizedColumns, restored } from './csv-columns.ts'
import type { CsvField, CsvMapping } from './csv-mapping.ts'
import { isCurrencyText, type ReadRow, statementsOf } from './csv-statements.ts'
import { DATE_FORMATS, type DateFormat, formattedDate } from './dates.ts'
import { isZero, type NumberStyle, negateDecimal, numberStyleOf, styledDecimal } from './decimal.ts'
import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'
import { decodeAs, decodeText, oneLine, withoutControls } from './text.ts'
import type { EntryStatus, ParsedStatement } from './types.ts'

type Row = Readonly<{ cells: readonly string[]; line: number }>

/** A table whose columns are known: by mapping or by their names. */
type Table = Readonly<{
  rows: readonly Row[]
  header: readonly string[]
  columns: Readonly<Partial<Record<CsvField, readonly number[]>>>
  /** Lines before the header: some banks write account and currency there. */
  preamble: string
  own: boolean
}>

const DELIMITERS = [';', ',', '\t', '|'] as const
/** Headers are looked for this far down: banks put address, account and period above them. */
const HEADER_LINES_MAX = 40
const COLUMNS_MAX = 200

/**
 * Reads CSV by a mapping, or by the names of its columns.
 * @returns undefined when there is no mapping and no header that is understood: then it is not for us.
 */
export function readCsv(
  bytes: Uint8Array,
  mapping: CsvMapping | undefined,
  problems: ProblemList,
  seen: { format: string | null },
): { format: string; statements: ParsedStatement[] } | undefined {
  const decoded = mapping?.encoding === undefined ? decodeText(bytes, problems) : decodeAs(bytes, mapping.encoding)
  const text = withoutControls(decoded, problems)
  const table = mapping ? mappedTable(text, mapping) : recognizedTable(text)
  if (!table) return undefined
  seen.format = 'CSV'
  const cell = (row: Row, field: CsvField) => cellText(row, table.columns[field], table.own)
  const rows = entryRows(table, cell, mapping, problems)
  if (rows.length === 0) throw new StatementRefused('no_statements', 1, 'the table has no entries')
  const style = mappedStyle(mapping) ?? (table.own ? PARTITA_STYLE : foundStyle(rows, cell))
  const format = mapping?.dateFormat ?? (table.own ? 'YYYY-MM-DD' : foundDateFormat(rows, cell, problems))
  const read = rows.flatMap((row) => readRow(row, cell, { style, format, mapping, table }, problems))
  return { format: 'CSV', statements: statementsOf(read, table.own, problems) }
}

// ---------------------------------------------------------------------------------------------- the table

function parseRows(text: string, delimiter: string, skippedLines: number): Row[] {
  const body = text.split(/\r\n|\n|\r/)
  try {
    const records = parse(body.slice(skippedLines).join('\n'), {
      delimiter,
      info: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      max_record_size: 1_000_000,
    }) as unknown as { info: { lines: number }; record: string[] }[]
    return records.map(({ info, record }) => ({ cells: record, line: info.lines + skippedLines }))
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const code = error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'truncated' : 'line_malformed'
    throw new StatementRefused(code, body.length, error.message.slice(0, 160))
  }
}

function mappedTable(text: string, mapping: CsvMapping): Table {
  // Excel's own first line names the delimiter.
  const skipped = mapping.skipLines ?? (/^sep=.\r?\n/i.test(text) ? 1 : 0)
  const hasHeader =
    mapping.header ??
    Object.values(mapping.columns)
      .flat()
      .some((column) => typeof column === 'string')
  const delimiters = mapping.delimiter === undefined ? DELIMITERS : [mapping.delimiter]
  const delimiter = delimiters.reduce((best, candidate) =>
    cellsOnLine(text, skipped, candidate) > cellsOnLine(text, skipped, best) ? candidate : best,
  )
  const rows = parseRows(text, delimiter, skipped)
  const header = hasHeader ? (rows.shift()?.cells ?? []) : []
  const columns: Partial<Record<CsvField, number[]>> = {}
  for (const [field, named] of Object.entries(mapping.columns) as [CsvField, string | number | readonly (string | number)[]][]) {
    columns[field] = [named].flat().map((column) => columnNumber(column, header, skipped + 1))
  }
  return { rows, header, columns, preamble: text.split('\n').slice(0, skipped).join('\n'), own: isPartitaHeader(header) }
}

const cellsOnLine = (text: string, line: number, delimiter: string): number =>
  text.split(/\r\n|\n|\r/)[line]?.split(delimiter).length ?? 0

function columnNumber(column: string | number, header: readonly string[], line: number): number {
  if (typeof column === 'number') return column
  const exact = header.findIndex((name) => name.trim() === column.trim())
  const index = exact >= 0 ? exact : header.findIndex((name) => columnName(name) === columnName(column))
  if (index < 0)
    throw new StatementRefused(
      'mapping_column_missing',
      line,
      `there is no column ${quoted(column)}; there are ${quoted(header.join(', '))}`,
    )
  return index + 1
}

/** Looks for the header row: the first line whose names, split at some delimiter, mean a date and an amount. */
function recognizedTable(text: string): Table | undefined {
  const lines = text.split(/\r\n|\n|\r/, HEADER_LINES_MAX)
  for (const [index, line] of lines.entries()) {
    for (const delimiter of DELIMITERS) {
      const header = line.split(delimiter).map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
      const found = header.length < 2 || header.length > COLUMNS_MAX ? {} : recognizedColumns(header)
      if (found.date === undefined || (found.amount === undefined && found.debit === undefined && found.credit === undefined))
        continue
      const columns = Object.fromEntries(Object.entries(found).map(([field, column]) => [field, [column]]))
      const rows = parseRows(text, delimiter, index).slice(1)
      return { rows, header, columns, preamble: lines.slice(0, index).join('\n'), own: isPartitaHeader(header) }
    }
  }
  return undefined
}

function cellText(row: Row, columns: readonly number[] | undefined, own: boolean): string {
  const texts = columns?.map((column) => row.cells[column - 1]?.trim() ?? '').filter((text) => text !== '') ?? []
  return own ? restored(texts.join(' ')) : texts.join(' ')
}

type Cell = (row: Row, field: CsvField) => string

/** Rows that are entries: not blank ones, and not what a bank writes below the table. */
function entryRows(table: Table, cell: Cell, mapping: CsvMapping | undefined, problems: ProblemList): Row[] {
  const hasDate = (row: Row) =>
    (mapping?.dateFormat ? [mapping.dateFormat] : DATE_FORMATS).some((format) => formattedDate(cell(row, 'date'), format))
  const hasAmount = (row: Row) => ['amount', 'debit', 'credit'].some((field) => cell(row, field as CsvField) !== '')
  const lastEntry = table.rows.findLastIndex((row) => hasDate(row) && hasAmount(row))
  return table.rows.filter((row, index) => {
    if (index <= lastEntry && (hasDate(row) || hasAmount(row))) return true
    if (row.cells.some((text) => text.trim() !== ''))
      problems.add('entries_skipped', row.line, `${quoted(row.cells.join(' '))} is not an entry`)
    return false
  })
}

// ---------------------------------------------------------------------------------------------- numbers and dates

const PARTITA_STYLE: NumberStyle = { decimal: '.', thousands: '' }

const mappedStyle = (mapping: CsvMapping | undefined): NumberStyle | undefined =>
  mapping?.decimal && { decimal: mapping.decimal, thousands: mapping.thousands ?? (mapping.decimal === ',' ? '.' : ',') }

function foundStyle(rows: readonly Row[], cell: Cell): NumberStyle {
  const texts = rows.flatMap((row) =>
    (['amount', 'debit', 'credit', 'balance'] as const).map((field) => withoutCurrency(cell(row, field))),
  )
  const { style, ambiguous } = numberStyleOf(texts.filter((text) => text !== ''))
  if (ambiguous)
    throw new StatementRefused(
      'amount_malformed',
      rows[0]?.line ?? 1,
      'no amount shows which mark is the decimal mark: name it in the mapping',
    )
  return style
}

const withoutCurrency = (text: string): string => text.replace(/^(?:[A-Z]{3}|[€$£])\s*|\s*(?:[A-Z]{3}|[€$£])$/g, '')

function foundDateFormat(rows: readonly Row[], cell: Cell, problems: ProblemList): DateFormat {
  const texts = rows.map((row) => cell(row, 'date'))
  const fitting = DATE_FORMATS.filter((format) => texts.every((text) => formattedDate(text, format)))
  const exact = fitting.filter((format) => texts.every((text) => !formattedDate(text, format)?.corrected))
  const [best, ...others] = exact.length > 0 ? exact : fitting
  if (best === undefined) {
    const bad = rows.find((row) => !DATE_FORMATS.some((format) => formattedDate(cell(row, 'date'), format))) ?? rows[0]
    throw new StatementRefused(
      'date_missing',
      bad?.line ?? 1,
      `${quoted(bad ? cell(bad, 'date') : '')} is not a date, or the dates do not have one format`,
    )
  }
  // Only the order of day and month can be in doubt; Europe writes the day first, and so does the list of formats.
  if (others.length > 0)
    problems.add('date_assumed', rows[0]?.line ?? 1, `the dates fit ${[best, ...others].join(' and ')}; read as ${best}`)
  return best
}

// ---------------------------------------------------------------------------------------------- one row

const DEBIT_WORDS = new Set(['d', 'dbit', 'debit', 's', 'soll', 'af', 'debet', 'sortie', 'out', 'cargo', 'dare'])
const CREDIT_WORDS = new Set(['c', 'crdt', 'credit', 'h', 'haben', 'bij', 'entree', 'in', 'abono', 'avere'])
const PENDING_WORDS = new Set([
  'pending',
  'en cours',
  'vorgemerkt',
  'umsatz vorgemerkt',
  'pdng',
  'in progress',
  'open',
  'gereserveerd',
])
const VOID_WORDS = new Set([
  'declined',
  'canceled',
  'cancelled',
  'refuse',
  'refused',
  'reverted',
  'failed',
  'annule',
  'rejected',
  'rejete',
])

function readRow(
  row: Row,
  cell: Cell,
  how: { style: NumberStyle; format: DateFormat; mapping: CsvMapping | undefined; table: Table },
  problems: ProblemList,
): ReadRow[] {
  const status = columnName(cell(row, 'status'))
  if (VOID_WORDS.has(status)) {
    problems.add('entries_skipped', row.line, `an entry that the bank calls ${quoted(status)} moved no money`)
    return []
  }
  const date = formattedDate(cell(row, 'date'), how.format)
  if (!date) throw new StatementRefused('date_missing', row.line, `${quoted(cell(row, 'date'))} is not a date (${how.format})`)
  if (date.corrected) problems.add('date_corrected', row.line, `${quoted(cell(row, 'date'))} does not exist; ${date.date} taken`)
  const account = cell(row, 'account') || how.mapping?.account || (ibanShaped(ibanIn(how.table.preamble)) ?? '')
  if (account === '')
    throw new StatementRefused('account_missing', row.line, 'neither a column nor the mapping names the account')
  const currency = cell(row, 'currency').toUpperCase() || how.mapping?.currency || currencyInHeader(how.table)
  if (!isCurrencyText(currency))
    throw new StatementRefused(
      'currency_missing',
      row.line,
      currency === '' ? 'neither a column nor the mapping names the currency' : `${quoted(currency)} is not a currency`,
    )
  const balance = cell(row, 'balance')
  const entryStatus: EntryStatus = PENDING_WORDS.has(status) ? 'PDNG' : 'BOOK'
  return [
    {
      account,
      currency,
      amount: signedAmount(row, cell, how.style, how.mapping),
      balance: balance === '' ? null : decimalIn(balance, row.line, how.style),
      status: entryStatus,
      date: date.date,
      valueDate: formattedDate(cell(row, 'valueDate'), how.format)?.date ?? null,
      remittance: oneLine(cell(row, 'text')),
      additionalInformation: oneLine(cell(row, 'additionalText')),
      reference: cell(row, 'reference') || null,
      endToEndId: cell(row, 'endToEndId') || null,
      mandateId: cell(row, 'mandateId') || null,
      transactionCode: cell(row, 'transactionCode') || null,
      counterparty: counterpartyOf(
        oneLine(cell(row, 'counterparty')),
        cell(row, 'counterpartyIban'),
        cell(row, 'counterpartyBic'),
      ),
      line: row.line,
    },
  ]
}

function signedAmount(row: Row, cell: Cell, style: NumberStyle, mapping: CsvMapping | undefined): string {
  const debit = cell(row, 'debit')
  const credit = cell(row, 'credit')
  if (debit !== '' || credit !== '') {
    const out = debit === '' ? '0' : decimalIn(debit, row.line, style)
    const into = credit === '' ? '0' : decimalIn(credit, row.line, style)
    if (!isZero(out) && !isZero(into)) throw new StatementRefused('amount_malformed', row.line, 'both a debit and a credit')
    if (isZero(out)) return credit === '' ? out : into
    return out.startsWith('-') ? out : negateDecimal(out) // some banks sign the debit column as well
  }
  const text = cell(row, 'amount')
  if (text === '') throw new StatementRefused('amount_missing', row.line, 'a row without an amount')
  const amount = decimalIn(text, row.line, style)
  const direction = cell(row, 'direction')
  if (direction === '') return amount
  const word = columnName(direction)
  const isDebit = DEBIT_WORDS.has(word) || (mapping?.debitWords ?? []).some((debitWord) => columnName(debitWord) === word)
  if (!isDebit && !CREDIT_WORDS.has(word) && mapping?.debitWords === undefined)
    throw new StatementRefused('direction_missing', row.line, `${quoted(direction)} is neither debit nor credit`)
  return isDebit && !amount.startsWith('-') ? negateDecimal(amount) : amount
}

function decimalIn(text: string, line: number, style: NumberStyle): string {
  const amount = styledDecimal(withoutCurrency(text), style)
  if (amount === undefined) throw new StatementRefused('amount_malformed', line, `${quoted(text)} is not an amount`)
  return amount
}

const ibanIn = (text: string): string | undefined =>
  /\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b/.exec(text)?.[0]

/** `Amount (EUR)`, `Betrag in €`: the currency stands in the header of the amount. */
function currencyInHeader(table: Table): string {
  const columns = [...(table.columns.amount ?? []), ...(table.columns.debit ?? []), ...(table.columns.credit ?? [])]
  for (const column of columns) {
    const name = table.header[column - 1] ?? ''
    const code = name.includes('€') ? 'EUR' : /\b([A-Z]{3})\b\)?$/.exec(name.trim())?.[1]
    if (code !== undefined && isCurrencyText(code)) return code
  }
  return ''
}
