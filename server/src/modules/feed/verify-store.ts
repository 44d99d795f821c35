import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { OperationKey } from '../ledger/index.ts'

/** Feeds beside the ledger's balances: whether a completed row was settled at that balance, and their sum. Accounts without completed rows are left out. */
export const compareFeeds = (tx: Tx, accounts: readonly { readonly id: string; readonly balance: bigint }[]) => tx.rows<{
  id: string
  balance: bigint
  isTold: boolean
  sum: bigint
}>`
  select w.id, w.balance, coalesce(bool_or(t.settled_balance_minor = w.balance), true) as "isTold",
         sum(case t.side when 'credit' then t.amount_minor else -t.amount_minor end)::bigint as sum
    from unnest(${accounts.map((a) => a.id)}::uuid[], ${accounts.map((a) => a.balance)}::bigint[]) as w(id, balance)
    join feed.transaction t on t.bank_account_id = w.id and t.status = 'completed'
   group by w.id, w.balance`

export type NamedEntry = {
  bankAccountId: Id<'bank_account'>
  ledgerKey: OperationKey
  side: 'credit' | 'debit'
  amountMinor: bigint
}

/** Completed rows that name an entry of the ledger, by its key: after `after`, and in full what has the page's last key. */
export const namedEntriesAfter = (tx: Tx, after: string, limit: number) => tx.rows<NamedEntry>`
  select bank_account_id as "bankAccountId", ledger_key as "ledgerKey", side, amount_minor as "amountMinor"
    from feed.transaction
   where ledger_key > ${after}::uuid and status = 'completed'
   order by ledger_key
   fetch first ${limit} rows with ties`

/** Feeds whose counts are not what their rows say. */
export const miscountedFeeds = (tx: Tx) => tx.rows<{ id: string; told: bigint; actual: bigint }>`
  select bank_account_id as id, sum(told)::bigint as told, sum(actual)::bigint as actual
    from (
      select bank_account_id, status, side, operation_type, count as told, 0::bigint as actual from feed.feed_count
      union all
      select bank_account_id, status, side, operation_type, 0, count(*) from feed.transaction
       group by bank_account_id, status, side, operation_type
    ) counts
   group by bank_account_id, status, side, operation_type
  having sum(told) <> sum(actual)
   order by bank_account_id`
