import type { Id } from '../../platform/ids.ts'
import type { Currency } from '../../platform/money.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { BookId, LedgerAccountId } from '../ledger/index.ts'
import type { PaymentAccount } from './domain/bank-account.ts'

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

export type OwnBalance = { ledgerAccountId: LedgerAccountId; balance: bigint; held: bigint }

/** What the organization's accounts have. To a member the database shows his own organization's alone. */
export const ownBalances = (tx: Tx, organizationId: string) => tx.rows<OwnBalance>`
  select ledger_account_id as "ledgerAccountId", balance, held from accounts.own_balances(${organizationId}::uuid)`

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

/** The organization's accounts, main one first, then as they were opened. `only`: just this one. */
export const listAccounts = (
  tx: Tx,
  wanted: { organizationId: string; only: string | null; withExternal: boolean; offset: number; limit: number },
) => tx.rows<StoredAccount>`
  select id, organization_id as "organizationId", number, slug, name, status, main, iban, bic, account_number as "accountNumber", currency,
         is_external as "isExternal", ledger_account_id as "ledgerAccountId", stated_balance_minor as "statedBalanceMinor",
         updated_at as "updatedAt"
    from accounts.bank_account
   where organization_id = ${wanted.organizationId}
     and (${wanted.only}::uuid is null or id = ${wanted.only}::uuid)
     and (${wanted.withExternal} or not is_external)
   order by main desc, number
   limit ${wanted.limit} offset ${wanted.offset}`

export const countAccounts = (tx: Tx, organizationId: string, withExternal: boolean) => tx.one<{ count: bigint }>`
  select count(*) as count from accounts.bank_account where organization_id = ${organizationId} and (${withExternal} or not is_external)`

export type AccountName = { readonly id: Id<'bank_account'>; readonly slug: string; readonly transactionSlugPrefix: string }

export const namesOf = (tx: Tx, ids: readonly string[]) => tx.rows<AccountName>`
  select id, slug, transaction_slug_prefix as "transactionSlugPrefix" from accounts.bank_account where id = any(${ids}::uuid[])`

/** By one of its names. Each has an index of its own, which no condition that looks at all three would use. */
export const findAccount = (
  tx: Tx,
  wanted: { organizationId: string; by: 'id' | 'iban' | 'slug'; id: string | null; iban: string; slug: string },
): Promise<AccountName | undefined> => {
  const { organizationId, by } = wanted
  if (by === 'id')
    return tx.maybe<AccountName>`
      select id, slug, transaction_slug_prefix as "transactionSlugPrefix" from accounts.bank_account
       where organization_id = ${organizationId} and id = ${wanted.id}::uuid`
  if (by === 'slug')
    return tx.maybe<AccountName>`
      select id, slug, transaction_slug_prefix as "transactionSlugPrefix" from accounts.bank_account
       where organization_id = ${organizationId} and slug = ${wanted.slug}`
  return tx.maybe<AccountName>`
    select id, slug, transaction_slug_prefix as "transactionSlugPrefix" from accounts.bank_account
     where organization_id = ${organizationId} and iban = ${wanted.iban}
     order by is_external
     limit 1`
}

/**
 * By IBAN or by the bank's number, with or without the bank code before it; blanks and case do not matter. One of ours before a connected
 * one; `organizationId`, `currency`: only those.
 */
export const findStatementAccount = (
  tx: Tx,
  wanted: { account: string; organizationId: string | null; currency: string | null },
) =>
  tx.maybe<
    Pick<
      AccountRow,
      'id' | 'organizationId' | 'iban' | 'bic' | 'accountNumber' | 'currency' | 'holderName' | 'ledgerAccountId' | 'isExternal'
    >
  >`
    select id, organization_id as "organizationId", iban, bic, account_number as "accountNumber", currency, holder_name as "holderName",
           ledger_account_id as "ledgerAccountId", is_external as "isExternal"
      from accounts.bank_account
     where upper(replace(${wanted.account}, ' ', '')) in (
             iban, upper(replace(account_number, ' ', '')), upper(split_part(account_number, ' ', -1)))
       and (${wanted.organizationId}::uuid is null or organization_id = ${wanted.organizationId}::uuid)
       and (${wanted.currency}::text is null or currency = ${wanted.currency})
       and ledger_account_id is not null
     order by is_external, created_at, id
     limit 1`

/** The organization's account at another bank, under whichever of its names. */
export const findConnectedAccount = (
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

export type LedgerLink = {
  readonly id: Id<'bank_account'>
  readonly slug: string
  readonly iban: string | null
  readonly currency: Currency
  readonly isExternal: boolean
  readonly bookId: BookId
  readonly ledgerAccountId: LedgerAccountId
}

/** All accounts that have one in the ledger, whosever they are, by id. */
export const ledgerLinksAfter = (tx: Tx, after: string, limit: number) => tx.rows<LedgerLink>`
  select id, slug, iban, currency, is_external as "isExternal", book_id as "bookId", ledger_account_id as "ledgerAccountId"
    from accounts.bank_account
   where id > ${after}::uuid and ledger_account_id is not null
   order by id
   limit ${limit}`
