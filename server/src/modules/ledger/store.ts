import type { LocalDate } from '../../platform/clock.ts'
import type { Taking } from '../../platform/passes/pass.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { Account, Entry, Hold, LoggedTransfer, Movement, NewAccount, OpenAccountsRefusal } from './domain/account.ts'
import type { BookId, LedgerAccountId, OperationKey } from './domain/operation.ts'
import type { PackedBatch, PackedOutcomes } from './packed-batch.ts'

export const postBatch = (tx: Tx, bookId: BookId, batch: PackedBatch, now: Date) => tx.one<PackedOutcomes>`
  select o_status, o_seq, o_debit_balance, o_debit_version, o_credit_balance, o_credit_version
    from ledger.post_batch(${bookId}::integer, ${now}::timestamptz, ${batch.accounts}::uuid[], ${batch.kinds}::smallint[], ${batch.keys}::uuid[],
           ${batch.debits}::integer[], ${batch.credits}::integer[], ${batch.amounts}::bigint[], ${batch.currencies}::text[], ${batch.codes}::text[],
           ${batch.effectives}::timestamptz[], ${batch.references}::uuid[], ${batch.groups}::uuid[], ${batch.holds}::uuid[],
           ${batch.expiries}::timestamptz[], ${batch.forces}::boolean[])`

/**
 * Locks books until the end of the transaction, in one order, for work that posts in several or asks first and posts later: two such
 * transactions wait for each other instead of deadlocking. Posting in one book needs no call: `post` locks it.
 */
export const lockBooks = async (tx: Tx, bookIds: Iterable<BookId>): Promise<void> => {
  const inOrder = [...new Set(bookIds)].sort((a, b) => a - b)
  await tx.run`select pg_advisory_xact_lock(1818518373, book) from unnest(${inOrder}::integer[]) as b(book)`
}

/** Opens the book named `code`, or finds it: repeated, the same book. */
export const openBook = async (tx: Tx, book: { code: string; now: Date }): Promise<BookId> =>
  (await tx.one<{ id: BookId }>`select ledger.open_book(${book.code}, ${book.now}) as id`).id

export const insertAccounts = async (
  tx: Tx,
  bookId: BookId,
  accounts: readonly NewAccount[],
  now: Date,
): Promise<OpenAccountsRefusal | null> =>
  (
    await tx.one<{ refusal: OpenAccountsRefusal | null }>`
      select ledger.open_accounts(${bookId}, ${accounts.map((a) => a.id)}, ${accounts.map((a) => a.code)}, ${accounts.map((a) => a.currency)},
               ${accounts.map((a) => a.normalSide === 'debit')}, ${accounts.map((a) => a.floor)}, ${now}) as refusal`
  ).refusal

type AccountRow = Omit<Account, 'available'>

const withAvailable = (row: AccountRow): Account => ({ ...row, available: row.balance - row.held })

/** The accounts with these ids, in the order asked; unknown ids are left out. */
export const balancesOf = async (tx: Tx, accountIds: readonly LedgerAccountId[]): Promise<Account[]> =>
  (
    await tx.rows<AccountRow>`
      select id, book as "bookId", code, currency, case when debit_normal then 'debit' else 'credit' end as "normalSide",
             case when closed then 'closed' else 'open' end as status, debits, credits, balance, held, floor, overdrawn, version
        from ledger.account where id = any(${accountIds}::uuid[]) order by array_position(${accountIds}::uuid[], id)`
  ).map(withAvailable)

/** The accounts of a book with these codes, in the order asked; unknown codes are left out. */
export const accountsByCode = async (tx: Tx, bookId: BookId, codes: readonly string[]): Promise<Account[]> =>
  (
    await tx.rows<AccountRow>`
      select id, book as "bookId", code, currency, case when debit_normal then 'debit' else 'credit' end as "normalSide",
             case when closed then 'closed' else 'open' end as status, debits, credits, balance, held, floor, overdrawn, version
        from ledger.account where book = ${bookId} and code = any(${codes}::text[]) order by array_position(${codes}::text[], code)`
  ).map(withAvailable)

export const markAccountClosed = async (tx: Tx, accountId: LedgerAccountId, now: Date): Promise<string | null> =>
  (await tx.one<{ refusal: string | null }>`select ledger.close_account(${accountId}, ${now}) as refusal`).refusal

export const markPeriodClosed = async (tx: Tx, bookId: BookId, through: LocalDate, now: Date): Promise<LocalDate | null> =>
  (await tx.one<{ through: LocalDate | null }>`select ledger.close_period(${bookId}, ${through}, ${now}) as through`).through

