import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
  await db.admin.query(`select ledger.make_partition('2031-01-01Z'), platform.prepare_event_partition(1)`)
})
afterAll(() => db.drop())

/** Tables that every transfer writes, and partitions that are made while the bank runs. */
test.each([
  'ledger.transfer_2031_01',
  'ledger.key',
  'feed.transaction',
  'platform.outbox',
  'platform.event_0',
  'platform.idempotency_record',
])('%s is vacuumed by its own measure: often, and slowly', async (table) => {
  const { rows } = await db.admin.query<{ options: string[] | null }>(
    'select reloptions as options from pg_class where oid = $1::regclass',
    [table],
  )
  const options = Object.fromEntries((rows[0]?.options ?? []).map((option) => option.split('=')))
  expect(options).toMatchObject({ autovacuum_vacuum_insert_scale_factor: '0' })
  expect(Number(options.autovacuum_vacuum_insert_threshold)).toBeLessThanOrEqual(100_000)
  // Milliseconds of rest per dirtied page, which costs 20.
  expect(
    Number(options.autovacuum_vacuum_cost_delay) / (Number(options.autovacuum_vacuum_cost_limit) / 20),
  ).toBeGreaterThanOrEqual(0.2)
})
