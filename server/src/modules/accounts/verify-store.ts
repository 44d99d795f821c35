import type { Id } from '../../platform/ids.ts'
import type { Currency } from '../../platform/money.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { BookId, LedgerAccountId } from '../ledger/index.ts'

type LedgerLink = {
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

/** Feeds beside the ledger's balances: whether a completed row was settled at that balance, and their sum. Accounts without completed rows are left out. */
export const compareFeeds = (tx: Tx, accounts: readonly { readonly id: string; readonly balance: bigint }[]) => tx.rows<{
  slug: string
  balance: bigint
  isTold: boolean
  sum: bigint
}>`
  select a.slug, w.balance, coalesce(bool_or(t.settled_balance_minor = w.balance), true) as "isTold",
         sum(case t.side when 'credit' then t.amount_minor else -t.amount_minor end)::bigint as sum
    from unnest(${accounts.map((a) => a.id)}::uuid[], ${accounts.map((a) => a.balance)}::bigint[]) as w(id, balance)
    join accounts.bank_account a on a.id = w.id
    join accounts.transaction t on t.bank_account_id = w.id and t.status = 'completed'
   group by a.id, a.slug, w.balance`

/** Feeds whose counts are not what their rows say, up to `limit` of them. */
export const miscountedFeeds = (tx: Tx, limit: number) => tx.rows<{ slug: string; told: bigint; actual: bigint; total: bigint }>`
  select coalesce(a.slug, bank_account_id::text) as slug, told, actual, count(*) over () as total
    from (
      select bank_account_id, sum(told)::bigint as told, sum(actual)::bigint as actual
        from (
          select bank_account_id, status, side, operation_type, count as told, 0::bigint as actual from accounts.feed_count
          union all
          select bank_account_id, status, side, operation_type, 0, count(*) from accounts.transaction
           group by bank_account_id, status, side, operation_type
        ) counts
       group by bank_account_id, status, side, operation_type
      having sum(told) <> sum(actual)
    ) wrong
    left join accounts.bank_account a on a.id = bank_account_id
   order by slug
   limit ${limit}`
