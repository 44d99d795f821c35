import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allBankAccounts } from '../../src/modules/accounts/index.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { sqlStateOf } from '../../src/platform/errors.ts'
import { type Id, newId } from '../../src/platform/ids.ts'
import type { Tx } from '../../src/platform/postgres/database.ts'
import { seedCompanies } from '../../src/seed.ts'
import { asMember, testActor } from '../support/actors.ts'
import { startTestBank, type TestBank } from './support.ts'

/** The whole wall, found in the catalogue: every table and function, each role of the application, each context. */
let bank: TestBank
let mine: Id<'organization'>
let theirs: Id<'organization'>
const ownerOf = new Map<string, string>()

beforeAll(async () => {
  bank = await startTestBank()
  await seedCompanies(bank.dependencies, { count: 1, transactionsEach: 5 })
  const { rows } = await bank.db.admin.query('select id from team.organization order by slug')
  mine = rows[0].id
  theirs = rows[1].id
  for (const { name, column } of await ownedTables()) ownerOf.set(name, column)
})
afterAll(() => bank.close())

const OURS = `n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'`

/** Tables whose rows belong to organizations: under forced row-level security, and the column that says whose. */
async function ownedTables(): Promise<{ name: string; column: string }[]> {
  const { rows } = await bank.db.admin.query(`
    select c.oid::regclass::text as name, case when c.oid = 'team.organization'::regclass then 'id' else 'organization_id' end as column
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where ${OURS} and c.relkind in ('r', 'p') and c.relrowsecurity and c.relforcerowsecurity order by 1`)
  return rows
}

/** What a role may do with tables, views and sequences, where a right to any column counts, and which functions it may call. */
async function rightsOf(
  role: string,
): Promise<Record<'select' | 'insert' | 'update' | 'delete' | 'truncate' | 'use' | 'call', string[]>> {
  const { rows } = await bank.db.admin.query(
    `select r.name as right, jsonb_agg(c.oid::regclass::text order by c.oid::regclass::text) as names
       from pg_class c join pg_namespace n on n.oid = c.relnamespace, unnest(array['select', 'insert', 'update', 'delete', 'truncate']) r(name)
      where ${OURS} and c.relkind in ('r', 'p', 'v', 'm', 'f') and has_schema_privilege($1, n.oid, 'usage')
        and (has_table_privilege($1, c.oid, r.name) or r.name in ('select', 'insert', 'update') and has_any_column_privilege($1, c.oid,
               case when r.name in ('delete', 'truncate') then 'select' else r.name end))
      group by 1
     union all
     select 'use', jsonb_agg(c.oid::regclass::text order by 1) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where ${OURS} and case when c.relkind = 'S' then has_sequence_privilege($1, c.oid, 'usage, select, update') end
     union all
     select 'call', jsonb_agg(n.nspname || '.' || p.proname order by n.nspname || '.' || p.proname) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where ${OURS} and p.prorettype <> 'trigger'::regtype and has_schema_privilege($1, n.oid, 'usage') and has_function_privilege($1, p.oid, 'execute')`,
    [role],
  )
  const none = { select: [], insert: [], update: [], delete: [], truncate: [], use: [], call: [] }
  return { ...none, ...Object.fromEntries(rows.map((row) => [row.right, row.names ?? []])) }
}

/** The bank's at large, and nobody's secret: its clock, and which migrations it has had. */
const NOBODYS = ['migration.applied', 'platform.bank_clock']
/** What a member's own command leaves beside its work. */
const WRITTEN_BY_MEMBERS = ['platform.idempotency_record', 'platform.outbox']
const CALLED_BY_MEMBERS = ['accounts.own_balances']
const CALLED_BY_THE_BANK = [
  'accounts.ledger_accounts',
  'accounts.own_balances',
  ...[
    'balances',
    'close_account',
    'close_period',
    'ensure_partition',
    'entries_after',
    'entries_before',
    'entries_of',
    'expire_holds',
  ].map((name) => `ledger.${name}`),
  ...['holds_of', 'open_accounts', 'open_book', 'post_batch', 'sum_int8', 'version_recorded'].map((name) => `ledger.${name}`),
  'platform.held',
  'platform.prepare_event_partition',
]

