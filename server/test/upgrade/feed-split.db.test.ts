import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { type Id, newId } from '../../src/platform/ids.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { asMember } from '../support/actors.ts'
import type { TestDatabase } from '../support/database.ts'
import { BEFORE_FEED_SPLIT, databaseOfRelease } from '../support/earlier-release.ts'

/** A database of the release in which accounts, feed and connections were one schema keeps every row, and goes on. */
const organizationId = newId<'organization'>()
const accountId = newId<'bank_account'>()
const connectedId = newId<'bank_account'>()
const labelId = newId<'label'>()
const fileId = newId<'imported_file'>()

const MOVED: Readonly<Record<string, string>> = {
  transaction: 'feed',
  feed_count: 'feed',
  label: 'feed',
  transaction_label: 'feed',
  external_history: 'connections',
  carried_balance: 'connections',
  imported_file: 'connections',
  imported_statement: 'connections',
}

/** Taken since then: what a movement says of money is written once, and by the bank's own work (the feed's migration 0006). */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  transaction: ['partita_app INSERT', 'partita_system UPDATE'],
  feed_count: ['partita_app INSERT', 'partita_app UPDATE'],
}

let db: TestDatabase
const before = new Map<string, { rows: unknown[]; rules: unknown }>()

beforeAll(async () => {
  db = await databaseOfRelease(BEFORE_FEED_SPLIT)
  await fill()
  for (const table of Object.keys(MOVED)) {
    const rules = await rulesOf('accounts', table)
    for (const right of TAKEN[table] ?? []) delete (rules.grants as Record<string, true>)[right]
    before.set(table, { rows: await rowsOf('accounts', table), rules })
  }
  await migrate(db.adminUrl, partita.migrations())
})
afterAll(() => db.drop())

describe('a database of the release before', () => {
  test.each(Object.entries(MOVED))('%s keeps its rows, indexes, policies and grants in schema %s', async (table, schema) => {
    expect(before.get(table)?.rows.length).toBeGreaterThan(0)
    expect(await rowsOf(schema, table)).toMatchObject(before.get(table)?.rows as object[])
    expect(await rulesOf(schema, table)).toMatchObject(before.get(table)?.rules as object)
    await expect(db.admin.query(`select 1 from accounts.${table}`)).rejects.toThrow('does not exist')
  })

  test('goes on: an organization’s feed is written, numbered and counted, and it sees nobody else’s', async () => {
    const other = newId<'organization'>()
    await db.database.transaction(systemActor('test.feed', [organizationId]), (tx) =>
      tx.query(NEW_ROW, [newId(), organizationId, accountId]),
    )
    const read = (of: Id<'organization'>) =>
      db.database.read(asMember(of), (tx) =>
        tx.query<{ count: bigint }>(`select count from feed.feed_count where operation_type = 'card'`),
      )
    expect(await read(organizationId)).toEqual([{ count: 1n }])
    expect(await read(other)).toEqual([])
    const { rows } = await db.admin.query(
      'select count(distinct number)::int as numbers, count(*)::int as rows from feed.transaction',
    )
    expect(rows[0].numbers).toBe(rows[0].rows)
  })
})

const NEW_ROW = `insert into feed.transaction (id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency,
    local_amount_minor, local_currency, label, category, subject_type, subject_kind, subject_id, emitted_at, settled_at, created_at, updated_at)
  values ($1, $2, $3, 'completed', 'debit', 'card', 1, 'EUR', 1, 'EUR', 'x', 'sales', 'Card', 'test', $1, now(), now(), now(), now())`

/** `ledger_reference` has become `ledger_key`: see feed-origins.db.test.ts. */
async function rowsOf(schema: string, table: string): Promise<object[]> {
  const { rows } = await db.admin.query(`select to_jsonb(t) - 'ledger_reference' as row from ${schema}.${table} t order by 1`)
  return rows.map(({ row }) => row)
}

/** What stands around a table, without the schema's name. */
async function rulesOf(schema: string, table: string): Promise<{ grants: object }> {
  const { rows } = await db.admin.query(
    `select c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
            (select jsonb_object_agg(relname, true) from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid) as indexes,
            (select jsonb_object_agg(policyname, roles) from pg_policies where schemaname = $1 and tablename = $2) as policies,
            (select jsonb_object_agg(grantee || ' ' || privilege_type, true) from information_schema.role_table_grants
              where table_schema = $1 and table_name = $2) as grants
       from pg_class c where c.oid = ($1 || '.' || $2)::regclass`,
    [schema, table],
  )
  return rows[0]
}

async function fill(): Promise<void> {
  const run = (sql: string, values: unknown[]) => db.admin.query(sql, values)
  await run(
    `insert into accounts.bank_account (id, organization_id, number, slug, transaction_slug_prefix, name, holder_name, status, main, country, iban,
       bic, currency, is_external, book_id, ledger_account_id, created_at, updated_at)
     values ($1, $3, 1, 'o-1', 'o-1', 'Main', 'O', 'active', true, 'FR', 'FR7616958000010000000000142', 'PARTFRPP', 'EUR', false, 1, gen_random_uuid(), now(), now()),
            ($2, $3, 2, 'o-2', 'o-2', 'Elsewhere', 'O', 'active', false, 'DE', 'DE89370400440532013000', null, 'EUR', true, null, null, now(), now())`,
    [accountId, connectedId, organizationId],
  )
  await run(
    `insert into accounts.transaction (id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency, local_amount_minor,
       local_currency, label, category, subject_type, vat_amount_minor, vat_rate, vat_items, emitted_at, settled_at, created_at, updated_at)
     select gen_random_uuid(), $1, $2, status, side, 'transfer', 100 + n, 'EUR', 100 + n, 'EUR', 'x', 'sales', 'Transfer', 20, 20,
            '[{"amount_minor": "20", "amount_excluding_vat_minor": "80", "rate": "20"}]', now(), case status when 'completed' then now() end, now(), now()
       from generate_series(1, 5) n, unnest(array['pending', 'completed', 'declined']) status, unnest(array['credit', 'debit']) side`,
    [organizationId, accountId],
  )
  await run(`insert into accounts.label values ($1, $2, 'Projects', null, now())`, [labelId, organizationId])
  await run(`insert into accounts.label values (gen_random_uuid(), $2, 'Showroom', $1, now())`, [labelId, organizationId])
  await run(`insert into accounts.transaction_label select id, $1, organization_id from accounts.transaction limit 3`, [labelId])
  await run(
    `insert into accounts.external_history (bank_account_id, organization_id, reached_minor, closing_date) values ($1, $2, 5, '2026-01-31')`,
    [connectedId, organizationId],
  )
  await run(`insert into accounts.carried_balance values ($1, $2, '2026-01-01', 5, 5)`, [connectedId, organizationId])
  await run(`insert into accounts.imported_file values ($1, $2, 'a.xml', 'camt.053', '[]', now())`, [fileId, organizationId])
  await run(
    `insert into accounts.imported_statement (id, imported_file_id, organization_id, bank_account_id, credit, debit, entries, details, unbooked)
     values (gen_random_uuid(), $1, $2, $3, 0, 0, 0, 0, '[]')`,
    [fileId, organizationId, connectedId],
  )
}
