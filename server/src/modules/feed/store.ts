import type { Id } from '../../platform/ids.ts'
import { type Currency, money } from '../../platform/money.ts'
import * as binary from '../../platform/postgres/binary-arrays.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { statement, withEnding } from '../../platform/postgres/ending.ts'
import type { SubjectRef } from '../../platform/subject.ts'
import type { OperationKey } from '../ledger/index.ts'
import type { Completion, FeedRow } from './domain/movement.ts'
import { TRANSACTION_MOVES } from './domain/transaction.ts'
import type { TransactionFact } from './events.ts'

/** What rows of one kind share. There are few of them in any batch: each is sent once, and rows name it by its place. */
type Shape = Pick<FeedRow, 'status' | 'side' | 'operationType' | 'category' | 'subjectType'> & {
  readonly subjectKind: string
  readonly currency: Currency
  readonly localCurrency: Currency
  readonly isAttachmentRequired: boolean
  readonly isExternal: boolean
}

function shapesOf(rows: readonly FeedRow[]): { shapes: readonly Shape[]; placeOf: Int32Array } {
  const shapes: Shape[] = []
  const placeOf = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as FeedRow
    let place = shapes.findIndex((shape) => isOfShape(row, shape))
    if (place < 0) {
      const { status, side, operationType, category, subjectType, subject, amount, localAmount = amount } = row
      const { isAttachmentRequired = false, isExternal = false } = row
      const currencies = { currency: amount.currency, localCurrency: localAmount.currency }
      const shared = { subjectKind: subject.kind, ...currencies, isAttachmentRequired, isExternal }
      place = shapes.push({ status, side, operationType, category, subjectType, ...shared }) - 1
    }
    placeOf[i] = place + 1
  }
  return { shapes, placeOf }
}

const isOfShape = (row: FeedRow, shape: Shape): boolean =>
  row.side === shape.side &&
  row.operationType === shape.operationType &&
  row.subject.kind === shape.subjectKind &&
  row.status === shape.status &&
  row.category === shape.category &&
  row.subjectType === shape.subjectType &&
  row.amount.currency === shape.currency &&
  (row.localAmount ?? row.amount).currency === shape.localCurrency &&
  (row.isAttachmentRequired ?? false) === shape.isAttachmentRequired &&
  (row.isExternal ?? false) === shape.isExternal

/** A column that few rows fill: of none, nothing is sent, and `unnest` fills it with nulls. */
const sparse = (values: readonly (string | null | undefined)[]): Buffer =>
  binary.textArray(values.some((value) => typeof value === 'string') ? values : [])

/** What was ordered, where it was not the amount that moved: as rare. */
const localAmounts = (rows: readonly FeedRow[]): (bigint | null)[] =>
  rows.some((row) => row.localAmount) ? rows.map((row) => row.localAmount?.minor ?? null) : []

