import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { BookId, LedgerAccountId } from '../ledger/index.ts'

/** The SQL of statement files and of the accounts at other banks that they tell of. */
export const findExternalAccount = (
  tx: Tx,
  a: { organizationId: string; iban: string | null; accountNumber: string | null; germanNumber: string | null; currency: string },
) => tx.maybe<{ id: Id<'bank_account'>; iban: string | null; bookId: BookId | null; ledgerAccountId: LedgerAccountId | null }>`
  select id, iban, book_id as "bookId", ledger_account_id as "ledgerAccountId"
    from accounts.bank_account
   where organization_id = ${a.organizationId} and is_external and currency = ${a.currency}
     and (case when ${a.iban}::text is not null then iban = ${a.iban} else iban is null and account_number = ${a.accountNumber} end
          or (iban like 'DE%' and substr(iban, 5) = ${a.germanNumber})
          or (account_number ~ '^[0-9]{8}[/ ][0-9]{1,10}$'
              and substr(account_number, 1, 8) || lpad(substr(account_number, 10), 10, '0') = ${a.germanNumber}))
   order by iban is not distinct from ${a.iban} desc, created_at, id
   limit 1`

export const setIban = (tx: Tx, a: { id: string; iban: string }) => tx.run`
  update accounts.bank_account set iban = ${a.iban}, country = ${a.iban.slice(0, 2)} where id = ${a.id}`

export const attachLedgerAccount = (tx: Tx, a: { id: string; bookId: BookId; ledgerAccountId: LedgerAccountId }) => tx.run`
  update accounts.bank_account set book_id = ${a.bookId}, ledger_account_id = ${a.ledgerAccountId} where id = ${a.id}`

/** Where the known history of a connected account ends. */
export type ReachedBalance = { minor: bigint; day: string }

export const findReached = (tx: Tx, bankAccountId: string) => tx.maybe<ReachedBalance>`
  select reached_minor as minor, closing_date as day
    from accounts.external_history
   where bank_account_id = ${bankAccountId} and reached_minor is not null and closing_date is not null`

export const saveReached = (tx: Tx, h: ReachedBalance & { bankAccountId: string; organizationId: string }) => tx.run`
  insert into accounts.external_history (bank_account_id, organization_id, reached_minor, closing_date)
  values (${h.bankAccountId}, ${h.organizationId}, ${h.minor}, ${h.day})
  on conflict (bank_account_id) do update set reached_minor = excluded.reached_minor, closing_date = excluded.closing_date`

/** A balance that a statement carried into the books: the one before the day's first booking, and what was posted to have it. */
export type CarriedBalance = { day: string; balanceMinor: bigint; carriedMinor: bigint }

/** Earliest first. */
export const findCarried = (tx: Tx, bankAccountId: string) => tx.rows<CarriedBalance>`
  select day, balance_minor as "balanceMinor", carried_minor as "carriedMinor"
    from accounts.carried_balance where bank_account_id = ${bankAccountId} order by day`

export const saveCarried = (tx: Tx, c: CarriedBalance & { bankAccountId: string; organizationId: string }) => tx.run`
  insert into accounts.carried_balance (bank_account_id, organization_id, day, balance_minor, carried_minor)
  values (${c.bankAccountId}, ${c.organizationId}, ${c.day}, ${c.balanceMinor}, ${c.carriedMinor})
  on conflict (bank_account_id, day) do update set balance_minor = excluded.balance_minor, carried_minor = excluded.carried_minor`

export type Period = { from: string; to: string }

/** The days that statements have told whole. */
export const completePeriods = (tx: Tx, bankAccountId: string) => tx.rows<Period>`
  select distinct from_date as "from", to_date as "to"
    from accounts.imported_statement
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
    select 1 from accounts.imported_statement
     where bank_account_id = ${s.bankAccountId} and from_date = ${s.fromDate}::date and to_date = ${s.toDate}::date
       and identification is not distinct from ${s.identification}::text and sequence_number is not distinct from ${s.sequenceNumber}::text
       and opening is not distinct from ${s.opening}::numeric and closing is not distinct from ${s.closing}::numeric
     limit 1`) !== undefined

/** What the feed of a connected account holds of some days. */
export type FeedBooking = { reference: string; day: string; signedMinor: bigint }

export const bookingsBetween = (tx: Tx, bankAccountId: string, from: Date, to: Date) => tx.rows<FeedBooking>`
  select ledger_reference as reference, (settled_at at time zone 'UTC')::date as day,
         case side when 'credit' then amount_minor else -amount_minor end as "signedMinor"
    from accounts.transaction
   where bank_account_id = ${bankAccountId} and status = 'completed' and settled_at >= ${from} and settled_at <= ${to}`

/** The day of the latest booking. Ordered as the index is, so that it is one look into it. */
export const findLatestBooking = (tx: Tx, bankAccountId: string) => tx.maybe<{ day: string }>`
  select (settled_at at time zone 'UTC')::date as day
    from accounts.transaction
   where bank_account_id = ${bankAccountId} and settled_at is not null
   order by settled_at desc
   limit 1`

/**
 * Reckons the balances of the feed anew from a moment on: `base` is the balance at `from`, and what was carried into the books later counts
 * before the bookings of its day.
 */
export const restateBalances = (
  tx: Tx,
  r: { bankAccountId: string; from: Date; base: bigint; carried: readonly { at: Date; minor: bigint }[]; now: Date },
) => tx.run`
  with carried as (
    select at, minor
      from unnest(${r.carried.map((c) => c.at.toISOString())}::timestamptz[], ${r.carried.map((c) => c.minor)}::bigint[]) as c(at, minor)
  ), movement as (
    select id, settled_at as at, number, case side when 'credit' then amount_minor else -amount_minor end as minor
      from accounts.transaction
     where bank_account_id = ${r.bankAccountId} and status = 'completed' and settled_at > ${r.from}
    union all
    select null, at, 0, minor from carried
  ), running as (
    select id, ${r.base}::bigint + (sum(minor) over (order by at, number rows unbounded preceding))::bigint as balance from movement
  )
  update accounts.transaction t
     set settled_balance_minor = running.balance, updated_at = ${r.now}
    from running
   where t.id = running.id and t.settled_balance_minor is distinct from running.balance`

export const insertImportedFile = (
  tx: Tx,
  f: { id: string; organizationId: string; name: string; format: string; problems: readonly unknown[]; importedAt: Date },
) => tx.run`
  insert into accounts.imported_file (id, organization_id, name, format, problems, imported_at)
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
  insert into accounts.imported_statement (
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
