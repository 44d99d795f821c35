import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemActor } from '../../src/platform/actor.ts'
import { sqlStateOf } from '../../src/platform/errors.ts'
import { type Id, newId } from '../../src/platform/ids.ts'
import { Database } from '../../src/platform/postgres/database.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase()
  // What `platform.tenant_table` makes of a table, to hold the others against.
  await test_.admin.query(`
    create table platform.reference (organization_id uuid);
    select platform.tenant_table('platform.reference');
    create table platform.reference_by_id (id uuid);
    select platform.tenant_table('platform.reference_by_id', 'id')`)
})
afterAll(() => test_.drop())

type TenantTable = { readonly name: string; readonly isForced: boolean; readonly policies: string | null }

/** Every table and partition that says whose its rows are, with its policies as PostgreSQL writes them. */
async function tenantTables(): Promise<TenantTable[]> {
  const { rows } = await test_.admin.query<TenantTable>(`
    select c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as "isForced", (
             select jsonb_agg(jsonb_build_array(p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.with_check) order by p.policyname)::text
               from pg_policies p where format('%I.%I', p.schemaname, p.tablename)::regclass = c.oid) as policies
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%'
       and (c.oid in ('team.organization'::regclass, 'platform.reference_by_id'::regclass)
            or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped))
     order by c.oid::regclass::text`)
  return rows
}

/** The names of tables that do not stand under exactly the generated policies. */
async function unprotected(): Promise<string[]> {
  const tables = await tenantTables()
  const policiesOf = (name: string) => tables.find((table) => table.name === name)?.policies ?? expect.fail(`no ${name}`)
  return tables
    .filter(({ name, isForced, policies }) => {
      const reference = name === 'team.organization' || name === 'platform.reference_by_id' ? 'reference_by_id' : 'reference'
      return !isForced || policies !== policiesOf(`platform.${reference}`)
    })
    .map((table) => table.name)
}

describe('tables that say whose their rows are', () => {
  afterEach(() => test_.admin.query('drop table if exists team.planted; drop table if exists team.whole'))

  test('stand under exactly the policies of their one definition', async () => {
    expect((await tenantTables()).length).toBeGreaterThan(20)
    expect(await unprotected()).toEqual([])
  })

  test.each([
    ['has no policies', 'create table team.planted (organization_id uuid)'],
    [
      'is not forced upon its owner',
      `create table team.planted (organization_id uuid); select platform.tenant_table('team.planted');
       alter table team.planted no force row level security`,
    ],
    [
      'has a policy too many',
      `create table team.planted (organization_id uuid); select platform.tenant_table('team.planted');
       create policy more on team.planted to partita_app using (true)`,
    ],
    [
      'has a policy of its own making',
      `create table team.planted (organization_id uuid); select platform.tenant_table('team.planted');
       alter policy by_system on team.planted using (true)`,
    ],
    [
      'is a partition that was made after its table',
      `create table team.whole (organization_id uuid) partition by list (organization_id); select platform.tenant_table('team.whole');
       create table team.planted partition of team.whole default`,
    ],
  ])('one that %s is noticed', async (_, plant) => {
    await test_.admin.query(plant)
    expect(await unprotected()).toEqual(['team.planted'])
  })

  test('partitions that stand when it is called are protected with their table', async () => {
    await test_.admin.query(`
      create table team.whole (organization_id uuid) partition by list (organization_id);
      create table team.part partition of team.whole default;
      select platform.tenant_table('team.whole')`)
    expect(await unprotected()).toEqual([])
  })
})

/** References between two such tables that do not say that both rows are of one organization. */
async function crossingReferences(): Promise<string[]> {
  const names = (await tenantTables()).map((table) => table.name).filter((name) => name !== 'team.organization')
  const { rows } = await test_.admin.query<{ name: string }>(
    `select k.conrelid::regclass || ' ' || pg_get_constraintdef(k.oid) as name
       from pg_constraint k
      where k.contype = 'f' and k.conparentid = 0 and k.conrelid::regclass::text = any($1) and k.confrelid::regclass::text = any($1)
        and not exists (
          select from unnest(k.conkey, k.confkey) as pair(here, there)
            join pg_attribute h on h.attrelid = k.conrelid and h.attnum = pair.here and h.attname = 'organization_id'
            join pg_attribute t on t.attrelid = k.confrelid and t.attnum = pair.there and t.attname = 'organization_id')
      order by 1`,
    [names],
  )
  return rows.map((row) => row.name)
}

