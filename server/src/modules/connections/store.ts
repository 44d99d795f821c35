import type { Tx } from '../../platform/postgres/database.ts'
import type { CarriedBalance, ReachedBalance } from './domain/account-books.ts'
import type { UnbookedEntry } from './domain/import-problems.ts'

/** The SQL of statement files and of what they tell about accounts at other banks. */

/** Where the known history of a connected account ends. */
export const findReached = (tx: Tx, bankAccountId: string) => tx.maybe<ReachedBalance>`
  select reached_minor as minor, closing_date as day
    from connections.external_history
   where bank_account_id = ${bankAccountId} and reached_minor is not null and closing_date is not null`

export const saveReached = (tx: Tx, h: ReachedBalance & { bankAccountId: string; organizationId: string }) => tx.run`
  insert into connections.external_history (bank_account_id, organization_id, reached_minor, closing_date)
  values (${h.bankAccountId}, ${h.organizationId}, ${h.minor}, ${h.day})
  on conflict (bank_account_id) do update set reached_minor = excluded.reached_minor, closing_date = excluded.closing_date`

/** The balances that statements carried into the books, earliest first: each the one before its day's first entry, and what was posted to have it. */
export const findCarried = (tx: Tx, bankAccountId: string) => tx.rows<CarriedBalance>`
  select day, balance_minor as "balanceMinor", carried_minor as "carriedMinor"
    from connections.carried_balance where bank_account_id = ${bankAccountId} order by day`

export const saveCarried = (
  tx: Tx,
  account: { readonly bankAccountId: string; readonly organizationId: string },
  balances: readonly CarriedBalance[],
) => tx.run`
  insert into connections.carried_balance (bank_account_id, organization_id, day, balance_minor, carried_minor)
  select ${account.bankAccountId}::uuid, ${account.organizationId}::uuid, day, balance, carried
    from unnest(${balances.map((b) => b.day)}::date[], ${balances.map((b) => b.balanceMinor)}::bigint[],
                ${balances.map((b) => b.carriedMinor)}::bigint[]) as b(day, balance, carried)
  on conflict (bank_account_id, day) do update set balance_minor = excluded.balance_minor, carried_minor = excluded.carried_minor`

/** A statement of an account that was imported before, once however often it was. */
export type EarlierStatement = {
  identification: string | null
  sequenceNumber: string | null
  fromDate: string
  toDate: string
  opening: string | null
  closing: string | null
  reconciles: boolean | null
}

/** Those that have days. */
export const findStatements = (tx: Tx, bankAccountId: string) => tx.rows<EarlierStatement>`
  select distinct identification, sequence_number as "sequenceNumber", from_date as "fromDate", to_date as "toDate", opening, closing, reconciles
    from connections.imported_statement
   where bank_account_id = ${bankAccountId} and from_date is not null and to_date is not null`

export const setSavepoint = (tx: Tx) => tx.run`savepoint unposted`

/** Takes back what was written since `setSavepoint`. */
export const rollbackToSavepoint = (tx: Tx) => tx.run`rollback to savepoint unposted`

export const insertImportedFile = (
  tx: Tx,
  f: {
    id: string
    organizationId: string
    name: string
    format: string
    problems: readonly unknown[]
    importedAt: Date
    size: bigint | null
    sha256: Uint8Array | null
  },
) => tx.run`
  insert into connections.imported_file (id, organization_id, name, format, problems, imported_at, size, sha256)
  values (${f.id}, ${f.organizationId}, ${f.name}, ${f.format}, ${JSON.stringify(f.problems)}, ${f.importedAt}, ${f.size}, ${f.sha256})`

export type ImportedStatement = {
  id: string
  fileId: string
  organizationId: string
  bankAccountId: string
  identification: string | null
  sequenceNumber: string | null
  fromDate: string | null
  toDate: string | null
  opening: string | null
  closing: string | null
  credit: string
  debit: string
  entries: number
  details: number
  reconciles: boolean | null
  breakAmount: string | null
  unbooked: readonly UnbookedEntry[]
}

export const insertImportedStatements = (tx: Tx, rows: readonly ImportedStatement[]) => tx.run`
  insert into connections.imported_statement (
    id, imported_file_id, organization_id, bank_account_id, identification, sequence_number, from_date, to_date, opening, closing, credit, debit,
    entries, details, reconciles, break_amount, unbooked)
  select id, file_id, organization_id, bank_account_id, identification, sequence_number, from_date, to_date, opening, closing, credit, debit,
         entries, details, reconciles, break_amount, unbooked
    from unnest(
      ${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.fileId)}::uuid[], ${rows.map((r) => r.organizationId)}::uuid[],
      ${rows.map((r) => r.bankAccountId)}::uuid[], ${rows.map((r) => r.identification)}::text[], ${rows.map((r) => r.sequenceNumber)}::text[],
      ${rows.map((r) => r.fromDate)}::date[], ${rows.map((r) => r.toDate)}::date[], ${rows.map((r) => r.opening)}::numeric[],
      ${rows.map((r) => r.closing)}::numeric[], ${rows.map((r) => r.credit)}::numeric[], ${rows.map((r) => r.debit)}::numeric[],
      ${rows.map((r) => r.entries)}::int[], ${rows.map((r) => r.details)}::int[], ${rows.map((r) => r.reconciles)}::boolean[],
      ${rows.map((r) => r.breakAmount)}::numeric[], ${rows.map((r) => JSON.stringify(r.unbooked))}::jsonb[])
      as s(id, file_id, organization_id, bank_account_id, identification, sequence_number, from_date, to_date, opening, closing, credit, debit,
           entries, details, reconciles, break_amount, unbooked)`