/** From when on the book takes movements: what would count earlier is in a closed period. Undefined: no period is closed. */
export const findClosedUntil = async (tx: Tx, bookId: BookId): Promise<Date | undefined> =>
  (await tx.one<{ until: Date | null }>`select nullif(closed_until, '-infinity') as until from ledger.book where id = ${bookId}`)
    .until ?? undefined

/** The hold placed by the operation with this key, if there is one. */
export const findHold = (tx: Tx, bookId: BookId, hold: OperationKey) => tx.maybe<Hold>`
  select h.id, a.id as "accountId", a.currency, h.amount, h.status, h.posted, h.code, h.reference, h.expires_at as "expiresAt"
    from ledger.hold h join ledger.account a on a.number = h.account
   where h.book = ${bookId} and h.id = ${hold}`

/** The same for many, in one statement; a key without a hold has no row. */
export const findHolds = (tx: Tx, bookId: BookId, holds: readonly OperationKey[]) => tx.rows<
  Pick<Hold, 'id' | 'amount' | 'status'>
>`
  select id, amount, status from ledger.hold where book = ${bookId} and id = any(${holds}::uuid[])`

/** Releases the pending holds of a book that are due at `now`. @returns those released, at most `limit` (1,000 unless said). */
export const expireHolds = (tx: Tx, bookId: BookId, now: Date, limit = 1_000) => tx.rows<Hold>`
  select h.id, a.id as "accountId", a.currency, h.amount, h.status, h.posted, h.code, h.reference, h.expires_at as "expiresAt"
    from ledger.expire_holds(${bookId}, ${now}, ${limit}) h join ledger.account a on a.number = h.account`

export type BookWithDueHolds = { bookId: BookId }

/** Books with holds that are due, in the order in which books are locked. */
export const booksWithDueHolds = (tx: Tx, { now, limit, held }: Taking) => tx.rows<BookWithDueHolds>`
  select id as "bookId" from ledger.book b
   where exists (select from ledger.hold h where h.book = b.id and h.status = 'pending' and h.expires_at <= ${now})
     and id::text not in (select platform.held(${held.pass}, ${held.at}))
   order by id limit ${limit}`

/** Small number, book and version of an account; undefined when it isn't there. */
export const findAccountNumber = (tx: Tx, accountId: LedgerAccountId) => tx.maybe<{
  number: number
  book: BookId
  version: bigint
}>`
  select number, book, version from ledger.account where id = ${accountId}`

/** What stands before a version, newest first; the newest of all without one. No such account: none. */
// A subquery per row, not a join: a join planned while there were few accounts would read all of them later.
export const selectEntriesBefore = (
  tx: Tx,
  accountId: LedgerAccountId,
  beforeVersion: bigint | null,
  limit: number,
) => tx.rows<Entry>`
  select e.version, e.side, e.amount, e.balance_after as "balanceAfter", (select c.id from ledger.account c where c.number = e.counter_account) as "counterAccountId", e.seq, e.code, e."group", e.reference, e.hold,
         e.forced, e.effective_at as "effectiveAt", e.recorded_at as "recordedAt"
    from ledger.account a cross join lateral ledger.entries_before(a.number, coalesce(${beforeVersion}, a.version + 1), ${limit}) e
   where a.id = ${accountId}
   order by e.version desc`

/** What comes after a version, oldest first. No such account: none. */
export const selectEntriesAfter = (tx: Tx, accountId: LedgerAccountId, afterVersion: bigint, limit: number) => tx.rows<Entry>`
  select e.version, e.side, e.amount, e.balance_after as "balanceAfter", (select c.id from ledger.account c where c.number = e.counter_account) as "counterAccountId", e.seq, e.code, e."group", e.reference, e.hold,
         e.forced, e.effective_at as "effectiveAt", e.recorded_at as "recordedAt"
    from ledger.account a cross join lateral ledger.entries_after(a.number, ${afterVersion}, ${limit}) e
   where a.id = ${accountId}
   order by e.version`

/** All entries of many accounts at once, by account and version: for who compares whole histories. */
export const entriesOfAccounts = (tx: Tx, accountIds: readonly LedgerAccountId[]) => tx.rows<
  Pick<Entry, 'version' | 'side' | 'amount' | 'balanceAfter' | 'code' | 'effectiveAt'> & { readonly accountId: LedgerAccountId }
>`
  select a.id as "accountId", e.version, e.side, e.amount, e.balance_after as "balanceAfter", e.code, e.effective_at as "effectiveAt"
    from ledger.account a cross join lateral (select * from ledger.entry where account = a.number) e
   where a.id = any(${accountIds}::uuid[])
   order by a.number, e.version`

