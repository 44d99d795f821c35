import type { Tx } from '../../platform/postgres/database.ts'

/** The SQL of statement files and of what they tell about accounts at other banks. */

/** Where the known history of a connected account ends. */
export type ReachedBalance = { minor: bigint; day: string }

export const findReached = (tx: Tx, bankAccountId: string) => tx.maybe<ReachedBalance>`
  select reached_minor as minor, closing_date as day
    from connections.external_history
   where bank_account_id = ${bankAccountId} and reached_minor is not null and closing_date is not null`

export const saveReached = (tx: Tx, h: ReachedBalance & { bankAccountId: string; organizationId: string }) => tx.run`
  insert into connections.external_history (bank_account_id, organization_id, reached_minor, closing_date)
  values (${h.bankAccountId}, ${h.organizationId}, ${h.minor}, ${h.day})
  on conflict (bank_account_id) do update set reached_minor = excluded.reached_minor, closing_date = excluded.closing_date`

/** A balance that a statement carried into the books: the one before the day's first booking, and what was posted to have it. */
export type CarriedBalance = { day: string; balanceMinor: bigint; carriedMinor: bigint }

/** Earliest first. */
export const findCarried = (tx: Tx, bankAccountId: string) => tx.rows<CarriedBalance>`
  select day, balance_minor as "balanceMinor", carried_minor as "carriedMinor"
    from connections.carried_balance where bank_account_id = ${bankAccountId} order by day`

export const saveCarried = (tx: Tx, c: CarriedBalance & { bankAccountId: string; organizationId: string }) => tx.run`
  insert into connections.carried_balance (bank_account_id, organization_id, day, balance_minor, carried_minor)
  values (${c.bankAccountId}, ${c.organizationId}, ${c.day}, ${c.balanceMinor}, ${c.carriedMinor})
  on conflict (bank_account_id, day) do update set balance_minor = excluded.balance_minor, carried_minor = excluded.carried_minor`

export type Period = { from: string; to: string }

/** The days that statements have told whole. */
export const completePeriods = (tx: Tx, bankAccountId: string) => tx.rows<Period>`
  select distinct from_date as "from", to_date as "to"
    from connections.imported_statement
   where bank_account_id = ${bankAccountId} and reconciles and from_date is not null and to_date is not null`

/** Whether the bank has told this very statement before. */
export const isStatementKnown = async (
  tx: Tx,
  s: Pick<
    ImportedStatement,
    'bankAccountId' | 'identification' | 'sequenceNumber' | 'fromDate' | 'toDate' | 'opening' | 'closing'
  >,
): Promise<boolean> =>
  (await tx.maybe`
    select 1 from connections.imported_statement
     where bank_account_id = ${s.bankAccountId} and from_date = ${s.fromDate}::date and to_date = ${s.toDate}::date
       and identification is not distinct from ${s.identification}::text and sequence_number is not distinct from ${s.sequenceNumber}::text
       and opening is not distinct from ${s.opening}::numeric and closing is not distinct from ${s.closing}::numeric
     limit 1`) !== undefined

export const insertImportedFile = (
  tx: Tx,
  f: { id: string; organizationId: string; name: string; format: string; problems: readonly unknown[]; importedAt: Date },
) => tx.run`
  insert into connections.imported_file (id, organization_id, name, format, problems, imported_at)
  values (${f.id}, ${f.organizationId}, ${f.name}, ${f.format}, ${JSON.stringify(f.problems)}, ${f.importedAt})`

export type UnbookedEntry = { line: number; code: string; amount: string; currency: string; bookingDate: string }

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
