import { systemActor } from '../../../platform/actor.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'

/** One proof over the whole ledger. */
export interface LedgerCheck {
  readonly name: string
  readonly violations: number
  /** The first few, as text for a person. */
  readonly examples: readonly string[]
}

export interface LedgerReport {
  readonly ok: boolean
  readonly checks: readonly LedgerCheck[]
  /** How many entries (two per transfer) were looked at. */
  readonly entries: number
  /** Accounts that stand under their floor because of forced transfers: allowed, but somebody should know. */
  readonly forcedOverdrafts: number
  readonly seconds: number
}

const EXAMPLES_MAX = 5

/**
 * Every account with what its entries say. One pass over the transfers: chains are proven by `lag` over (account, version), which is
 * each entry's balance against the one before it.
 */
const ENTRIES_BY_ACCOUNT = `
  create temporary table entries_of_account on commit drop as
  select account, count(*) as entries, min(version) as first, max(version) as last,
         ledger.sum_int8(debit) as debits, ledger.sum_int8(credit) as credits,
         count(*) filter (where version <> previous_version + 1) as gaps,
         count(*) filter (where balance_after <> previous_balance + credit - debit) as breaks,
         count(*) filter (where recorded_at < previous_recorded_at) as time_runs_back,
         bool_or(forced and debit > 0) as was_forced
    from (
      select account, version, debit, credit, balance_after, recorded_at, forced,
             lag(version, 1, 0::bigint) over w as previous_version, lag(balance_after, 1, 0::bigint) over w as previous_balance,
             lag(recorded_at) over w as previous_recorded_at
        from (
          select debit as account, debit_version as version, amount as debit, 0::bigint as credit, debit_balance as balance_after, recorded_at, forced from ledger.transfer
          union all
          select credit, credit_version, 0, amount, credit_balance, recorded_at, forced from ledger.transfer
        ) leg
      window w as (partition by account order by version)
    ) chained
   group by account`

/** Each answers one row per violation, with one text column. The names are part of `partita verify --json`. */
const CHECKS: Readonly<Record<string, string>> = {
  zero_sum_per_currency: `
    select format('book %s, %s: balances add up to %s', book, currency, sum(balance)) as example
      from ledger.account group by book, currency having sum(balance) <> 0 or sum(debits) <> sum(credits)`,
  transfers_within_one_currency_and_book: `
    select format('book %s, seq %s', t.book, t.seq) as example
      from ledger.transfer t left join ledger.account d on d.number = t.debit left join ledger.account c on c.number = t.credit
     where d.currency is distinct from c.currency or d.book is distinct from t.book or c.book is distinct from t.book`,
  balance_equals_entries: `
    select format('account %s: %s on the account, %s in its entries', a.code, a.balance, coalesce(e.credits - e.debits, 0)) as example
      from ledger.account a left join entries_of_account e on e.account = a.number
     where a.debits <> coalesce(e.debits, 0) or a.credits <> coalesce(e.credits, 0) or a.balance <> coalesce(e.credits - e.debits, 0)
        or a.balance <> a.credits - a.debits`,
  running_balances_chain: `
    select format('account %s: %s entries do not follow from the one before', account, breaks) as example from entries_of_account where breaks > 0`,
  versions_without_gaps: `
    select format('account %s: %s entries, versions %s to %s, version %s on the account', a.code, coalesce(e.entries, 0), e.first, e.last, a.version) as example
      from ledger.account a left join entries_of_account e on e.account = a.number
     where a.version <> coalesce(e.last, 0) or coalesce(e.entries, 0) <> a.version or coalesce(e.gaps, 0) > 0 or (e.first is not null and e.first <> 1)`,
  recorded_time_never_runs_back: `
    select format('account %s', account) as example from entries_of_account where time_runs_back > 0`,
  entries_belong_to_accounts: `
    select format('account number %s has %s entries but does not exist', e.account, e.entries) as example
      from entries_of_account e left join ledger.account a on a.number = e.account where a.number is null`,
  accounts_belong_to_books: `
    select format('account %s names book %s, which does not exist', a.code, a.book) as example
      from ledger.account a left join ledger.book b on b.id = a.book where b.id is null`,
  available_not_under_floor: `
    select format('account %s: balance %s, held %s, floor %s, overdrawn by force %s', a.code, a.balance, a.held, a.floor, a.overdrawn) as example
      from ledger.account a left join entries_of_account e on e.account = a.number
     where a.floor is not null
       and (a.overdrawn <> greatest(0, a.floor - (a.balance - a.held)) or (a.overdrawn > 0 and e.was_forced is not true))`,
  held_equals_pending_holds: `
    select format('account %s: %s held, %s in pending holds', a.code, a.held, coalesce(h.amount, 0)) as example
      from ledger.account a
      full join (select account, sum(amount) as amount from ledger.hold where status = 'pending' group by account) h on h.account = a.number
     where a.held is distinct from coalesce(h.amount, 0)`,
  holds_end_once: `
    select format('hold %s (%s): %s posted, %s in transfers', h.id, h.status, h.posted, coalesce(t.amount, 0)) as example
      from ledger.hold h
      left join (select book, hold, sum(amount) as amount, count(*) as transfers, min(debit) as debit, min(seq) as seq
                   from ledger.transfer where hold is not null group by book, hold) t on t.book = h.book and t.hold = h.id
     where h.posted <> coalesce(t.amount, 0) or coalesce(t.transfers, 0) > 1 or (t.debit is not null and (t.debit <> h.account or t.seq <> h.ended_seq))`,
  transfers_name_existing_holds: `
    select format('book %s, seq %s', t.book, t.seq) as example
      from ledger.transfer t left join ledger.hold h on h.book = t.book and h.id = t.hold where t.hold is not null and h.id is null`,
  holds_belong_to_their_book: `
    select format('hold %s', h.id) as example from ledger.hold h left join ledger.account a on a.number = h.account where a.book is distinct from h.book`,
  keys_and_seq_agree: `
    select format('book %s: %s keys over seq %s to %s, seq %s on the book', b.code, coalesce(k.keys, 0), k.first, k.last, b.seq) as example
      from ledger.book b
      left join (select book, count(*) as keys, count(distinct seq) as places, min(seq) as first, max(seq) as last from ledger.key group by book) k on k.book = b.id
     where b.seq <> coalesce(k.last, 0) or coalesce(k.keys, 0) <> b.seq or coalesce(k.places, 0) <> b.seq`,
  keys_belong_to_books: `
    select format('book %s does not exist', book) as example from (select distinct book from ledger.key) k where not exists (select from ledger.book b where b.id = k.book)`,
  every_transfer_has_its_key: `
    select format('book %s, seq %s', t.book, t.seq) as example
      from ledger.transfer t left join ledger.key k on k.book = t.book and k.seq = t.seq where k.key is null`,
  every_hold_has_its_key: `
    select format('hold %s', h.id) as example
      from ledger.hold h left join ledger.key k on k.book = h.book and k.key = h.id and k.seq = h.placed_seq where k.key is null`,
  every_key_did_something: `
    select format('book %s, seq %s', k.book, k.seq) as example
      from ledger.key k
      left join (select book, seq from ledger.transfer union all select book, placed_seq from ledger.hold union all select book, ended_seq from ledger.hold) done
        on done.book = k.book and done.seq = k.seq
     where done.seq is null`,
  closed_accounts_are_empty: `
    select format('account %s', code) as example from ledger.account where closed and (balance <> 0 or held <> 0)`,
  closed_periods_stay_closed: `
    select format('book %s, seq %s: effective %s, recorded %s', t.book, t.seq, t.effective_at, t.recorded_at) as example
      from ledger.transfer t join ledger.period p on p.book = t.book
     where t.seq > p.closed_seq and t.effective_at < (p.through + 1)::timestamp at time zone 'Europe/Paris'`,
}