/** May only shrink. */
const CROSSING: readonly string[] = [
  // A trigger holds labels to it, see the feed's migration 0002.
  'feed.transaction_label FOREIGN KEY (transaction_id) REFERENCES feed.transaction(id) ON DELETE CASCADE',
]

/** Such tables whose rows of one organization cannot be found by an index. */
async function unledTables(): Promise<string[]> {
  const names = (await tenantTables()).map((table) => table.name).filter((name) => !/^team.organization$|\.reference/.test(name))
  const { rows } = await test_.admin.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c
      where c.oid::regclass::text = any($1)
        and not exists (select from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
                         where i.indrelid = c.oid and a.attname = 'organization_id' and i.indpred is null)
      order by 1`,
    [names],
  )
  return rows.map((row) => row.name)
}

/** Read by the key of what they belong to, and by nobody else. May only shrink. */
const READ_BY_ANOTHER_KEY: readonly string[] = [
  'connections.carried_balance',
  'connections.external_history',
  'connections.imported_statement',
  'feed.transaction',
  'identity.api_key',
  'payments.payment_file_answer',
  'payments.payment_file_refusal',
  'platform.outbox',
]

describe('what belongs together', () => {
  afterEach(() => test_.admin.query('drop table if exists team.planted'))

  test('is of one organization, and PostgreSQL refuses what is not', async () => {
    expect(await crossingReferences()).toEqual(CROSSING)
    await test_.admin.query('create table team.planted (organization_id uuid, team_id uuid references team.team)')
    expect(await crossingReferences()).toEqual([...CROSSING, 'team.planted FOREIGN KEY (team_id) REFERENCES team.team(id)'])
  })

  test('a member is of no team of another organization', async () => {
    const [mine, theirs, team] = [newId(), newId(), newId()]
    await test_.admin.query(
      `insert into team.organization (id, slug, name, created_at) select id, slug, slug, now() from unnest($1::uuid[], $2::text[]) as o(id, slug)`,
      [
        [mine, theirs],
        ['mine', 'theirs'],
      ],
    )
    await test_.admin.query(`insert into team.team (id, organization_id, name) values ($1, $2, 'their team')`, [team, theirs])
    const join = (organization: string) =>
      test_.admin.query(
        `insert into team.membership (id, organization_id, first_name, last_name, team_id, status, created_at)
         values (gen_random_uuid(), $1, 'A', 'B', $2, 'invitable', now())`,
        [organization, team],
      )
    await expect(join(mine)).rejects.toThrow(/team_is_of_the_same_organization/)
    await expect(join(theirs)).resolves.toMatchObject({ rowCount: 1 })
  })

  test('a label is put on no transaction of another organization, a parent is none of another, and a feed is its account’s owner’s', async () => {
    const [mine, theirs] = [newId(), newId()]
    const [myAccount, myTransaction, myLabel, theirLabel] = [newId(), newId(), newId(), newId()]
    const insertAccount = `
      insert into accounts.bank_account (id, organization_id, number, slug, transaction_slug_prefix, name, holder_name, status, main, iban, bic,
                                         currency, book_id, ledger_account_id, created_at, updated_at)
      values ($1::uuid, $2, 1, $1::uuid::text, 'x', 'x', 'x', 'active', true, $1::uuid::text, 'X', 'EUR', 1, gen_random_uuid(), now(), now())`
    await test_.admin.query(insertAccount, [myAccount, mine])
    const insertTransaction = (id: string, organization: string) =>
      test_.admin.query(
        `insert into feed.transaction (id, organization_id, bank_account_id, status, side, operation_type, amount_minor, currency,
                                       local_amount_minor, local_currency, label, category, subject_type, subject_kind, subject_id, emitted_at, created_at, updated_at)
         values ($1, $2, $3, 'pending', 'credit', 'income', 1, 'EUR', 1, 'EUR', 'x', 'x', 'Income', 'test', $1, now(), now(), now())`,
        [id, organization, myAccount],
      )
    await insertTransaction(myTransaction, mine)
    await expect(insertTransaction(newId(), theirs)).rejects.toThrow(/account_is_of_the_same_organization/)
    const insertLabel = (id: string, organization: string, parent: string | null) =>
      test_.admin.query(
        `insert into feed.label (id, organization_id, name, parent_id, created_at) values ($1, $2, 'x', $3, now())`,
        [id, organization, parent],
      )
    await insertLabel(myLabel, mine, null)
    await insertLabel(theirLabel, theirs, null)
    await expect(insertLabel(newId(), theirs, myLabel)).rejects.toThrow(/parent_is_of_the_same_organization/)
    const link = (label: string, organization: string) =>
      test_.admin.query('insert into feed.transaction_label (transaction_id, label_id, organization_id) values ($1, $2, $3)', [
        myTransaction,
        label,
        organization,
      ])
    await expect(link(theirLabel, theirs)).rejects.toThrow(/which is not of its organization/)
    await expect(link(theirLabel, mine)).rejects.toThrow(/label_is_of_the_same_organization/)
    await expect(link(myLabel, mine)).resolves.toMatchObject({ rowCount: 1 })
  })

  test('is found by its organization in every table but those that are read by another key', async () => {
    expect(await unledTables()).toEqual(READ_BY_ANOTHER_KEY)
    await test_.admin.query('create table team.planted (organization_id uuid, id uuid primary key)')
    expect(await unledTables()).toEqual([...READ_BY_ANOTHER_KEY, 'team.planted'])
  })
})

describe('work of the bank that names its organizations', () => {
  const [one, two, three] = [newId<'organization'>(), newId<'organization'>(), newId<'organization'>()]
  const bound = (...ids: Id<'organization'>[]) => systemActor('test.lane', ids)
  const owners = (actor: ReturnType<typeof systemActor>) =>
    test_.database.read(actor, async (tx) =>
      (await tx.rows<{ owner: string }>`select organization_id as owner from platform.planted order by organization_id`).map(
        (r) => r.owner,
      ),
    )
  const refusal = (error: unknown) => sqlStateOf(error) === '42501'

  beforeAll(async () => {
    await test_.admin.query(`
      create table platform.planted (organization_id uuid, note text, unique (organization_id));
      select platform.tenant_table('platform.planted');
      grant select, insert, update, delete on platform.planted to partita_app, partita_system`)
    await test_.admin.query('insert into platform.planted select unnest($1::uuid[])', [[one, two, three, null]])
  })

  test('sees their rows and no other, nor those that are nobody’s', async () => {
    expect(await owners(bound(one, three))).toEqual([one, three])
    expect(await owners(bound(two))).toEqual([two])
    expect(await owners(bound())).toEqual([])
    expect(await owners(systemActor('test.pass'))).toEqual([one, two, three, null])
  })

  test('writes no row of another, and gives none away', async () => {
    const write = (sql: string, ...values: unknown[]) =>
      test_.database.transaction(bound(one, two), (tx) => tx.query(sql, values))
    const insert = 'insert into platform.planted (organization_id) values ($1)'
    await expect(write(insert, newId())).rejects.toSatisfy(refusal)
    await expect(write(insert, null)).rejects.toSatisfy(refusal)
    await expect(write(`${insert} on conflict (organization_id) do update set note = 'taken'`, three)).rejects.toSatisfy(refusal)
    await expect(
      write('update platform.planted set organization_id = $1 where organization_id = $2', newId(), one),
    ).rejects.toSatisfy(refusal)
    expect(await write('update platform.planted set note = $1 where organization_id = $2 returning 1', 'x', three)).toEqual([])
    expect(await write('update platform.planted set note = $1 where organization_id = $2 returning 1', 'x', two)).toHaveLength(1)
    expect(
      await write('delete from platform.planted where organization_id = $1 or organization_id is null returning 1', three),
    ).toEqual([])
    expect(await owners(systemActor('test.pass'))).toEqual([one, two, three, null])
  })

  test('is bound by a prepared statement’s every run anew, and its list ends with its transaction', async () => {
    const database = new Database({ url: test_.url, applicationName: 'one connection', poolSize: 1, acquireTimeoutMs: 10_000 })
    const count = (actor: ReturnType<typeof systemActor>) =>
      database.transaction(actor, async (tx) => (await tx.one<{ n: number }>`select count(*)::int as n from platform.planted`).n)
    const lists = [[one], [one, two], [], [two, three, one], undefined]
    for (const round of [1, 2, 3]) {
      for (const ids of lists) expect(await count(systemActor('test.lane', ids)), `round ${round}`).toBe(ids?.length ?? 4)
    }
    await expect(database.transaction(bound(one), () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await count(systemActor('test.pass'))).toBe(4)
    await database.close()
  })

  test.each(['no list', '{', '{null-ish}', `{${newId()},}`])('fails where the list is malformed: %s', async (list) => {
    const reading = test_.database.read(systemActor('test.pass'), async (tx) => {
      await tx.query(`select set_config('app.organization_ids', $1, true)`, [list])
      return tx.query('select * from platform.planted')
    })
    await expect(reading).rejects.toSatisfy((error) => sqlStateOf(error) === '22P02')
  })
})