/** What the application's role may do and should not. */
async function holes(): Promise<string[]> {
  const rights = await rightsOf('partita_app')
  const owned = new Set((await ownedTables()).map(({ name }) => name))
  return [
    ...rights.select.filter((name) => !owned.has(name) && !NOBODYS.includes(name)).map((name) => `reads ${name}`),
    ...[...new Set([...rights.insert, ...rights.update, ...rights.delete, ...rights.truncate])]
      .filter((name) => !WRITTEN_BY_MEMBERS.includes(name))
      .map((name) => `writes ${name}`),
    ...rights.use.map((name) => `uses ${name}`),
    ...rights.call.filter((name) => !CALLED_BY_MEMBERS.includes(name)).map((name) => `calls ${name}`),
  ]
}

describe('what the application’s role may do', () => {
  test('is to read what belongs to organizations, and to keep its keys and its news', async () => {
    expect(await holes()).toEqual([])
    const rights = await rightsOf('partita_app')
    expect(rights.select.length).toBeGreaterThan(15)
    expect(rights.call).toEqual(CALLED_BY_MEMBERS)
  })

  test.each([
    ['grant usage on schema ledger to partita_app; grant select on ledger.account to partita_app', ['reads ledger.account']],
    [
      'grant usage on schema ledger to partita_app; grant select (balance) on ledger.account to partita_app',
      ['reads ledger.account'],
    ],
    [
      'grant usage on schema ledger to partita_app; grant execute on function ledger.post_batch to partita_app',
      ['calls ledger.post_batch'],
    ],
    ['create function team.planted() returns integer language sql security definer as $$ select 1 $$', ['calls team.planted']],
    ['create view team.planted as select * from team.team; grant select on team.planted to partita_app', ['reads team.planted']],
    ['create table team.planted (id integer); grant select on team.planted to partita_app', ['reads team.planted']],
    ['alter table feed.transaction no force row level security', ['reads feed.transaction']],
    ['grant update (note) on feed.transaction to partita_app', ['writes feed.transaction']],
    ['grant usage on sequence feed.transaction_number to partita_app', ['uses feed.transaction_number']],
  ])('a hole is noticed: %s', async (plant, found) => {
    const client = await bank.db.admin.connect()
    const query = bank.db.admin.query.bind(bank.db.admin)
    try {
      await client.query(`begin; ${plant}`)
      bank.db.admin.query = client.query.bind(client) as typeof query
      expect(await holes()).toEqual(found)
    } finally {
      bank.db.admin.query = query
      await client.query('rollback')
      client.release()
    }
  })

  test('the bank’s own work calls these functions, and the public none', async () => {
    expect((await rightsOf('partita_system')).call).toEqual(CALLED_BY_THE_BANK)
    const { rows } = await bank.db.admin.query(`
      select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where ${OURS} and p.prorettype <> 'trigger'::regtype
         and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)`)
    expect(rows).toEqual([])
  })

  test('functions with their owner’s rights cannot be made to look elsewhere', async () => {
    const { rows } = await bank.db.admin.query(`
      select n.nspname || '.' || p.proname as name, pg_get_userbyid(p.proowner) as owner,
             coalesce('search_path=pg_catalog, pg_temp' = any(p.proconfig), false) as fixed
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${OURS} and p.prosecdef order by 1`)
    expect(rows.length).toBeGreaterThan(8)
    expect(rows.filter((row) => !row.fixed)).toEqual([])
    expect(new Set(rows.map((row) => row.owner))).toEqual(new Set(['partita_ledger', 'partita_owner', 'partita_system']))
    const { rows: owners } = await bank.db.admin.query(
      `select rolname from pg_roles where rolname = any($1) and (rolsuper or rolbypassrls or rolcreaterole or rolcanlogin)`,
      [rows.map((row) => row.owner)],
    )
    expect(owners).toEqual([])
  })
})

type Seen = Record<string, Record<string, number>>

/** How many rows of each organization are seen in each table. */
async function seenIn(tx: Pick<Tx, 'query'>, tables: readonly string[]): Promise<Seen> {
  const seen: Seen = {}
  for (const name of tables) {
    const rows = await tx.query<{ owner: string | null; count: number }>(
      `select ${ownerOf.get(name)} as owner, count(*)::int as count from ${name} group by 1 order by 1`,
    )
    seen[name] = Object.fromEntries(rows.map((row) => [String(row.owner), row.count]))
  }
  return seen
}

