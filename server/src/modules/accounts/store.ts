import type { Id } from '../../platform/ids.ts'
import type { Currency } from '../../platform/money.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { BookId, LedgerAccountId } from '../ledger/index.ts'
import type { PaymentAccount } from './domain/bank-account.ts'
import type { NewTransaction, Settlement } from './domain/transaction.ts'

export const findBookRoute = (tx: Tx, organizationId: string) =>
  tx.maybe<{ bookId: BookId }>`
    select book_id as "bookId" from accounts.book_route where organization_id = ${organizationId}`

export const insertBookRoute = (tx: Tx, organizationId: string, bookId: BookId) =>
  tx.run`
    insert into accounts.book_route (organization_id, book_id) values (${organizationId}, ${bookId}) on conflict do nothing`

export const nextAccountNumber = (tx: Tx) => tx.one<{ number: bigint }>`select nextval('accounts.account_number') as number`

/** Locks the organization's accounts against another opening, and gives the next number and whether there is a main account yet. */
export async function lockAccountNumbers(tx: Tx, organizationId: string): Promise<{ next: number; hasMain: boolean }> {
  await tx.run`select pg_advisory_xact_lock(hashtextextended('accounts.bank_account:' || ${organizationId}::text, 0))`
  return tx.one<{ next: number; hasMain: boolean }>`
    select coalesce(max(number), 0) + 1 as next, coalesce(bool_or(main), false) as "hasMain"
      from accounts.bank_account where organization_id = ${organizationId}`
}

export type AccountRow = {
  id: Id<'bank_account'>
  organizationId: Id<'organization'>
  number: number
  slug: string
  transactionSlugPrefix: string
  name: string
  holderName: string
  main: boolean
  country: string | null
  iban: string | null
  bic: string | null
  accountNumber: string | null
  currency: Currency
  isExternal: boolean
  bookId: BookId | null
  ledgerAccountId: LedgerAccountId | null
  statedBalanceMinor: bigint | null
  createdAt: Date
}

export const insertAccount = (tx: Tx, a: AccountRow) => tx.run`
  insert into accounts.bank_account (
    id, organization_id, number, slug, transaction_slug_prefix, name, holder_name, status, main, country, iban, bic, account_number,
    currency, is_external, book_id, ledger_account_id, stated_balance_minor, created_at, updated_at)
  values (
    ${a.id}, ${a.organizationId}, ${a.number}, ${a.slug}, ${a.transactionSlugPrefix}, ${a.name}, ${a.holderName}, 'active', ${a.main},
    ${a.country}, ${a.iban}, ${a.bic}, ${a.accountNumber}, ${a.currency}, ${a.isExternal}, ${a.bookId}, ${a.ledgerAccountId},
    ${a.statedBalanceMinor}, ${a.createdAt}, ${a.createdAt})`

/** Our own accounts with these IBANs, in no order. */
export const findPaymentAccounts = (tx: Tx, ibans: readonly string[]) => tx.rows<PaymentAccount>`
  select id, organization_id as "organizationId", iban, bic, currency, status, name, holder_name as "holderName", book_id as "bookId",
         ledger_account_id as "ledgerAccountId"
    from accounts.bank_account
   where iban = any(${ibans}::text[]) and not is_external`

export type StoredAccount = {
  id: Id<'bank_account'>
  organizationId: Id<'organization'>
  number: number
  slug: string
  name: string
  status: 'active' | 'closed'
  main: boolean
  iban: string | null
  bic: string | null
  accountNumber: string | null
  currency: Currency
  isExternal: boolean
  ledgerAccountId: LedgerAccountId | null
  statedBalanceMinor: bigint | null
  updatedAt: Date
}

/**
 * The organization's accounts, main one first, then as they were opened. `only`: just this one. `updatedAt` is the later of the
 * account's own last change and its feed's.
 */
