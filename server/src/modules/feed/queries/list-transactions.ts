import { type Expression, type SqlBool, sql } from 'kysely'
import type { Page } from '../../../platform/http/list.ts'
import { asId, type Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { queryBuilder, rowsAround, rowsOf as rowsOfQuery } from '../../../platform/postgres/kysely.ts'
import { findAccountName } from '../../accounts/index.ts'
import type { TransactionSide, TransactionStatus } from '../domain/transaction.ts'
import { PACKED, PackedTransaction } from '../packed.ts'
import type { DB as FeedTables } from '../schema-types.ts'
import * as store from '../store.ts'

const build = queryBuilder<FeedTables>()

export type InstantRange = { readonly from?: Date | undefined; readonly to?: Date | undefined }

/** Which of an account's transactions are wanted. Ranges include both ends. */
export type TransactionFilter = {
  readonly organizationId: Id<'organization'>
  readonly statuses: readonly TransactionStatus[]
  readonly side?: TransactionSide | undefined
  /** Empty: all. */
  readonly operationTypes: readonly string[]
  readonly withAttachments?: boolean | undefined
  readonly updatedAt: InstantRange
  readonly emittedAt: InstantRange
  readonly settledAt: InstantRange
  readonly createdAt: InstantRange
}

export const TRANSACTION_SORTS = ['updated_at', 'settled_at', 'emitted_at'] as const
export type TransactionSort = { readonly by: (typeof TRANSACTION_SORTS)[number]; readonly direction: 'asc' | 'desc' }

/** The account whose feed is wanted: by id, which wins, by IBAN, or else by slug; all as the caller wrote them. */
export type FeedAccount = {
  readonly id?: string | undefined
  readonly iban?: string | undefined
  readonly slug?: string | undefined
}

type AccountFilter = TransactionFilter & { readonly bankAccountId: Id<'bank_account'> }

/**
 * One page of an account's feed and the exact number of rows of the whole list.
 *
 * Transactions that share their time are ordered by id; those without one (`settled_at` of what is not completed) count as latest. The page's keys come
 * from an index alone, counted from whichever end is nearer, and only its own rows are then fetched: page 5,000 costs a walk over index
 * entries, not over rows. Rows are counted only inside a range of times; else the feed's own counts tell how many there are.
 *
 * Count and rows must speak of the same moment: read them in a snapshot.
 *
 * @returns undefined when the organization has no such account.
 */
export async function pageOfTransactions(
  tx: Tx,
  asked: FeedAccount,
  wanted: TransactionFilter,
  page: { readonly sort: TransactionSort; readonly offset: number; readonly limit: number },
): Promise<FeedPage | undefined> {
  const { organizationId } = wanted
  const countOf = async (bankAccountId: Id<'bank_account'>): Promise<Counted> => {
    const filter = { ...wanted, bankAccountId }
    const kept = await countKept(tx, filter)
    return kept === undefined ? { count: await countRows(tx, filter), isKept: false } : { count: kept, isKept: true }
  }
  // Whoever gives an id most often has it from us: both are asked at once.
  const id = asId<'bank_account'>(asked.id ?? '')
  const [account, early] = await Promise.all([findAccountName(tx, organizationId, asked), id && countOf(id)])
  if (!account) return undefined
  const { count, isKept } = early ?? (await countOf(account.id))
  const found = { count, slugPrefix: account.transactionSlugPrefix }

  const left = Number(count) - page.offset
  if (left <= 0) return { ...found, rows: [] }
  // No more than there are: whoever waits for a hundred rows where there are three would read the index to its end.
  const size = Math.min(page.limit, left)
  const fromEnd = left - size
  const filter = { ...wanted, bankAccountId: account.id }
  const isSortedHere = count <= SORTED_HERE_MAX && (!isKept || !wanted.statuses.includes('completed'))
  const { sort } = page
  if (fromEnd >= page.offset)
    return { ...found, rows: await rowsOf(tx, keysOf(filter, sort, { offset: page.offset, limit: size }, isSortedHere), sort) }
  const backwards = { by: sort.by, direction: sort.direction === 'asc' ? 'desc' : 'asc' } as const
  return { ...found, rows: await rowsOf(tx, keysOf(filter, backwards, { offset: fromEnd, limit: size }, isSortedHere), sort) }
}

/** A page of packed rows; their slugs begin with their account's prefix. */
export type FeedPage = Page<PackedTransaction> & { readonly slugPrefix: string }

type Counted = { readonly count: bigint; readonly isKept: boolean }

/** The rows with these keys, in this order. */
async function rowsOf(tx: Tx, keys: ReturnType<typeof keysOf>, { direction }: TransactionSort): Promise<PackedTransaction[]> {
  const packed = await rowsAround<{ row: string }>(
    tx,
    keys,
    (wanted) => `
      with wanted(id, at) as materialized (${wanted})
      select ${PACKED} as row from wanted join feed.transaction t using (id) order by wanted.at ${direction}, id ${direction}`,
  )
  return packed.map(({ row }) => new PackedTransaction(row))
}

/**
 * Up to so many rows of a range of times, or of what is not completed, are collected and sorted: reading in order would pass all the others
 * first.
 */
const SORTED_HERE_MAX = 20_000n

function keysOf(
  filter: AccountFilter,
  sort: TransactionSort,
  { limit, offset }: { readonly offset: number; readonly limit: number },
  isSortedHere: boolean,
) {
  const keys = [`id`, `${sort.by} as at`] as const
  const inOrder = filtered(filter).select(keys).orderBy(sort.by, sort.direction).orderBy('id', sort.direction)
  const collected = build
    .with(
      (cte) => cte('matching').materialized(),
      () => filtered(filter).select(['id', sort.by]),
    )
    .selectFrom('matching')
    .select(keys)
    .orderBy(sort.by, sort.direction)
    .orderBy('id', sort.direction)
  return isSortedHere ? collected.limit(limit).offset(offset) : inOrder.limit(limit).offset(offset)
}

/** The count that the feed keeps by status, side and type, less or only those with attachments, which have an index; undefined where times make us look at rows. */
async function countKept(tx: Tx, filter: AccountFilter): Promise<bigint | undefined> {
  const times = [filter.updatedAt, filter.emittedAt, filter.settledAt, filter.createdAt]
  if (times.some(({ from, to }) => from !== undefined || to !== undefined)) return undefined
  const withAttachments = filter.withAttachments === undefined ? 0n : await countRows(tx, { ...filter, withAttachments: true })
  if (filter.withAttachments) return withAttachments
  return (await store.countFeed(tx, { ...filter, side: filter.side ?? null })).count - withAttachments
}

async function countRows(tx: Tx, filter: AccountFilter): Promise<bigint> {
  const [row] = await rowsOfQuery<{ count: bigint }>(tx, filtered(filter).select(sql<bigint>`count(*)`.as('count')))
  return row?.count ?? 0n
}

function filtered(filter: AccountFilter) {
  const ranges = {
    updated_at: filter.updatedAt,
    emitted_at: filter.emittedAt,
    settled_at: filter.settledAt,
    created_at: filter.createdAt,
  }
  return build.selectFrom('feed.transaction').where((eb) => {
    const conditions: Expression<SqlBool>[] = [
      eb('bank_account_id', '=', filter.bankAccountId),
      eb('organization_id', '=', filter.organizationId),
      // In the text, not as a value: what is not completed has an index, which one plan for all values could not use.
      filter.statuses.length === 1
        ? eb('status', '=', sql.lit(filter.statuses[0] as TransactionStatus))
        : eb('status', '=', sql<string>`any(${sql.lit(`{${filter.statuses.join()}}`)}::text[])`),
    ]
    if (filter.side) conditions.push(eb('side', '=', filter.side))
    if (filter.operationTypes.length > 0)
      conditions.push(eb('operation_type', '=', sql<string>`any(${filter.operationTypes}::text[])`))
    if (filter.withAttachments !== undefined) {
      conditions.push(filter.withAttachments ? sql<SqlBool>`attachment_ids <> '{}'` : sql<SqlBool>`attachment_ids = '{}'`)
    }
    for (const [column, range] of Object.entries(ranges) as [keyof typeof ranges, InstantRange][]) {
      if (range.from) conditions.push(eb(column, '>=', range.from))
      if (range.to) conditions.push(eb(column, '<=', range.to))
    }
    return eb.and(conditions)
  })
}