/** Proves the whole ledger from its entries: zero sum per currency, balance = entries, versions, floors, holds, keys, orphans. Reads one snapshot. */
export async function verifyLedger(database: Database): Promise<LedgerReport> {
  const startedAt = performance.now()
  const body = await database.transaction(systemActor('ledger.verify'), async (tx) => {
    await tx.query('set transaction isolation level repeatable read')
    // A proof reads everything once: hash joins, memory over disk, and no deadline. Loops, and merges on the book alone, are what a planner
    // with old statistics falls for, right after many holds or keys were written: 20,000 of them took it minutes.
    await tx.query('set local enable_nestloop = off')
    await tx.query('set local enable_mergejoin = off')
    await tx.query(`set local work_mem = '256MB'`)
    await tx.query('set local statement_timeout = 0')
    await tx.query('set local jit = off')
    await tx.query(ENTRIES_BY_ACCOUNT)
    await tx.query('analyze entries_of_account')
    const checks: LedgerCheck[] = []
    for (const [name, sql] of Object.entries(CHECKS)) checks.push(await check(tx, name, sql))
    const totals = await tx.one<{ entries: bigint; forced: bigint }>`
      select (select coalesce(sum(entries), 0)::bigint from entries_of_account) as entries, (select count(*) from ledger.account where overdrawn > 0) as forced`
    return { checks, entries: Number(totals.entries), forcedOverdrafts: Number(totals.forced) }
  })
  return {
    ok: body.checks.every((one) => one.violations === 0),
    ...body,
    seconds: Math.round(performance.now() - startedAt) / 1_000,
  }
}

async function check(tx: Tx, name: string, sql: string): Promise<LedgerCheck> {
  const [row] = await tx.query<{ violations: bigint; examples: string[] | null }>(
    `with violation as materialized (${sql})
     select (select count(*) from violation) as violations, (select array_agg(example) from (select example from violation limit ${EXAMPLES_MAX}) e) as examples`,
  )
  return { name, violations: Number(row?.violations ?? 0n), examples: row?.examples ?? [] }
}
