import { CsvError } from 'csv-parse'
import { parse } from 'csv-parse/sync'
import { ibanShaped } from './account.ts'
import {
  type Columns,
  columnName,
  firstColumns,
  isIdleColumn,
  isPartitaHeader,
  recognizedColumns,
  restored,
} from './csv-columns.ts'
import type { CsvField, CsvMapping } from './csv-mapping.ts'
import { type CsvProfile, profiledColumns, profileOf } from './csv-profiles.ts'
import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'
import type { CsvReading } from './types.ts'

export type Row = Readonly<{ cells: readonly string[]; line: number }>

/** A table whose columns are known: by mapping, by the bank's profile, or by their names, in this order. */
export type Table = Readonly<{
  rows: readonly Row[]
  header: readonly string[]
  headerLine: number
  columns: Columns
  /** What the key of an entry is made of: the columns as they were known first. */
  keyColumns: Columns
  profile: CsvProfile | undefined
  /** Lines before the header: some banks write account and currency there. */
  preamble: string
  own: boolean
}>

const DELIMITERS = [';', ',', '\t', '|'] as const
/** Headers are looked for this far down: banks put address, account and period above them. */
const HEADER_LINES_MAX = 40
const COLUMNS_MAX = 200

/** @returns undefined when there is no header that is understood, and no mapping that says what the columns are: then it is not for us. */
export function tableIn(text: string, mapping: CsvMapping | undefined): Table | undefined {
  const place = mapping && isPlaced(mapping) ? placedTable(text, mapping) : foundTable(text, mapping)
  if (!place) {
    if (mapping === undefined) return undefined
    throw new StatementRefused('mapping_invalid', 1, 'columns is missing, and no header of the file is understood without it')
  }
  const { header, headerLine, rows, preamble } = place
  const profile = profileOf(header)
  const profiled = profile ? profiledColumns(profile, header) : { columns: {}, without: [] }
  const mapped = mappedColumns(mapping, header, headerLine)
  // What a mapping names is taken from whatever else it might have been.
  const taken = new Set(Object.values(mapped).flat())
  const kept = Object.fromEntries(
    Object.entries(profiled.columns)
      .filter(([field]) => mapped[field as CsvField] === undefined)
      .map(([field, numbers]) => [field, numbers.filter((number) => !taken.has(number))]),
  )
  const named = header.map((name, at) => (profiled.without.includes(at + 1) ? '' : name))
  const columns = withoutEmpty(recognizedColumns(named, { ...mapped, ...kept }))
  if (!isWhole(columns)) return mapping ? refuseIncomplete(columns, headerLine) : undefined
  const first = mapping?.columns && isWhole(mapped) ? mapped : firstColumns(header)
  const keyColumns = isWhole(first) ? first : columns
  return { rows, header, headerLine, columns, keyColumns, profile, preamble, own: isPartitaHeader(header) }
}

const isWhole = (columns: Columns): boolean =>
  columns.date !== undefined && (columns.amount !== undefined || columns.debit !== undefined || columns.credit !== undefined)

const withoutEmpty = (columns: Columns): Columns =>
  Object.fromEntries(Object.entries(columns).filter(([, numbers]) => numbers.length > 0))

function refuseIncomplete(columns: Columns, line: number): never {
  const missing = columns.date === undefined ? 'columns.date is missing' : 'columns needs amount, or debit and credit'
  throw new StatementRefused('mapping_invalid', line, `${missing}, and no column has such a name`)
}

type Place = Pick<Table, 'rows' | 'header' | 'headerLine' | 'preamble'>

/** Whether the mapping itself says where the table begins. */
const isPlaced = ({ skipLines, header, columns }: CsvMapping): boolean =>
  skipLines !== undefined || header !== undefined || Object.values(columns ?? {}).length > 0

function placedTable(text: string, mapping: CsvMapping): Place {
  const lines = text.split(/\r\n|\n|\r/)
  const names = Object.values(mapping.columns ?? {})
    .flat()
    .filter((column) => typeof column === 'string')
  const hasHeader = mapping.header ?? (names.length > 0 || Object.keys(mapping.columns ?? {}).length === 0)
  const skipped = mapping.skipLines ?? headerBelow(lines, names, mapping)
  const delimiters = mapping.delimiter === undefined ? DELIMITERS : [mapping.delimiter]
  const cellsOf = (delimiter: string) => lines[skipped]?.split(delimiter).length ?? 0
  const delimiter = delimiters.reduce((best, candidate) => (cellsOf(candidate) > cellsOf(best) ? candidate : best))
  const rows = parseRows(lines, delimiter, skipped)
  const header = hasHeader ? (rows.shift()?.cells ?? []) : []
  return { rows, header, headerLine: skipped + 1, preamble: lines.slice(0, skipped).join('\n') }
}

