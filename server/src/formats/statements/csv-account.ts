import { columnName } from './csv-columns.ts'
import type { CsvMapping } from './csv-mapping.ts'
import { accountInPreamble, cellText, type Row, type Table } from './csv-table.ts'
import { quoted, StatementRefused } from './problems.ts'

/** Column names that some banks use for the own account and others for the counterparty's. */
const EITHER_SIDE = new Set([
  'iban',
  'konto',
  'kontonummer',
  'account',
  'account number',
  'compte',
  'conto',
  'cuenta',
  'rekening',
  'iban bban',
])

/** Where the own account of a table is found, and whose account the column of that name then holds. */
export type AccountSource = Readonly<
  { from: 'mapping' | 'preamble'; account: string } | { from: 'column'; column: readonly number[] } | { from: 'nowhere' }
>

/**
 * Whose account a column names decides whose money is moved, so it is never guessed: `IBAN` may be the owner's at one bank and the payee's at
 * another. It is the own one when the file shows it; where the file leaves it open, reading is refused.
 *
 * @returns the table with a column of the counterparty's account, where the column turns out to be that, and the source of the own account.
 * @throws StatementRefused `account_missing` where the column could be either's.
 */
export function withOwnAccount(
  table: Table,
  rows: readonly Row[],
  mapping: CsvMapping | undefined,
): { table: Table; source: AccountSource } {
  const column = table.columns.account
  const isOpen = column !== undefined && mapping?.columns?.account === undefined && !isCertain(table, column)
  const elsewhere = mapping?.account ?? (isOpen || column === undefined ? accountInPreamble(table.preamble) : undefined)
  if (elsewhere !== undefined) {
    const account = { from: mapping?.account === undefined ? 'preamble' : 'mapping', account: elsewhere } as const
    return { table: isOpen ? asCounterparty(table) : table, source: account }
  }
  if (column === undefined) return { table, source: { from: 'nowhere' } }
  if (isOpen && !showsOneOwner(table, rows, column)) {
    const name = table.header[(column[0] ?? 1) - 1] ?? ''
    throw new StatementRefused(
      'account_missing',
      table.headerLine,
      `column ${quoted(name)} may hold the own account or the counterparty's: say which in a mapping, as account or counterpartyIban`,
    )
  }
  return { table, source: { from: 'column', column } }
}

/** By the bank's profile, by a name that means the own account everywhere, or because another column holds the counterparty's. */
function isCertain({ profile, header, columns, own }: Table, column: readonly number[]): boolean {
  const name = columnName(header[(column[0] ?? 1) - 1] ?? '')
  return own || profile?.columns.account !== undefined || !EITHER_SIDE.has(name) || columns.counterpartyIban !== undefined
}

/**
 * Without a counterparty in the table the account can only be the own one. With one, it is when it stays the same from row to row while a running
 * balance is kept of it, or while the counterparties change.
 */
function showsOneOwner({ columns, own }: Table, rows: readonly Row[], column: readonly number[]): boolean {
  const parties = [...(columns.counterparty ?? []), ...(columns.payer ?? []), ...(columns.payee ?? [])]
  if (parties.length === 0) return true
  const accounts = new Set(rows.map((row) => cellText(row, column, own)))
  const names = new Set(rows.map((row) => cellText(row, parties, own)))
  return accounts.size === 1 && !accounts.has('') && (columns.balance !== undefined || names.size > 1)
}

/** The column is the counterparty's. */
function asCounterparty(table: Table): Table {
  const { account, ...columns } = table.columns
  if (account === undefined || columns.counterpartyIban !== undefined) return { ...table, columns }
  return { ...table, columns: { ...columns, counterpartyIban: account } }
}