/** One statement for any number of rows. */
function insertion(rows: readonly FeedRow[]) {
  const { shapes, placeOf } = shapesOf(rows)
  const accounts = rows.map((r) => r.counterparty.account)
  return statement`
  insert into feed.transaction (
    id, organization_id, bank_account_id, amount_minor, local_amount_minor, settled_balance_minor, label, clean_counterparty_name, reference,
    note, initiator_id, counterparty_account_number, counterparty_account_number_format, counterparty_bank_identifier,
    counterparty_bank_identifier_format, subject_id, ledger_key, emitted_at, settled_at, created_at, updated_at,
    status, side, operation_type, category, subject_type, subject_kind, currency, local_currency, attachment_required, is_external)
  select id, organization_id, bank_account_id, amount_minor, coalesce(local_amount_minor, amount_minor), settled_balance_minor, label, clean_name, reference,
         note, initiator_id, number, number_format, bank,
         bank_format, subject_id, ledger_key, emitted_at, settled_at, recorded_at, recorded_at,
         (${binary.textArray(shapes.map((s) => s.status))}::text[])[shape], (${binary.textArray(shapes.map((s) => s.side))}::text[])[shape],
         (${binary.textArray(shapes.map((s) => s.operationType))}::text[])[shape],
         (${binary.textArray(shapes.map((s) => s.category))}::text[])[shape],
         (${binary.textArray(shapes.map((s) => s.subjectType))}::text[])[shape],
         (${binary.textArray(shapes.map((s) => s.subjectKind))}::text[])[shape],
         (${shapes.map((s) => s.currency)}::char(3)[])[shape], (${shapes.map((s) => s.localCurrency)}::char(3)[])[shape],
         (${binary.boolArray(shapes.map((s) => s.isAttachmentRequired))}::boolean[])[shape],
         (${binary.boolArray(shapes.map((s) => s.isExternal))}::boolean[])[shape]
    from unnest(
      ${binary.int4Array(placeOf)}::integer[], ${binary.uuidArray(rows.map((r) => r.id))}::uuid[],
      ${binary.uuidArray(rows.map((r) => r.account.organizationId))}::uuid[], ${binary.uuidArray(rows.map((r) => r.account.id))}::uuid[],
      ${binary.int8Array(rows.map((r) => r.amount.minor))}::bigint[], ${binary.int8Array(localAmounts(rows))}::bigint[],
      ${binary.int8Array(rows.map((r) => r.balanceMinor))}::bigint[],
      ${binary.textArray(rows.map((r) => r.counterparty.name))}::text[], ${sparse(rows.map((r) => r.counterparty.cleanName))}::text[],
      ${sparse(rows.map((r) => r.reference))}::text[], ${sparse(rows.map((r) => r.note))}::text[],
      ${binary.uuidArray(rows.map((r) => r.initiatorId))}::uuid[], ${sparse(accounts.map((a) => a?.number))}::text[],
      ${sparse(accounts.map((a) => a?.numberFormat))}::text[], ${sparse(accounts.map((a) => a?.bankIdentifier))}::text[],
      ${sparse(accounts.map((a) => a?.bankIdentifierFormat))}::text[], ${binary.uuidArray(rows.map((r) => r.subject.id))}::uuid[],
      ${binary.uuidArray(rows.map((r) => r.ledgerKey))}::uuid[], ${binary.timestamptzArray(rows.map((r) => r.emittedAt))}::timestamptz[],
      ${binary.timestamptzArray(rows.map((r) => r.settledAt))}::timestamptz[],
      ${binary.timestamptzArray(rows.map((r) => r.recordedAt))}::timestamptz[])
      as r(shape, id, organization_id, bank_account_id, amount_minor, local_amount_minor, settled_balance_minor, label, clean_name, reference, note, initiator_id,
           number, number_format, bank, bank_format, subject_id, ledger_key, emitted_at, settled_at, recorded_at)`
}

/** Rows that cannot stand there yet: nothing is looked for. */
export async function insertNewTransactions(tx: Tx, rows: readonly FeedRow[]): Promise<void> {
  const { parts, values } = insertion(rows)
  await tx.run(parts, ...values)
}

/**
 * Rows that stand there already (a lane repeating itself after a lost connection) are left alone.
 * @returns the ids of those that were inserted.
 */
export async function insertTransactions(tx: Tx, rows: readonly FeedRow[]): Promise<Id<'transaction'>[]> {
  const { parts, values } = insertion(rows)
  const inserted = await tx.rows<{ id: Id<'transaction'> }>(withEnding(parts, ' on conflict do nothing returning id'), ...values)
  return inserted.map((row) => row.id)
}

/** A movement whose status has changed, as its event tells it. */
type ChangedRow = {
  id: Id<'transaction'>
  organizationId: Id<'organization'>
  bankAccountId: Id<'bank_account'>
  side: 'credit' | 'debit'
  operationType: string
  amountMinor: bigint
  currency: Currency
  label: string
  reference: string | null
  subjectKind: string
  subjectId: Id<string>
  emittedAt: Date
  balanceMinor: bigint | null
}

const factOf = (row: ChangedRow): TransactionFact & { readonly balanceMinor: bigint | null } => ({
  ...row,
  account: { id: row.bankAccountId, organizationId: row.organizationId },
  amount: money(row.currency, row.amountMinor),
  counterparty: { name: row.label },
  subject: { kind: row.subjectKind, id: row.subjectId },
})

