import { counterpartyOf, ibanShaped } from './account.ts'
import { type AccountSource, withOwnAccount } from './csv-account.ts'
import { columnName } from './csv-columns.ts'
import type { CsvField, CsvMapping } from './csv-mapping.ts'
import { readOwnFacts } from './csv-own.ts'
import { isCurrencyText, type ReadRow, statementsOf } from './csv-statements.ts'
import { cellText, nameUnknownColumns, type Row, readingOf, type Table, tableIn } from './csv-table.ts'
import { DATE_FORMATS, type DateFormat, formattedDate } from './dates.ts'
import {
  equalDecimals,
  isNegative,
  isZero,
  type NumberStyle,
  negateDecimal,
  numberStyleOf,
  styledDecimal,
  sumDecimals,
} from './decimal.ts'
import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'
import { decodeAs, decodeText, oneLine, withoutControls } from './text.ts'
import type { CsvReading, EntryStatus, ParsedStatement } from './types.ts'

/** What a file was found to be while it was read: told also when reading it is refused. */
export type Seen = { format: string | null; csv?: CsvReading }

/**
 * Reads CSV by the bank's profile, by the names of its columns, and by a mapping, which adds what the file lacks.
 * @returns undefined when neither header nor mapping say what the columns are: then it is not for us.
 */
export function readCsv(
  bytes: Uint8Array,
  mapping: CsvMapping | undefined,
  problems: ProblemList,
  seen: Seen,
): { format: string; statements: ParsedStatement[] } | undefined {
  const decoded = mapping?.encoding === undefined ? decodeText(bytes, problems) : decodeAs(bytes, mapping.encoding)
  const found = tableIn(withoutControls(decoded, problems), mapping)
  if (!found) return undefined
  seen.format = 'CSV'
  seen.csv = readingOf(found)
  const cell = (row: Row, field: CsvField) => cellText(row, found.columns[field], found.own)
  const rows = entryRows(found, cell, mapping, problems)
  if (rows.length === 0) throw new StatementRefused('no_statements', 1, 'the table has no entries')
  nameUnknownColumns(seen.csv, rows, problems)
  const { table, source } = withOwnAccount(found, rows, mapping)
  const reading = readingOf(table)
  reading.account = { from: source.from, account: 'account' in source ? source.account : null }
  seen.csv = reading
  const style = mappedStyle(mapping) ?? (table.own ? PARTITA_STYLE : foundStyle(rows, cell))
  const format = mapping?.dateFormat ?? (table.own ? 'YYYY-MM-DD' : foundDateFormat(rows, cell, problems))
  reading.decimal = style.decimal
  reading.dateFormat = format
  const how = { style, format, mapping, table, source }
  const read = rows.flatMap((row) => readRow(row, (of, field) => cellText(of, table.columns[field], table.own), how, problems))
  return { format: 'CSV', statements: statementsOf(withFees(read, table, mapping), table.own, problems) }
}

type Cell = (row: Row, field: CsvField) => string

/** Rows that are entries: not blank ones, and not what a bank writes below the table. */
function entryRows(table: Table, cell: Cell, mapping: CsvMapping | undefined, problems: ProblemList): Row[] {
  const hasDate = (row: Row) =>
    (mapping?.dateFormat ? [mapping.dateFormat] : DATE_FORMATS).some((format) => formattedDate(cell(row, 'date'), format))
  const hasAmount = (row: Row) => ['amount', 'debit', 'credit'].some((field) => cell(row, field as CsvField) !== '')
  const lastEntry = table.rows.findLastIndex((row) => hasDate(row) && hasAmount(row))
  return table.rows.filter((row, index) => {
    if (statesBalance(row)) {
      problems.add('entries_skipped', row.line, `${quoted(row.cells.join(' '))} states a balance and is no entry`)
      return false
    }
    if (index <= lastEntry && (hasDate(row) || hasAmount(row))) return true
    if (row.cells.some((text) => text.trim() !== ''))
      problems.add('entries_skipped', row.line, `${quoted(row.cells.join(' '))} is not an entry`)
    return false
  })
}

/** What banks call a balance that stands in a row of its own, whichever column the word is in. */
const BALANCES = new Set(
  'anfangssaldo|endsaldo|alter kontostand|neuer kontostand|letzter kontostand|kontostand|alter saldo|neuer saldo|saldovortrag|opening balance|closing balance|balance brought forward|balance carried forward|starting balance|ending balance|solde initial|solde final|ancien solde|nouveau solde|solde precedent|solde anterieur|solde crediteur|solde debiteur|saldo inicial|saldo final|saldo anterior|saldo iniziale|saldo finale|saldo precedente|beginsaldo|eindsaldo|oud saldo|nieuw saldo|vorig saldo'.split(
    '|',
  ),
)

/** `Endsaldo`, `Solde final au 31/01/2026`. */
const statesBalance = (row: Row): boolean =>
  row.cells.some((text) =>
    BALANCES.has(columnName(text.replace(/\s(?:am|vom|per|zum|au|du|al|del|op|on|at|a)?\s*[\d./-]+\W*$/i, ''))),
  )