export const listAccounts = (
  tx: Tx,
  wanted: { organizationId: string; only: string | null; withExternal: boolean; offset: number; limit: number },
) => tx.rows<StoredAccount>`
  select a.id, a.organization_id as "organizationId", a.number, a.slug, a.name, a.status, a.main, a.iban, a.bic,
         a.account_number as "accountNumber", a.currency, a.is_external as "isExternal", a.ledger_account_id as "ledgerAccountId",
         a.stated_balance_minor as "statedBalanceMinor", greatest(a.updated_at, feed.updated_at) as "updatedAt"
    from accounts.bank_account a
    left join lateral (
      select t.updated_at from accounts.transaction t where t.bank_account_id = a.id order by t.updated_at desc, t.id desc limit 1) feed on true
   where a.organization_id = ${wanted.organizationId}
     and (${wanted.only}::uuid is null or a.id = ${wanted.only}::uuid)
     and (${wanted.withExternal} or not a.is_external)
   order by a.main desc, a.number
   limit ${wanted.limit} offset ${wanted.offset}`

export const countAccounts = (tx: Tx, organizationId: string, withExternal: boolean) => tx.one<{ count: bigint }>`
  select count(*) as count from accounts.bank_account where organization_id = ${organizationId} and (${withExternal} or not is_external)`

/** The account that a list is asked for: by id, which wins, or by IBAN. */
export const findFeedAccount = (tx: Tx, wanted: { organizationId: string; byId: boolean; id: string | null; iban: string }) =>
  tx.maybe<{ id: Id<'bank_account'> }>`
    select id from accounts.bank_account
     where organization_id = ${wanted.organizationId}
       and case when ${wanted.byId} then id = ${wanted.id}::uuid else iban = ${wanted.iban} end
     order by is_external
     limit 1`

/** One statement for any number of rows. Rows that stand there already (a lane repeating itself after a lost connection) are left alone. */
export const insertTransactions = (tx: Tx, rows: readonly NewTransaction[]) => tx.run`
  insert into accounts.transaction (
    id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency, local_amount_minor, local_currency,
    settled_balance_minor, label, clean_counterparty_name, reference, note, category, initiator_id, subject_type,
    counterparty_account_number, counterparty_account_number_format, counterparty_bank_identifier, counterparty_bank_identifier_format,
    attachment_required, is_external, ledger_reference, emitted_at, settled_at, created_at, updated_at)
  select id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency, amount_minor, currency,
         settled_balance_minor, label, clean_name, reference, note, category, initiator_id, subject_type,
         number, number_format, bank, bank_format, attachment_required, is_external, ledger_reference, emitted_at, settled_at, recorded_at, recorded_at
    from unnest(
      ${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.organizationId)}::uuid[], ${rows.map((r) => r.bankAccountId)}::uuid[],
      ${rows.map((r) => r.status)}::text[], ${rows.map((r) => r.side)}::text[], ${rows.map((r) => r.operationType)}::text[],
      ${rows.map((r) => r.amount.minor)}::bigint[], ${rows.map((r) => r.amount.currency)}::text[],
      ${rows.map((r) => r.settledBalanceMinor)}::bigint[], ${rows.map((r) => r.label)}::text[],
      ${rows.map((r) => r.cleanCounterpartyName ?? null)}::text[], ${rows.map((r) => r.reference ?? null)}::text[],
      ${rows.map((r) => r.note ?? null)}::text[], ${rows.map((r) => r.category)}::text[], ${rows.map((r) => r.initiatorId)}::uuid[],
      ${rows.map((r) => r.subjectType)}::text[], ${rows.map((r) => r.counterparty?.number ?? null)}::text[],
      ${rows.map((r) => r.counterparty?.numberFormat ?? null)}::text[], ${rows.map((r) => r.counterparty?.bankIdentifier ?? null)}::text[],
      ${rows.map((r) => r.counterparty?.bankIdentifierFormat ?? null)}::text[], ${rows.map((r) => r.attachmentRequired ?? false)}::boolean[],
      ${rows.map((r) => r.isExternal ?? false)}::boolean[], ${rows.map((r) => r.ledgerReference)}::uuid[],
      ${rows.map((r) => r.emittedAt.toISOString())}::timestamptz[], ${rows.map((r) => r.settledAt?.toISOString() ?? null)}::timestamptz[],
      ${rows.map((r) => r.recordedAt.toISOString())}::timestamptz[])
      as r(id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency, settled_balance_minor, label, clean_name,
           reference, note, category, initiator_id, subject_type, number, number_format, bank, bank_format, attachment_required, is_external,
           ledger_reference, emitted_at, settled_at, recorded_at)
  on conflict (id) do nothing`

