import { afterAll, beforeAll, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { newId } from '../../src/platform/ids.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { verifyBank } from '../../src/verify.ts'
import { BEFORE_FEED_SPLIT, databaseOfRelease } from '../support/earlier-release.ts'
import { startTestBank, type TestBank } from './support.ts'

/** A list's `total_count` comes from counts that triggers keep: it costs the same however long the feed is, and is exact. */
let bank: TestBank
let account: string
beforeAll(async () => {
  bank = await startTestBank()
  account = bank.demo.accounts[0]?.id ?? ''
})
afterAll(() => bank.close())

const totalOf = async (query = ''): Promise<number> =>
  (await bank.get(`/v2/transactions?bank_account_id=${account}&per_page=1${query}`)).json().meta.total_count

const COUNTED = [
  '',
  '&status=pending,declined,completed',
  '&side=debit',
  '&operation_type=transfer,direct_debit&status=completed,declined',
]

const recount = async (): Promise<number> =>
  (await verifyBank(bank.db.database)).checks.find(({ name }) => name === 'feed_counts_are_true')?.violations ?? -1

const rowsOf = async (text: string) => (await bank.db.admin.query(text)).rows

test('the rows themselves are not counted where status, side and type decide', async () => {
  const before = await Promise.all(COUNTED.map(totalOf))
  await bank.db.admin.query(
    'update feed.feed_count set count = count + 1000 where bank_account_id = $1 and status = $2 and side = $3 and operation_type = $4',
    [account, 'completed', 'debit', 'transfer'],
  )
  const after = await Promise.all(COUNTED.map(totalOf))
  expect(after).toEqual(before.map((count) => count + 1000))
  expect(await totalOf('&settled_at_from=2000-01-01')).toBe(before[0])

  expect(await recount()).toBe(1)
  await bank.db.admin.query('update feed.feed_count set count = count - 1000 where count > 1000')
  expect(await recount()).toBe(0)
})

test('whoever writes the feed, its counts follow in the same commit', async () => {
  const before = await totalOf()
  const client = await bank.db.admin.connect()
  try {
    await client.query('begin')
    await client.query(`update feed.transaction set operation_type = 'card', side = 'credit' where bank_account_id = $1`, [
      account,
    ])
    await client.query(
      `delete from feed.transaction where status = 'declined' and id not in (select transaction_id from feed.transaction_label)`,
    )
    const { rows } = await client.query(
      `select side, operation_type, status, count::int from feed.feed_count where bank_account_id = $1 and count <> 0 order by status`,
      [account],
    )
    expect(rows[0]).toEqual({ side: 'credit', operation_type: 'card', status: 'completed', count: before })
    expect(await totalOf()).toBe(before)
    await client.query('rollback')
  } finally {
    client.release()
  }
  expect(await totalOf()).toBe(before)
  expect(await recount()).toBe(0)
})

test('a database that has feeds already gets their counts when it is migrated, by an owner whom row-level security binds', async () => {
  const early = await databaseOfRelease({ ...BEFORE_FEED_SPLIT, accounts: 2, payments: 0 })
  try {
    await early.admin.query(
      `insert into accounts.transaction (id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency,
         local_amount_minor, local_currency, label, category, subject_type, emitted_at, settled_at, created_at, updated_at)
       select gen_random_uuid(), $1, $2, 'completed', case n % 2 when 0 then 'debit' else 'credit' end, 'transfer', n, 'EUR', n, 'EUR', 'x', 'sales',
              'Other', now(), now(), now(), now() from generate_series(1, 7) n`,
      [newId(), newId()],
    )
    await migrate(early.adminUrl, partita.migrations())
    const { rows } = await early.admin.query('select status, side, operation_type, count::int from feed.feed_count order by side')
    expect(rows).toEqual([
      { status: 'completed', side: 'credit', operation_type: 'transfer', count: 4 },
      { status: 'completed', side: 'debit', operation_type: 'transfer', count: 3 },
    ])
    const [table] = await rowsOf(`select relforcerowsecurity as forced from pg_class where oid = 'feed.transaction'::regclass`)
    expect(table.forced).toBe(true)
  } finally {
    await early.drop()
  }
})