const { complete, decline } = TRANSACTION_MOVES

// The index of what waits is asked for by its own word, which a parameter cannot prove.

/** @returns those that were pending. */
export const completeTransactions = async (tx: Tx, rows: readonly Completion[], completedAt: Date) =>
  (
    await tx.rows<ChangedRow>`
  update feed.transaction t
     set status = ${complete.to}, settled_at = ${completedAt}, updated_at = ${completedAt}, settled_balance_minor = c.balance, ledger_key = c.ledger_key
    from unnest(
      ${rows.map((r) => r.subject.kind)}::text[], ${rows.map((r) => r.subject.id)}::uuid[], ${rows.map((r) => r.balanceMinor)}::bigint[],
      ${rows.map((r) => r.ledgerKey)}::uuid[])
      as c(subject_kind, subject_id, balance, ledger_key)
   where t.subject_id = c.subject_id and t.subject_kind = c.subject_kind and t.status = any(${complete.from}) and t.status = 'pending'
  returning t.id, t.organization_id as "organizationId", t.bank_account_id as "bankAccountId", t.side, t.operation_type as "operationType",
            t.amount_minor as "amountMinor", t.currency, t.label, t.reference, t.subject_kind as "subjectKind", t.subject_id as "subjectId",
            t.emitted_at as "emittedAt", t.settled_balance_minor as "balanceMinor"`
  ).map(factOf)

/** @returns those that were pending. */
export const declineTransactions = async (tx: Tx, subjects: readonly SubjectRef[], declinedAt: Date) =>
  (
    await tx.rows<ChangedRow>`
  update feed.transaction t
     set status = ${decline.to}, updated_at = ${declinedAt}
    from unnest(${subjects.map((s) => s.kind)}::text[], ${subjects.map((s) => s.id)}::uuid[]) as s(kind, id)
   where t.subject_id = s.id and t.subject_kind = s.kind and t.status = any(${decline.from}) and t.status = 'pending'
  returning t.id, t.organization_id as "organizationId", t.bank_account_id as "bankAccountId", t.side, t.operation_type as "operationType",
            t.amount_minor as "amountMinor", t.currency, t.label, t.reference, t.subject_kind as "subjectKind", t.subject_id as "subjectId",
            t.emitted_at as "emittedAt", t.settled_balance_minor as "balanceMinor"`
  ).map(factOf)

export type StoredTransaction = {
  id: Id<'transaction'>
  /** Counts all transactions of the bank; the last part of its slug. */
  number: bigint
  bankAccountId: Id<'bank_account'>
  status: 'pending' | 'declined' | 'completed'
  side: 'credit' | 'debit'
  operationType: string
  amountMinor: bigint
  currency: Currency
  localAmountMinor: bigint
  localCurrency: Currency
  settledBalanceMinor: bigint | null
  label: string
  cleanCounterpartyName: string | null
  reference: string | null
  note: string | null
  category: string
  initiatorId: string | null
  subjectType: string
  counterpartyAccountNumber: string | null
  counterpartyAccountNumberFormat: string | null
  counterpartyBankIdentifier: string | null
  counterpartyBankIdentifierFormat: string | null
  subjectDetails: Record<string, unknown> | null
  vatAmountMinor: bigint | null
  vatRate: string | null
  vatItems: VatItem[] | null
  labelIds: string[]
  attachmentIds: string[]
  attachmentLost: boolean
  attachmentRequired: boolean
  cardLastDigits: string | null
  isExternal: boolean
  emittedAt: Date
  settledAt: Date | null
  createdAt: Date
  updatedAt: Date
}

/** As kept in `vat_items`: minor units as text, since JSON numbers are floats. */
export type VatItem = { readonly amount_minor: string; readonly amount_excluding_vat_minor: string; readonly rate: string }