// ---------------------------------------------------------------------------------------------- numbers and dates

const PARTITA_STYLE: NumberStyle = { decimal: '.', thousands: '' }

const mappedStyle = (mapping: CsvMapping | undefined): NumberStyle | undefined =>
  mapping?.decimal && { decimal: mapping.decimal, thousands: mapping.thousands ?? (mapping.decimal === ',' ? '.' : ',') }

function foundStyle(rows: readonly Row[], cell: Cell): NumberStyle {
  const texts = rows.flatMap((row) =>
    (['amount', 'debit', 'credit', 'balance', 'fee'] as const).map((field) => withoutCurrency(cell(row, field))),
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
  const dated = rows.filter((row) => !isNotBooked(cell(row, 'date')))
  const texts = (dated.length > 0 ? dated : rows).map((row) => cell(row, dated.length > 0 ? 'date' : 'valueDate'))
  const fitting = DATE_FORMATS.filter((format) => texts.every((text) => formattedDate(text, format)))
  const exact = fitting.filter((format) => texts.every((text) => !formattedDate(text, format)?.corrected))
  const [best, ...others] = exact.length > 0 ? exact : fitting
  if (best === undefined) {
    const bad = dated.find((row) => !DATE_FORMATS.some((format) => formattedDate(cell(row, 'date'), format))) ?? rows[0]
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
  'offen',
  'ausstehend',
  'vorgemerkter umsatz',
  'gereserveerd',
  'en attente',
  'a venir',
  'non comptabilise',
  'in attesa',
  'non contabilizzato',
  'pendiente',
  'pendente',
  'in behandeling',
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

/** In place of a booking date: nothing, or a word that says it has not come. */
const isNotBooked = (date: string): boolean => date === '' || PENDING_WORDS.has(columnName(date))

type How = Readonly<{
  style: NumberStyle
  format: DateFormat
  mapping: CsvMapping | undefined
  table: Table
  source: AccountSource
}>

function readRow(row: Row, cell: Cell, how: How, problems: ProblemList): ReadRow[] {
  const status = columnName(cell(row, 'status'))
  if (VOID_WORDS.has(status)) {
    problems.add('entries_skipped', row.line, `an entry that the bank calls ${quoted(status)} moved no money`)
    return []
  }
  const valueDate = formattedDate(cell(row, 'valueDate'), how.format)
  const isBooked = !isNotBooked(cell(row, 'date'))
  const date = isBooked ? formattedDate(cell(row, 'date'), how.format) : valueDate
  if (!date && isBooked)
    throw new StatementRefused('date_missing', row.line, `${quoted(cell(row, 'date'))} is not a date (${how.format})`)
  if (!date) {
    problems.add('entries_skipped', row.line, `${quoted(row.cells.join(' '))} has no booking date: it is not booked yet`)
    return []
  }
  if (date.corrected) problems.add('date_corrected', row.line, `${quoted(cell(row, 'date'))} does not exist; ${date.date} taken`)
  const account = accountOf(row, how)
  const currency = cell(row, 'currency').toUpperCase() || how.mapping?.currency || currencyInHeader(how.table)
  if (!isCurrencyText(currency))
    throw new StatementRefused(
      'currency_missing',
      row.line,
      currency === '' ? 'neither a column nor the mapping names the currency' : `${quoted(currency)} is not a currency`,
    )
  const balance = cell(row, 'balance')
  const entryStatus: EntryStatus = !isBooked || PENDING_WORDS.has(status) ? 'PDNG' : 'BOOK'
  const amount = signedAmount(row, cell, how.style, how.mapping)
  return [
    {
      account,
      currency,
      amount,
      fee: feeOf(row, cell, how.style),
      balance: balance === '' ? null : decimalIn(balance, row.line, how.style),
      status: entryStatus,
      date: date.date,
      dateAssumed: !isBooked,
      valueDate: valueDate?.date ?? null,
      remittance: oneLine(cell(row, 'text')),
      additionalInformation: oneLine(cell(row, 'additionalText')),
      reference: cell(row, 'reference') || null,
      endToEndId: provided(cell(row, 'endToEndId')),
      mandateId: cell(row, 'mandateId') || null,
      creditorId: cell(row, 'creditorId') || null,
      creditorReference: cell(row, 'creditorReference') || null,
      transactionCode: cell(row, 'transactionCode') || null,
      counterparty: counterpartyOf(
        oneLine(cell(row, 'counterparty')) || oneLine(cell(row, isNegative(amount) ? 'payee' : 'payer')),
        cell(row, 'counterpartyIban'),
        cell(row, 'counterpartyBic'),
      ),
      ultimateParty: oneLine(cell(row, 'ultimateParty')) || null,
      instructed: instructedOf(row, cell, how.style),
      own: how.table.own ? readOwnFacts((column) => ownCell(row, how.table, column), row.line) : undefined,
      key: keyTexts(row, how.table),
      line: row.line,
    },
  ]
}

/** A cell by the name of its column; nothing where the file has an earlier form. */
function ownCell(row: Row, { header }: Table, column: string): string {
  const at = header.findIndex((name) => name.trim() === column)
  return at < 0 ? '' : cellText(row, [at + 1], true)
}

function accountOf(row: Row, { source, table }: How): string {
  const account =
    source.from === 'column' ? cellText(row, source.column, table.own) : source.from === 'nowhere' ? '' : source.account
  if (account !== '') return ibanShaped(account) ?? account
  throw new StatementRefused('account_missing', row.line, 'neither a column nor the mapping names the account')
}

/** A reference, unless it says that there is none. */
const provided = (text: string): string | null => (/^(?:not ?provided|nonref)?$/i.test(text) ? null : text)

/** Amount and currency of the order, where it was given in another currency. */
function instructedOf(row: Row, cell: Cell, style: NumberStyle): ReadRow['instructed'] {
  const amount = styledDecimal(withoutCurrency(cell(row, 'originalAmount')), style)
  const currency = cell(row, 'originalCurrency').toUpperCase()
  if (amount === undefined || isZero(amount) || !isCurrencyText(currency)) return null
  return { amount: isNegative(amount) ? negateDecimal(amount) : amount, currency }
}

/** What the key of the entry is made of. It was so before further columns were known, and must stay so. */
function keyTexts(row: Row, { keyColumns, own }: Table): ReadRow['key'] {
  const text = (field: CsvField) => cellText(row, keyColumns[field], own)
  return {
    reference: text('reference') || null,
    endToEndId: text('endToEndId') || null,
    mandateId: text('mandateId') || null,
    counterparty: counterpartyOf(oneLine(text('counterparty')), text('counterpartyIban'), text('counterpartyBic')),
    remittance: oneLine(text('text')),
    additionalInformation: oneLine(text('additionalText')),
    transactionCode: text('transactionCode') || null,
    hasValueDate: keyColumns.valueDate !== undefined,
  }
}

// ---------------------------------------------------------------------------------------------- amounts and fees

function feeOf(row: Row, cell: Cell, style: NumberStyle): string | null {
  const text = cell(row, 'fee')
  if (text === '') return null
  const fee = decimalIn(text, row.line, style)
  return isZero(fee) ? null : isNegative(fee) ? negateDecimal(fee) : fee
}

/**
 * Takes fees off the amounts beside which they stand. Whether an amount holds its fee already is what the running balance says, else the bank's
 * profile; a mapping that names the column says that it does not. @throws StatementRefused where nothing says it: money would be lost or made.
 */
function withFees(rows: readonly ReadRow[], table: Table, mapping: CsvMapping | undefined): readonly ReadRow[] {
  const first = rows.find((row) => row.fee !== null)
  if (!first) return rows
  const outside = rows.map((row) =>
    row.fee === null ? row : { ...row, amount: sumDecimals([row.amount, negateDecimal(row.fee)]) },
  )
  const told = mapping?.columns?.fee !== undefined ? 'outside' : (chainTells(rows, outside) ?? table.profile?.fee)
  if (told !== undefined) return told === 'outside' ? outside : rows
  const name = table.header[(table.columns.fee?.[0] ?? 1) - 1] ?? ''
  throw new StatementRefused(
    'amount_malformed',
    first.line,
    `nothing says whether the amounts hold the fees of column ${quoted(name)}: name it as fee in the mapping when they do not`,
  )
}

/** Which of two readings the running balances bear out, in either order of the rows; undefined when both or neither. */
function chainTells(inside: readonly ReadRow[], outside: readonly ReadRow[]): 'inside' | 'outside' | undefined {
  const holds = (rows: readonly ReadRow[]) => {
    const booked = rows.filter((row) => row.status === 'BOOK' && row.balance !== null)
    const links = (ordered: readonly ReadRow[]) =>
      ordered.every((row, at) => {
        const before = ordered[at - 1]?.balance
        return before == null || (row.balance !== null && equalDecimals(sumDecimals([before, row.amount]), row.balance))
      })
    return booked.length > 1 && (links(booked) || links([...booked].reverse()))
  }
  const [isInside, isOutside] = [holds(inside), holds(outside)]
  return isInside === isOutside ? undefined : isInside ? 'inside' : 'outside'
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

/** `Amount (EUR)`, `Betrag in €`: the currency stands in the header of the amount. */
function currencyInHeader(table: Table): string {
  const columns = [...(table.columns.amount ?? []), ...(table.columns.debit ?? []), ...(table.columns.credit ?? [])]
  for (const column of columns) {
    const name = table.header[column - 1] ?? ''
    const code = /€|\beuros?\b/i.test(name) ? 'EUR' : /\b([A-Z]{3})\b\)?$/.exec(name.trim())?.[1]
    if (code !== undefined && isCurrencyText(code)) return code
  }
  return ''
}
