import { afterAll, beforeAll, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { type Operation, openAccounts, openBook, post } from '../../src/modules/ledger/index.ts'
import { newId } from '../../src/platform/ids.ts'
import { EUR, money } from '../../src/platform/money.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { testActor } from '../support/actors.ts'
import type { TestDatabase } from '../support/database.ts'
import { BEFORE_FEED_SPLIT, databaseOfRelease } from '../support/earlier-release.ts'

/** The upgrade looks for each row's entry. Looked for one by one, in an account with many, an upgrade of 80,000 rows did not end within ten minutes. */
const ROWS = 3_000
const NOW = new Date('2026-03-02T09:00:00Z')
let db: TestDatabase
beforeAll(async () => {
  db = await databaseOfRelease(BEFORE_FEED_SPLIT)
})
afterAll(() => db.drop())

test('an upgrade reads a long feed a few times, not once for each of its rows', async () => {
  const [organizationId, account, ledgerAccount, clearing] = [
    newId(),
    newId(),
    newId<'ledger_account'>(),
    newId<'ledger_account'>(),
  ]
  const keys = Array.from({ length: ROWS }, () => newId<'ledger_operation'>())
  await db.database.transaction(testActor, async (tx) => {
    const bookId = await openBook(tx, { code: 'main', now: NOW })
    const common = { currency: EUR, normalSide: 'credit', floor: null } as const
    await openAccounts(
      tx,
      bookId,
      [ledgerAccount, clearing].map((id) => ({ ...common, id, code: `T:${id}` })),
      NOW,
    )
    const entries = keys.map(
      (key): Operation => ({
        kind: 'transfer',
        key,
        code: 'test',
        debit: clearing,
        credit: ledgerAccount,
        amount: money(EUR, 1n),
      }),
    )
    await post(tx, bookId, entries, NOW)
  })
  await db.admin.query(
    `insert into accounts.bank_account (id, organization_id, number, slug, transaction_slug_prefix, name, holder_name, status, main, country, iban,
       bic, currency, is_external, book_id, ledger_account_id, created_at, updated_at)
     values ($1, $2, 1, 'o-1', 'o-1', 'One', 'O', 'active', true, 'FR', 'FR1', 'PARTFRPP', 'EUR', false, 1, $3, now(), now())`,
    [account, organizationId, ledgerAccount],
  )
  await db.admin.query(
    `insert into accounts.transaction (id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency, local_amount_minor,
       local_currency, settled_balance_minor, label, category, subject_type, ledger_reference, emitted_at, settled_at, created_at, updated_at)
     select gen_random_uuid(), $1, $2, 'completed', 'credit', 'income', 1, 'EUR', 1, 'EUR', place, 'x', 'sales', 'Other', key, now(), now(), now(), now()
       from unnest($3::uuid[]) with ordinality as k(key, place)`,
    [organizationId, account, keys],
  )
  const before = await entriesRead()
  await migrate(db.adminUrl, partita.migrations())
  expect((await entriesRead()) - before).toBeLessThan(20 * ROWS)
  const { rows } = await db.admin.query('select count(ledger_key)::int as keyed from feed.transaction')
  expect(rows[0].keyed).toBe(ROWS)
})

/** Entries of the feed's indexes that were read by those who have ended their work. */
async function entriesRead(): Promise<number> {
  const { rows } = await db.admin.query(
    `select pg_stat_clear_snapshot(), (select sum(idx_tup_read)::int from pg_stat_user_indexes where relname = 'transaction') as read`,
  )
  return rows[0].read
}