/** The organization's transactions with these ids, in the order asked. */
export const findTransactions = (tx: Tx, organizationId: string, ids: readonly string[]) => tx.rows<StoredTransaction>`
  select t.id, t.number, t.bank_account_id as "bankAccountId", t.status, t.side,
         t.operation_type as "operationType", t.amount_minor as "amountMinor", t.currency, t.local_amount_minor as "localAmountMinor",
         t.local_currency as "localCurrency", t.settled_balance_minor as "settledBalanceMinor", t.label,
         t.clean_counterparty_name as "cleanCounterpartyName", t.reference, t.note, t.category, t.initiator_id as "initiatorId",
         t.subject_type as "subjectType", t.counterparty_account_number as "counterpartyAccountNumber",
         t.counterparty_account_number_format as "counterpartyAccountNumberFormat",
         t.counterparty_bank_identifier as "counterpartyBankIdentifier",
         t.counterparty_bank_identifier_format as "counterpartyBankIdentifierFormat", t.subject_details as "subjectDetails",
         t.vat_amount_minor as "vatAmountMinor", t.vat_rate as "vatRate", t.vat_items as "vatItems",
         array(select l.label_id from feed.transaction_label l where l.transaction_id = t.id order by l.label_id) as "labelIds",
         t.attachment_ids as "attachmentIds", t.attachment_lost as "attachmentLost", t.attachment_required as "attachmentRequired",
         t.card_last_digits as "cardLastDigits", t.is_external as "isExternal", t.emitted_at as "emittedAt", t.settled_at as "settledAt",
         t.created_at as "createdAt", t.updated_at as "updatedAt"
    from unnest(${ids}::uuid[]) with ordinality as wanted(id, position)
    join feed.transaction t on t.id = wanted.id and t.organization_id = ${organizationId}
   order by wanted.position`

export const findLedgerKey = (tx: Tx, organizationId: string, id: string) => tx.maybe<{ ledgerKey: OperationKey | null }>`
  select ledger_key as "ledgerKey" from feed.transaction where id = ${id} and organization_id = ${organizationId}`

/** When the organization's feeds changed last; accounts without transactions are left out. */
export const lastChanges = (tx: Tx, organizationId: string) => tx.rows<{ bankAccountId: string; updatedAt: Date }>`
  select account.id as "bankAccountId", latest.updated_at as "updatedAt"
    from (select distinct bank_account_id as id from feed.feed_count where organization_id = ${organizationId}) account
   cross join lateral (
      select t.updated_at from feed.transaction t where t.bank_account_id = account.id order by t.updated_at desc, t.id desc limit 1) latest`

/** How many transactions an account has of these kinds; the counts are kept by triggers. Empty operation types: all. */
export const countFeed = (
  tx: Tx,
  wanted: {
    organizationId: string
    bankAccountId: string
    statuses: readonly string[]
    side: string | null
    operationTypes: readonly string[]
  },
) => tx.one<{ count: bigint }>`
  select coalesce(sum(count), 0)::bigint as count from feed.feed_count
   where organization_id = ${wanted.organizationId} and bank_account_id = ${wanted.bankAccountId}
     and status = any(${wanted.statuses}::text[])
     and (${wanted.side}::text is null or side = ${wanted.side})
     and (cardinality(${wanted.operationTypes}::text[]) = 0 or operation_type = any(${wanted.operationTypes}::text[]))`

export type Label = { readonly id: string; readonly name: string; readonly parentId: string | null }

export const listLabels = (tx: Tx, organizationId: string, page: { limit: number; offset: number }) => tx.rows<Label>`
  select id, name, parent_id as "parentId" from feed.label
   where organization_id = ${organizationId}
   order by created_at, id
   limit ${page.limit} offset ${page.offset}`

export const countLabels = (tx: Tx, organizationId: string) => tx.one<{ count: bigint }>`
  select count(*) as count from feed.label where organization_id = ${organizationId}`

export const findLabels = (tx: Tx, organizationId: string, ids: readonly string[]) => tx.rows<Label>`
  select id, name, parent_id as "parentId" from feed.label where organization_id = ${organizationId} and id = any(${ids}::uuid[])`

export const insertLabel = (tx: Tx, label: Label & { organizationId: string }, createdAt: Date) => tx.run`
  insert into feed.label (id, organization_id, name, parent_id, created_at)
  values (${label.id}, ${label.organizationId}, ${label.name}, ${label.parentId}, ${createdAt})`