const only = (all: Seen, ...owners: string[]): Seen =>
  Object.fromEntries(
    Object.entries(all).map(([name, rows]) => [
      name,
      Object.fromEntries(Object.entries(rows).filter(([owner]) => owners.includes(owner))),
    ]),
  )

const refusal = (state: string) => (error: unknown) => sqlStateOf(error) === state

describe('every table of organizations', () => {
  let all: Seen
  let readable: string[]
  beforeAll(async () => {
    all = await seenIn({ query: async (text) => (await bank.db.admin.query(text)).rows }, [...ownerOf.keys()])
    readable = (await rightsOf('partita_app')).select.filter((name) => ownerOf.has(name))
    // The hashes of keys are no column of the application's.
    expect(Object.values(all).filter((rows) => rows[mine] && rows[theirs]).length).toBeGreaterThan(7)
  })

  test('shows a member exactly his own rows', async () => {
    for (const own of [mine, theirs]) {
      const seen = await bank.db.database.read(asMember(own), (tx) => seenIn(tx, readable))
      expect(seen).toEqual(only(Object.fromEntries(readable.map((name) => [name, all[name] ?? {}])), own))
    }
  })

  test('shows nobody anything who has not said whose he is, or is of no organization', async () => {
    const nothing = Object.fromEntries(readable.map((name) => [name, {}]))
    expect(await bank.db.database.read(asMember(newId()), (tx) => seenIn(tx, readable))).toEqual(nothing)
    const seen = await asLoginOf('partita_app', (query) => seenIn({ query }, readable))
    expect(seen).toEqual(nothing)
  })

  test('fails where the context is none', async () => {
    for (const name of readable.filter((table) => Object.keys(all[table] ?? {}).length > 0)) {
      const read = asLoginOf('partita_app', async (query) => {
        await query(`set local app.organization_id = 'no uuid'`)
        return query(`select count(*) from ${name}`)
      })
      await expect(read, name).rejects.toSatisfy(refusal('22P02'))
    }
  })

  test('shows the bank’s own work the rows of those that it names', async () => {
    const seenBy = (...ids: Id<'organization'>[]) =>
      bank.db.database.read(systemActor('test.lane', ids), (tx) => seenIn(tx, [...bankReads]))
    const bankReads = (await rightsOf('partita_system')).select.filter((name) => ownerOf.has(name))
    const whole = Object.fromEntries(bankReads.map((name) => [name, all[name] ?? {}]))
    expect(await seenBy(mine)).toEqual(only(whole, mine))
    expect(await seenBy(mine, theirs)).toEqual(only(whole, mine, theirs))
    expect(await seenBy()).toEqual(only(whole))
    expect(await bank.db.database.read(testActor, (tx) => seenIn(tx, bankReads))).toEqual(whole)
  })
})

/** In a transaction of a login that has one role and nothing else, as a stranger with its password would be. */
async function asLoginOf<T>(role: string, work: (query: Tx['query']) => Promise<T>): Promise<T> {
  const client = await bank.db.admin.connect()
  try {
    await client.query(`begin; create role wall_test login in role ${role}; set local session authorization wall_test`)
    return await work(async (text, values) => (await client.query(text, [...(values ?? [])])).rows)
  } finally {
    await client.query('rollback; reset session authorization')
    client.release()
  }
}