/** The first line with all the names of the mapping: below a preamble, and below Excel's own line, which names the delimiter. */
function headerBelow(lines: readonly string[], names: readonly string[], mapping: CsvMapping): number {
  const start = /^sep=.$/i.test(lines[0] ?? '') ? 1 : 0
  if (names.length === 0 || mapping.header === false) return start
  const found = lines.slice(start, HEADER_LINES_MAX).findIndex((line) => {
    const cells = new Set(line.split(mapping.delimiter ?? /[;,\t|]/).map(columnName))
    return names.every((name) => cells.has(columnName(name)))
  })
  return found < 0 ? start : start + found
}

/** Looks for the header row: the first line whose names, split at some delimiter, mean a date and an amount. */
function foundTable(text: string, mapping: CsvMapping | undefined): Place | undefined {
  const lines = text.split(/\r\n|\n|\r/)
  const delimiters = mapping?.delimiter === undefined ? DELIMITERS : [mapping.delimiter]
  for (const [index, line] of lines.slice(0, HEADER_LINES_MAX).entries()) {
    for (const delimiter of delimiters) {
      const header = line.split(delimiter).map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
      if (header.length < 2 || header.length > COLUMNS_MAX || !isHeader(header)) continue
      const rows = parseRows(lines, delimiter, index).slice(1)
      return { rows, header, headerLine: index + 1, preamble: lines.slice(0, index).join('\n') }
    }
  }
  return undefined
}

function isHeader(header: readonly string[]): boolean {
  const profile = profileOf(header)
  return isWhole(recognizedColumns(header, profile ? withoutEmpty(profiledColumns(profile, header).columns) : {}))
}

function parseRows(lines: readonly string[], delimiter: string, skippedLines: number): Row[] {
  try {
    const records = parse(lines.slice(skippedLines).join('\n'), {
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
    throw new StatementRefused(code, lines.length, error.message.slice(0, 160))
  }
}

function mappedColumns(mapping: CsvMapping | undefined, header: readonly string[], line: number): Columns {
  const columns: Columns = {}
  for (const [field, named] of Object.entries(mapping?.columns ?? {}) as [
    CsvField,
    string | number | readonly (string | number)[],
  ][])
    columns[field] = [named].flat().map((column) => columnNumber(column, header, line))
  return columns
}

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

export function cellText(row: Row, columns: readonly number[] | undefined, own: boolean): string {
  const texts = columns?.map((column) => row.cells[column - 1]?.trim() ?? '').filter((text) => text !== '') ?? []
  return own ? restored(texts.join(' ')) : texts.join(' ')
}

/** How each column is understood. */
export function readingOf({ header, headerLine, columns, profile, own }: Table): CsvReading {
  const meanings = new Map(
    Object.entries(columns).flatMap(([field, numbers]) => numbers.map((number) => [number, field] as const)),
  )
  const without = profile ? profiledColumns(profile, header).without : []
  return {
    bank: profile?.bank ?? null,
    headerLine,
    columns: header.map((name, at) => ({
      header: name,
      meaning: meanings.get(at + 1) ?? null,
      isKnown: own || meanings.has(at + 1) || without.includes(at + 1) || isIdleColumn(name) || columnName(name) === '',
    })),
  }
}

/** Names the columns that hold something and that nobody knows the meaning of: what they say is not kept. */
export function nameUnknownColumns(reading: CsvReading, rows: readonly Row[], problems: ProblemList): void {
  const unknown = reading.columns
    .filter(({ isKnown }, at) => !isKnown && rows.some((row) => (row.cells[at] ?? '').trim() !== ''))
    .map(({ header }) => header)
  if (unknown.length > 0)
    problems.add(
      'column_unknown',
      reading.headerLine,
      `${unknown.map((name) => quoted(name)).join(', ')}: not read, the meaning is not known`,
    )
}

const IBAN = /\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b/g
// `Compte courant n° 70600000706`, `Kontonummer: 123456789`
const NUMBERED =
  /(?:compte|konto|kontonummer|account|cuenta|conto|conta|rekening)(?:\s+[a-zà-ÿ]+)?\s*(?:n[°ºo.]?|nr\.?|no\.?|number|numero|número|nummer)?\s*[:;,"]*\s*(\d[\d .-]{4,30}\d)/i

/** The account that the lines above the table name, when they name just one. */
export function accountInPreamble(preamble: string): string | undefined {
  const ibans = new Set((preamble.match(IBAN) ?? []).flatMap((text) => ibanShaped(text) ?? []))
  if (ibans.size === 1) return [...ibans][0]
  if (ibans.size > 1) return undefined
  return NUMBERED.exec(preamble)?.[1]?.replace(/[ .-]/g, '')
}