export const linkLabels = (
  tx: Tx,
  organizationId: string,
  links: readonly { readonly transactionId: string; readonly labelId: string }[],
) => tx.run`
  insert into feed.transaction_label (transaction_id, label_id, organization_id)
  select transaction_id, label_id, ${organizationId}::uuid
    from unnest(${links.map((l) => l.transactionId)}::uuid[], ${links.map((l) => l.labelId)}::uuid[]) as l(transaction_id, label_id)
  on conflict do nothing`

export type VatRow = {
  readonly transactionId: string
  readonly vatMinor: bigint
  readonly rate: string
  readonly updatedAt: Date
}

export const setVat = (tx: Tx, organizationId: string, rows: readonly VatRow[]) => tx.run`
  update feed.transaction t
     set vat_amount_minor = v.vat, vat_rate = v.rate::numeric, updated_at = v.updated_at,
         vat_items = jsonb_build_array(jsonb_build_object(
           'amount_minor', v.vat::text, 'amount_excluding_vat_minor', (t.amount_minor - v.vat)::text, 'rate', v.rate))
    from unnest(
      ${rows.map((r) => r.transactionId)}::uuid[], ${rows.map((r) => r.vatMinor)}::bigint[], ${rows.map((r) => r.rate)}::text[],
      ${rows.map((r) => r.updatedAt.toISOString())}::timestamptz[])
      as v(id, vat, rate, updated_at)
   where t.id = v.id and t.organization_id = ${organizationId}`

export type CompletedTransaction = {
  id: string
  ledgerKey: OperationKey | null
  side: 'credit' | 'debit'
  operationType: string
  amountMinor: bigint
  label: string
  reference: string | null
  settledAt: Date
  counterpartyNumber: string | null
  counterpartyFormat: string | null
  bank: string | null
  bankFormat: string | null
}

/** Completed movements of an account with `from` ≤ settlement < `before`, oldest first. */
export const completedTransactions = (tx: Tx, bankAccountId: string, from: Date, before: Date) => tx.rows<CompletedTransaction>`
  select t.id, t.ledger_key as "ledgerKey", t.side, t.operation_type as "operationType", t.amount_minor as "amountMinor", t.label, t.reference,
         t.settled_at as "settledAt", t.counterparty_account_number as "counterpartyNumber",
         t.counterparty_account_number_format as "counterpartyFormat", t.counterparty_bank_identifier as bank,
         t.counterparty_bank_identifier_format as "bankFormat"
    from feed.transaction t
   where t.bank_account_id = ${bankAccountId} and t.status = 'completed' and t.settled_at >= ${from} and t.settled_at < ${before}
   order by t.settled_at, t.number`

/** What the feed of a connected account holds of some days. */
export type FeedBooking = { ledgerKey: OperationKey; day: string; signedMinor: bigint }

export const bookingsBetween = (tx: Tx, bankAccountId: string, from: Date, to: Date) => tx.rows<FeedBooking>`
  select ledger_key as "ledgerKey", (settled_at at time zone 'UTC')::date as day,
         case side when 'credit' then amount_minor else -amount_minor end as "signedMinor"
    from feed.transaction
   where bank_account_id = ${bankAccountId} and status = 'completed' and settled_at >= ${from} and settled_at <= ${to}`

/** The day of the latest booking. Ordered as the index is, so that it is one look into it. */
export const findLatestBooking = (tx: Tx, bankAccountId: string) => tx.maybe<{ day: string }>`
  select (settled_at at time zone 'UTC')::date as day
    from feed.transaction
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
      from feed.transaction
     where bank_account_id = ${r.bankAccountId} and status = 'completed' and settled_at > ${r.from}
    union all
    select null, at, 0, minor from carried
  ), running as (
    select id, ${r.base}::bigint + (sum(minor) over (order by at, number rows unbounded preceding))::bigint as balance from movement
  )
  update feed.transaction t
     set settled_balance_minor = running.balance, updated_at = ${r.now}
    from running
   where t.id = running.id and t.settled_balance_minor is distinct from running.balance`
