import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/platform/actor.ts'
import { sqlStateOf } from '../../src/platform/errors.ts'
import type { Id } from '../../src/platform/ids.ts'
import { seedCompanies } from '../../src/seed.ts'
import { asMember } from '../support/actors.ts'
import { startTestBank, type TestBank } from './support.ts'

/** The second wall: what PostgreSQL itself shows when the application has forgotten every `where organization_id = …`. */
let bank: TestBank
let mine: Id<'organization'>
let theirs: Id<'organization'>
beforeAll(async () => {
  bank = await startTestBank()
  await seedCompanies(bank.dependencies, { count: 1, transactionsEach: 5 })
  const { rows } = await bank.db.admin.query('select id, slug from team.organization order by slug')
  mine = rows[0].id
  theirs = rows[1].id
})
afterAll(() => bank.close())

const TABLES = [
  ['team.organization', 'id'],
  ['team.team', 'organization_id'],
  ['team.membership', 'organization_id'],
  ['accounts.book_route', 'organization_id'],
  ['accounts.bank_account', 'organization_id'],
  ['feed.transaction', 'organization_id'],
  ['feed.feed_count', 'organization_id'],
  ['feed.label', 'organization_id'],
  ['feed.transaction_label', 'organization_id'],
] as const

describe.each(TABLES)('%s', (table, column) => {
  test('shows an organization its own rows and no other', async () => {
    const seen = await bank.db.database.read(asMember(mine), (tx) =>
      tx.query<{ owner: string }>(`select distinct ${column} as owner from ${table}`),
    )
    expect(seen.map((row) => row.owner)).toEqual([mine])
  })

  test('shows work of the bank that names organizations their rows and no other', async () => {
    const seenBy = async (...organizationIds: Id<'organization'>[]) =>
      (
        await bank.db.database.transaction(systemActor('test.lane', organizationIds), (tx) =>
          tx.query<{ owner: string }>(`select distinct ${column} as owner from ${table} order by owner`),
        )
      ).map((row) => row.owner)
    expect(await seenBy(mine)).toEqual([mine])
    expect(await seenBy()).toEqual([])
  })

  test('shows nothing to a session that has not said whose it is', async () => {
    const { rows } = await bank.db.admin
      .query(`begin; set local role partita_app; select count(*)::int as count from ${table}; rollback`)
      .then((results) => (results as unknown as { rows: { count: number }[] }[])[2] as { rows: { count: number }[] })
    expect(rows[0]?.count).toBe(0)
  })
})

test('every table that names an organization is under forced row-level security', async () => {
  const { rows } = await bank.db.admin.query<{ name: string; safe: boolean }>(`
    select c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as safe
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%'
       and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped)`)
  expect(rows.length).toBeGreaterThan(8)
  expect(rows.filter((row) => !row.safe).map((row) => row.name)).toEqual([])
})

test('what the application may see of such a table is one organization’s rows, and no policy says otherwise', async () => {
  const { rows } = await bank.db.admin.query<{
    name: string
    policy: string
    roles: string
    qual: string
    check: string | null
  }>(`
    select schemaname || '.' || tablename as name, policyname as policy, roles::text, qual, with_check as check
      from pg_policies where not roles = '{partita_system}'`)
  const named = (column: string): string =>
    `(${column} = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid)`
  expect(rows.length).toBeGreaterThan(20)
  for (const row of rows) {
    const qual = named(row.name === 'team.organization' ? 'id' : 'organization_id')
    expect(row).toEqual({ name: row.name, policy: 'by_organization', roles: '{partita_app}', qual, check: null })
  }
})

test('an organization cannot write a row in another’s name', async () => {
  const insert = bank.db.database.transaction(asMember(mine), (tx) =>
    tx.query(
      `insert into feed.transaction (id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency, local_amount_minor,
         local_currency, label, category, subject_type, subject_kind, subject_id, emitted_at, created_at, updated_at)
       values (gen_random_uuid(), $1, gen_random_uuid(), 'pending', 'credit', 'income', 1, 'EUR', 1, 'EUR', 'x', 'sales', 'Income', 'test', gen_random_uuid(), now(), now(), now())`,
      [theirs],
    ),
  )
  await expect(insert).rejects.toSatisfy((error) => sqlStateOf(error) === '42501')
})

test('the context does not outlive its transaction', async () => {
  await bank.db.database.read(asMember(mine), (tx) => tx.query('select 1'))
  const settings = await Promise.all(
    Array.from({ length: 10 }, () =>
      bank.db.database.read(asMember(theirs), (tx) => tx.query<{ id: string }>('select id from team.organization')),
    ),
  )
  expect(new Set(settings.flat().map((row) => row.id))).toEqual(new Set([theirs]))
})

test('the application role cannot read what keys are stored as', async () => {
  const read = bank.db.database.read(asMember(mine), (tx) => tx.query('select secret_sha256 from identity.api_key'))
  await expect(read).rejects.toSatisfy((error) => sqlStateOf(error) === '42501')
})