export const settleTransactions = (tx: Tx, rows: readonly Settlement[]) => tx.run`
  update accounts.transaction t
     set status = 'completed', settled_at = s.settled_at, updated_at = s.settled_at, settled_balance_minor = s.balance,
         ledger_reference = coalesce(s.ledger_reference, t.ledger_reference)
    from unnest(
      ${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.settledAt.toISOString())}::timestamptz[],
      ${rows.map((r) => r.settledBalanceMinor)}::bigint[], ${rows.map((r) => r.ledgerReference ?? null)}::uuid[])
      as s(id, settled_at, balance, ledger_reference)
   where t.id = s.id and t.status = 'pending'`

export const declineTransactions = (tx: Tx, ids: readonly string[], declinedAt: Date) => tx.run`
  update accounts.transaction set status = 'declined', updated_at = ${declinedAt}
   where id = any(${ids}::uuid[]) and status = 'pending'`

export type StoredTransaction = {
  id: Id<'transaction'>
  slug: string
  bankAccountId: string
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
  select t.id, a.transaction_slug_prefix || '-transaction-' || t.number as slug, t.bank_account_id as "bankAccountId", t.status, t.side,
         t.operation_type as "operationType", t.amount_minor as "amountMinor", t.currency, t.local_amount_minor as "localAmountMinor",
         t.local_currency as "localCurrency", t.settled_balance_minor as "settledBalanceMinor", t.label,
         t.clean_counterparty_name as "cleanCounterpartyName", t.reference, t.note, t.category, t.initiator_id as "initiatorId",
         t.subject_type as "subjectType", t.counterparty_account_number as "counterpartyAccountNumber",
         t.counterparty_account_number_format as "counterpartyAccountNumberFormat",
         t.counterparty_bank_identifier as "counterpartyBankIdentifier",
         t.counterparty_bank_identifier_format as "counterpartyBankIdentifierFormat", t.subject_details as "subjectDetails",
         t.vat_amount_minor as "vatAmountMinor", t.vat_rate as "vatRate", t.vat_items as "vatItems",
         array(select l.label_id from accounts.transaction_label l where l.transaction_id = t.id order by l.label_id) as "labelIds",
         t.attachment_ids as "attachmentIds", t.attachment_lost as "attachmentLost", t.attachment_required as "attachmentRequired",
         t.card_last_digits as "cardLastDigits", t.is_external as "isExternal", t.emitted_at as "emittedAt", t.settled_at as "settledAt",
         t.created_at as "createdAt", t.updated_at as "updatedAt"
    from unnest(${ids}::uuid[]) with ordinality as wanted(id, position)
    join accounts.transaction t on t.id = wanted.id and t.organization_id = ${organizationId}
    join accounts.bank_account a on a.id = t.bank_account_id
   order by wanted.position`

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
  select coalesce(sum(count), 0)::bigint as count from accounts.feed_count
   where organization_id = ${wanted.organizationId} and bank_account_id = ${wanted.bankAccountId}
     and status = any(${wanted.statuses}::text[])
     and (${wanted.side}::text is null or side = ${wanted.side})
     and (cardinality(${wanted.operationTypes}::text[]) = 0 or operation_type = any(${wanted.operationTypes}::text[]))`

export type Label = { readonly id: string; readonly name: string; readonly parentId: string | null }

export const listLabels = (tx: Tx, organizationId: string, page: { limit: number; offset: number }) => tx.rows<Label>`
  select id, name, parent_id as "parentId" from accounts.label
   where organization_id = ${organizationId}
   order by created_at, id
   limit ${page.limit} offset ${page.offset}`

export const countLabels = (tx: Tx, organizationId: string) => tx.one<{ count: bigint }>`
  select count(*) as count from accounts.label where organization_id = ${organizationId}`

export const findLabels = (tx: Tx, organizationId: string, ids: readonly string[]) => tx.rows<Label>`
  select id, name, parent_id as "parentId" from accounts.label where organization_id = ${organizationId} and id = any(${ids}::uuid[])`

export const insertLabel = (tx: Tx, label: Label & { organizationId: string }, createdAt: Date) => tx.run`
  insert into accounts.label (id, organization_id, name, parent_id, created_at)
  values (${label.id}, ${label.organizationId}, ${label.name}, ${label.parentId}, ${createdAt})`

export const linkLabels = (
  tx: Tx,
  organizationId: string,
  links: readonly { readonly transactionId: string; readonly labelId: string }[],
) => tx.run`
  insert into accounts.transaction_label (transaction_id, label_id, organization_id)
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
  update accounts.transaction t
     set vat_amount_minor = v.vat, vat_rate = v.rate::numeric, updated_at = v.updated_at,
         vat_items = jsonb_build_array(jsonb_build_object(
           'amount_minor', v.vat::text, 'amount_excluding_vat_minor', (t.amount_minor - v.vat)::text, 'rate', v.rate))
    from unnest(
      ${rows.map((r) => r.transactionId)}::uuid[], ${rows.map((r) => r.vatMinor)}::bigint[], ${rows.map((r) => r.rate)}::text[],
      ${rows.map((r) => r.updatedAt.toISOString())}::timestamptz[])
      as v(id, vat, rate, updated_at)
   where t.id = v.id and t.organization_id = ${organizationId}`

/**
 * By IBAN or by the bank's number, with or without the bank code before it; blanks and case do not matter. One of ours before a connected
 * one; `organizationId`, `currency`: only those.
 */
export const findStatementAccount = (
  tx: Tx,
  wanted: { account: string; organizationId: string | null; currency: string | null },
) =>
  tx.maybe<
    Pick<AccountRow, 'id' | 'iban' | 'bic' | 'accountNumber' | 'currency' | 'holderName' | 'ledgerAccountId' | 'isExternal'>
  >`
    select id, iban, bic, account_number as "accountNumber", currency, holder_name as "holderName",
           ledger_account_id as "ledgerAccountId", is_external as "isExternal"
      from accounts.bank_account
     where upper(replace(${wanted.account}, ' ', '')) in (
             iban, upper(replace(account_number, ' ', '')), upper(split_part(account_number, ' ', -1)))
       and (${wanted.organizationId}::uuid is null or organization_id = ${wanted.organizationId}::uuid)
       and (${wanted.currency}::text is null or currency = ${wanted.currency})
       and ledger_account_id is not null
     order by is_external, created_at, id
     limit 1`

export type CompletedTransaction = {
  id: string
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
  /** The counterparty's account is one of ours. */
  isOurs: boolean
}

/** Completed movements of an account with `from` ≤ settlement < `before`, oldest first. */
export const completedTransactions = (tx: Tx, bankAccountId: string, from: Date, before: Date) => tx.rows<CompletedTransaction>`
  select t.id, t.side, t.operation_type as "operationType", t.amount_minor as "amountMinor", t.label, t.reference,
         t.settled_at as "settledAt", t.counterparty_account_number as "counterpartyNumber",
         t.counterparty_account_number_format as "counterpartyFormat", t.counterparty_bank_identifier as bank,
         t.counterparty_bank_identifier_format as "bankFormat",
         exists (select 1 from accounts.bank_account own
                  where own.iban = t.counterparty_account_number and not own.is_external
                    and own.organization_id = t.organization_id) as "isOurs"
    from accounts.transaction t
   where t.bank_account_id = ${bankAccountId} and t.status = 'completed' and t.settled_at >= ${from} and t.settled_at < ${before}
   order by t.settled_at, t.number`