export const selectBalanceAtVersion = (tx: Tx, account: number, version: bigint) => tx.maybe<{ balance: bigint }>`
  select balance_after as balance from ledger.entry where account = ${account} and version = ${version}`

export const selectVersionRecorded = async (tx: Tx, account: number, at: Date): Promise<bigint> =>
  (await tx.one<{ version: bigint }>`select ledger.version_recorded(${account}, ${at}) as version`).version

/**
 * What to add to the balance by recorded time to get the one by effective time: entries recorded later that count already, less
 * entries recorded earlier that don't count yet. The book's widest gaps bound how far either can lie from the instant.
 */
export const selectEffectiveCorrection = async (tx: Tx, account: number, bookId: BookId, at: Date): Promise<bigint> =>
  (
    await tx.one<{ correction: bigint }>`
      select ledger.sum_int8(case when (e.recorded_at > ${at}::timestamptz) = (e.side = 'credit') then e.amount else -e.amount end) as correction
        from ledger.entry e
       where e.account = ${account} and (e.recorded_at > ${at}::timestamptz) = (e.effective_at <= ${at}::timestamptz)
         and e.version > ledger.version_recorded(${account},
               ${at}::timestamptz - (select postdated_max from ledger.book where id = ${bookId}) - interval '1 microsecond')
         and e.version <= ledger.version_recorded(${account}, ${at}::timestamptz + (select backdated_max from ledger.book where id = ${bookId}))`
  ).correction

/** What the account's entries that count after an instant move, for each instant from which some count. */
export const selectMovementsAfter = (tx: Tx, account: number, bookId: BookId, after: Date) => tx.rows<Movement>`
  select e.effective_at as "effectiveAt", ledger.sum_int8(case e.side when 'credit' then e.amount else -e.amount end) as minor
    from ledger.entry e
   where e.account = ${account} and e.effective_at > ${after}::timestamptz
     and e.version > ledger.version_recorded(${account},
           ${after}::timestamptz - (select postdated_max from ledger.book where id = ${bookId}) - interval '1 microsecond')
   group by e.effective_at
   order by e.effective_at`

export const ensurePartition = (tx: Tx, at: Date) => tx.run`select ledger.ensure_partition(${at}::timestamptz)`

export type EntryOf = {
  readonly key: OperationKey
  readonly accountId: LedgerAccountId
  readonly side: 'debit' | 'credit'
  readonly amount: bigint
}

/**
 * Those of `wanted` that the book has no such entry of: under this key, with this amount, on this side of this account. For proofs of records
 * that name entries; in the order of their keys it is quickest.
 */
export const entriesMissing = (tx: Tx, bookId: BookId, wanted: readonly EntryOf[]) => tx.rows<Pick<EntryOf, 'key' | 'accountId'>>`
  select key, account as "accountId"
    from (
      select w.*, (select k.seq from ledger.key k where k.book = ${bookId} and k.key = w.key) as seq,
             (select a.number from ledger.account a where a.id = w.account and a.book = ${bookId}) as number
        from unnest(${wanted.map((w) => w.key)}::uuid[], ${wanted.map((w) => w.accountId)}::uuid[], ${wanted.map((w) => w.side)}::text[],
                    ${wanted.map((w) => w.amount)}::bigint[]) as w(key, account, side, amount)
      offset 0 -- looked up one by one: joined, each page would read all keys and transfers
    ) w
   where coalesce((select t.amount = w.amount and w.number = case w.side when 'debit' then t.debit else t.credit end
                     from ledger.transfer t where t.book = ${bookId} and t.seq = w.seq), false) is false`

/** The book's transfers with seq above `afterSeq`, in commit order: the ledger's own outbox. Holds and voids take a seq but are not in it. */
export const transfersAfter = (tx: Tx, bookId: BookId, afterSeq: bigint, limit: number) => tx.rows<LoggedTransfer>`
  select t.seq, (select d.id from ledger.account d where d.number = t.debit) as "debitAccountId",
         (select c.id from ledger.account c where c.number = t.credit) as "creditAccountId",
         (select d.currency from ledger.account d where d.number = t.debit) as currency, t.amount,
         t.debit_version as "debitVersion", t.debit_balance as "debitBalance", t.credit_version as "creditVersion", t.credit_balance as "creditBalance",
         t.code, t."group", t.reference, t.hold, t.forced, t.effective_at as "effectiveAt", t.recorded_at as "recordedAt"
    from (select * from ledger.transfer where book = ${bookId} and seq > ${afterSeq} order by seq limit ${limit}) t
   order by t.seq`