describe('the ledger', () => {
  test('shows a member nothing, and takes no call of his', async () => {
    const { rows: tables } = await bank.db.admin.query(
      `select oid::regclass::text as name from pg_class where relnamespace = 'ledger'::regnamespace and relkind in ('r', 'p', 'v')`,
    )
    const { rows: functions } = await bank.db.admin.query(
      `select p.proname as name, (select string_agg('null::' || format_type(t, null), ', ' order by place)
                                    from unnest(p.proargtypes::oid[]) with ordinality as a(t, place)) as nulls
         from pg_proc p where pronamespace = 'ledger'::regnamespace and prorettype <> 'trigger'::regtype and prokind = 'f'`,
    )
    expect(tables.length).toBeGreaterThan(6)
    expect(functions.length).toBeGreaterThan(15)
    const calls = functions.map(
      ({ name, nulls }) => `select ledger.${name}(${(nulls ?? '').replaceAll('null::anyarray', 'null::uuid[]')})`,
    )
    for (const sql of [...tables.map(({ name }) => `select * from ${name}`), ...calls]) {
      await expect(
        bank.db.database.transaction(asMember(mine), (tx) => tx.query(sql)),
        sql,
      ).rejects.toSatisfy(refusal('42501'))
      await expect(
        asLoginOf('partita_app', (query) => query(sql)),
        sql,
      ).rejects.toSatisfy(refusal('42501'))
    }
  })

  test('shows a member the balances of his own accounts, whosever he asks for', async () => {
    const balances = (of: Id<'organization'>) => (tx: Pick<Tx, 'query'>) =>
      tx.query<{ ledger_account_id: string }>('select * from accounts.own_balances($1)', [of])
    const { database } = bank.db
    const own = await database.read(asMember(mine), balances(mine))
    expect(own.length).toBeGreaterThan(0)
    const { rows } = await bank.db.admin.query(
      `select ledger_account_id, a.balance, a.held from accounts.bank_account join ledger.account a on a.id = ledger_account_id where organization_id = $1`,
      [mine],
    )
    const inOrder = (list: { ledger_account_id: string }[]) =>
      list.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value))).sort()
    expect(inOrder(own)).toEqual(inOrder(rows))

    expect(await database.read(asMember(mine), balances(theirs))).toEqual([])
    expect(await asLoginOf('partita_app', (query) => balances(theirs)({ query }))).toEqual([])
    expect(await asLoginOf('partita_app', (query) => balances(null as never)({ query }))).toEqual([])
    expect(await database.read(systemActor('test.lane', [mine]), balances(theirs))).toEqual([])
    expect(await database.read(systemActor('test.lane', [mine]), balances(mine))).toHaveLength(own.length)
    expect(await database.read(testActor, balances(mine))).toHaveLength(own.length)
  })

  test('gives a member and the bank’s own work the same list of accounts', async () => {
    const list = (tx: Tx) => allBankAccounts(tx, mine, true)
    const accounts = await bank.db.database.read(asMember(mine), list)
    expect(accounts.some((account) => account.balanceMinor !== 0n)).toBe(true)
    expect(await bank.db.database.read(testActor, list)).toEqual(accounts)
    expect(await bank.db.database.read(asMember(mine), (tx) => allBankAccounts(tx, theirs, true))).toEqual([])
  })
})

/** Where a movement or a payment is on its way, what the customer adds to it, and nothing of what was ordered or what it moved. */
const CHANGED_LATER = {
  'feed.transaction': [
    ...['status', 'settled_at', 'settled_balance_minor', 'ledger_key', 'updated_at', 'note', 'category'],
    ...['attachment_ids', 'attachment_lost', 'attachment_required', 'vat_amount_minor', 'vat_rate', 'vat_items'],
  ],
  'payments.credit_transfer': [
    ...['status', 'status_reason_code', 'submitted_at', 'answer_due_at', 'investigated_at', 'updated_at', 'suspended_minor'],
  ],
  'payments.incoming_transfer': ['status', 'status_reason_code', 'answer_due_at', 'book_id'],
}

describe('what customers read', () => {
  test('is not changed by the application’s roles once it is written', async () => {
    const { rows } = await bank.db.admin.query(
      `select c.oid::regclass::text as name, jsonb_agg(distinct a.attname::text order by a.attname::text) as columns
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped, unnest(array['partita_app', 'partita_system']) role
        where c.oid = any(array['feed.transaction', 'payments.credit_transfer', 'payments.incoming_transfer', 'payments.internal_transfer',
                                'payments.transfer_return', 'ledger.transfer', 'ledger.key', 'ledger.hold']::regclass[])
          and has_column_privilege(role, c.oid, a.attnum, 'update') group by 1 order by 1`,
    )
    expect(rows).toEqual(Object.entries(CHANGED_LATER).map(([name, columns]) => ({ name, columns: [...columns].sort() })))
  })
})
