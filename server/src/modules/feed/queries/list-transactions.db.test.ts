import { afterAll, beforeAll, expect, test } from 'vitest'
import { asMember } from '../../../../test/support/actors.ts'
import { makeCompany, type TestCompany } from '../../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { pageOfTransactions, type TransactionFilter, type TransactionSort } from './list-transactions.ts'

/** What a list reads, as PostgreSQL itself counts it: entries of indexes, and rows. */
const ROWS = 60_000
const SINCE = new Date('2023-06-01T00:00:00.000Z')

let db: TestDatabase
let company: TestCompany
beforeAll(async () => {
  db = await createTestDatabase({ poolSize: 1 })
  company = await makeCompany(db.database, new Date('2020-01-01T00:00:00.000Z'))
  await db.admin.query(
    `insert into feed.transaction (id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency,
       local_amount_minor, local_currency, label, category, subject_type, subject_kind, subject_id, emitted_at, settled_at, created_at, updated_at)
     select gen_random_uuid(), organization_id, id, state, 'credit', 'income', 1, 'EUR', 1, 'EUR', 'x', 'sales', 'Other', 'test', gen_random_uuid(), t,
            case state when 'completed' then t end, t, t
       from accounts.bank_account, generate_series(1, ${ROWS}) n,
            lateral (select timestamptz '2020-01-01' + n * interval '30 minutes' as t, case when n % 20000 = 0 then 'pending' else 'completed' end as state) x
      where id = $1 order by n`,
    [company.accounts[0].id],
  )
  await db.admin.query('vacuum analyze feed.transaction')
})
afterAll(() => db.drop())

/** What this session has read of the feed so far: one session serves an organization's reads here. */
async function readSoFar(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ read: bigint }>(
    `select pg_stat_get_xact_tuples_returned('feed.transaction'::regclass) + pg_stat_get_xact_tuples_fetched('feed.transaction'::regclass)
            + (select sum(pg_stat_get_xact_tuples_returned(indexrelid)) from pg_index where indrelid = 'feed.transaction'::regclass) as read`,
  )
  return Number(row?.read)
}

async function list(
  filter: Partial<TransactionFilter>,
  offset = 0,
  sort: TransactionSort = { by: 'settled_at', direction: 'desc' },
) {
  const everything: TransactionFilter = {
    organizationId: company.id,
    statuses: ['completed'],
    operationTypes: [],
    updatedAt: {},
    emittedAt: {},
    settledAt: {},
    createdAt: {},
  }
  const before = await db.database.read(asMember(company.id), readSoFar)
  return db.database.read(asMember(company.id), async (tx) => {
    const page = { sort, offset, limit: 100 }
    const found = await pageOfTransactions(tx, { id: company.accounts[0].id }, { ...everything, ...filter }, page)
    return { count: Number(found?.count), rows: found?.rows.length, read: (await readSoFar(tx)) - before }
  })
}

test.each<[string, Partial<TransactionFilter>, number, number, number]>([
  ['the first page', {}, 0, ROWS - 3, 500],
  ['the last page', {}, ROWS - 20, ROWS - 3, 500],
  ['what is pending, which is little', { statuses: ['pending'] }, 0, 3, 500],
  ['what there is none of', { operationTypes: ['cheque'] }, 0, 0, 0],
  ['what has attachments, which is none', { withAttachments: true }, 0, 0, 500],
  ['what has no attachments, which is all', { withAttachments: false }, 0, ROWS - 3, 500],
  ['what was settled since a moment', { settledAt: { from: SINCE } }, 0, 144, 1_000],
  ['what was updated since a moment', { updatedAt: { from: SINCE } }, 0, 144, 1_000],
  ['what was created since a moment', { createdAt: { from: SINCE } }, 0, 144, 1_000],
])('%s of a long feed is found without reading all of it', async (_, filter, offset, count, readMax) => {
  const listed = await list(filter, offset)
  expect(listed.count).toBe(count)
  expect(listed.rows).toBe(Math.min(100, count - offset))
  expect(listed.read).toBeLessThanOrEqual(readMax)
})

test('a range of one time, in the order of another, is found without reading up to it', async () => {
  const listed = await list({ settledAt: { from: SINCE } }, 0, { by: 'emitted_at', direction: 'asc' })
  expect(listed).toMatchObject({ count: 144, rows: 100 })
  expect(listed.read).toBeLessThanOrEqual(1_000)
})

test.each(['settled_at', 'updated_at', 'emitted_at'] as const)('what is pending is found in either order of %s', async (by) => {
  for (const direction of ['asc', 'desc'] as const) {
    const listed = await list({ statuses: ['pending', 'declined'] }, 0, { by, direction })
    expect(listed).toMatchObject({ count: 3, rows: 3 })
    expect(listed.read).toBeLessThanOrEqual(100)
  }
})

test('reads are counted: a range of all times reads the feed', async () => {
  expect((await list({ settledAt: { from: new Date(0) } })).read).toBeGreaterThan(ROWS / 2)
})
