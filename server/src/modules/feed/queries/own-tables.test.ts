import { expect, test } from 'vitest'
import { queryBuilder } from '../../../platform/postgres/kysely.ts'
import type { DB as FeedTables } from '../schema-types.ts'

const build = queryBuilder<FeedTables>()

test('a query of the feed reads its own tables', () => {
  expect(build.selectFrom('feed.transaction').select('id').compile().sql).toBe('select "id" from "feed"."transaction"')
})

test('a query of the feed that reads another module’s table, or one of the platform, does not compile', () => {
  // Each line below fails `npm test -- --only types` the day that it compiles.
  // @ts-expect-error
  const account = () => build.selectFrom('accounts.bank_account')
  // @ts-expect-error
  const outbox = () => build.selectFrom('platform.outbox')
  // @ts-expect-error
  const joined = () => build.selectFrom('feed.transaction').innerJoin('ledger.account', 'id', 'id')
  // @ts-expect-error
  const written = () => build.updateTable('payments.credit_transfer')
  expect([account, outbox, joined, written]).toHaveLength(4)
})
