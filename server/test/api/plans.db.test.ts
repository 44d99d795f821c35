import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/platform/ids.ts'
import { type DemoObjects, demoObjects, fill, moduleExamples, requestOf } from './examples.ts'
import { startTestBank, type TestBank } from './support.ts'

/**
 * Every statement that a request runs, on tables that are large and that PostgreSQL knows nothing of: they are filled, and their statistics
 * cleared. Each is planned by itself and tells its plan (`auto_explain`). Then the same once PostgreSQL has looked.
 */
const ROWS = 20_000
/** More than any page, and far less than the tables have. */
const ROWS_MAX = 1_000

type Plan = { readonly text: string }

let bank: TestBank
let objects: DemoObjects
const plans: Plan[] = []
const examples = await moduleExamples()

beforeAll(async () => {
  bank = await startTestBank({ PARTITA_RATE_LIMIT_10_SECONDS: '0', PARTITA_RATE_LIMIT_10_MINUTES: '0' })
  const { admin, name } = bank.db
  await admin.query(`do $$ declare t regclass; begin
    for t in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname = any(
      array['accounts', 'feed', 'team', 'identity', 'platform', 'ledger', 'payments', 'connections'])
    loop execute format('alter table %s set (autovacuum_enabled = false)', t); end loop; end $$`)
  objects = await demoObjects(bank)
  await fillTables(admin)
  for (const setting of [
    `session_preload_libraries = 'auto_explain'`, 'client_min_messages = log', 'auto_explain.log_min_duration = 0',
    'auto_explain.log_nested_statements = on', 'auto_explain.log_analyze = on', 'auto_explain.log_timing = off',
  ]) await admin.query(`alter database ${name} set ${setting}`) // biome-ignore format: one statement
  listen()
})
afterAll(() => bank.close())

/** Hears the plans of every connection that is opened from now on; those that stand are ended. */
function listen(): void {
  const connect = pg.Client.prototype.connect
  pg.Client.prototype.connect = function (this: pg.Client, ...given: unknown[]) {
    this.on('notice', ({ message = '' }) => {
      if (message.includes('plan:')) plans.push({ text: message })
    })
    return Reflect.apply(connect, this, given)
  } as typeof connect
}

const reconnect = () =>
  bank.db.admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and usename = 'partita'`,
  )

async function fillTables(admin: pg.Pool): Promise<void> {
  const [main] = bank.demo.accounts
  const own = `(select id from team.organization where slug = '${bank.demo.organizationSlug}')`
  await admin.query(`insert into team.organization select (jsonb_populate_record(o, jsonb_build_object('id', gen_random_uuid(), 'slug', 'other-' || n))).*
    from team.organization o, generate_series(1, ${ROWS}) n where o.id = ${own}`)
  await admin.query(`insert into team.membership select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'organization_id', o.id, 'team_id', null))).*
    from team.membership m, team.organization o where m.role = 'owner' and m.organization_id = ${own} and o.slug like 'other-%'`)
  await admin.query(`insert into identity.api_key select (jsonb_populate_record(k, jsonb_build_object('id', gen_random_uuid(), 'organization_id', o.id,
      'membership_id', m.id, 'login', o.slug, 'secret_sha256', '\\x' || encode(sha256(o.slug::bytea), 'hex')))).*
    from identity.api_key k, team.organization o join team.membership m on m.organization_id = o.id
    where k.organization_id = ${own} and k.revoked_at is null and o.slug like 'other-%'`)
  await admin.query(`insert into accounts.bank_account (id, organization_id, number, slug, transaction_slug_prefix, name, holder_name, status, main, iban,
      bic, currency, is_external, created_at, updated_at)
    select gen_random_uuid(), id, 1, slug || '-bank-account-1', slug || '-1', 'Elsewhere', 'Somebody', 'active', false, 'XX' || slug, 'X', 'EUR', true, now(), now()
      from team.organization where slug like 'other-%'`)
  const movements = (
    accounts: string,
    each: number,
  ) => `insert into feed.transaction (id, organization_id, bank_account_id, status, side, operation_type,
       amount_minor, currency, local_amount_minor, local_currency, label, category, subject_type, subject_kind, subject_id, emitted_at, settled_at,
       created_at, updated_at)
     select gen_random_uuid(), organization_id, a.id, 'completed', 'credit', 'income', 1, 'EUR', 1, 'EUR', 'x', 'sales', 'Other', 'test', gen_random_uuid(),
            t, t, t, t
       from accounts.bank_account a, generate_series(1, ${each}) n, lateral (select timestamptz '2020-01-01' + n * interval '1 minute' as t) x
      where ${accounts}`
  await admin.query(movements(`a.id = '${main?.id}'`, ROWS))
  await admin.query(movements(`a.slug like 'other-%'`, 1))
  await admin.query(
    `insert into feed.label select gen_random_uuid(), id, 'Label', null, now() from team.organization where slug like 'other-%'`,
  )
  await bank.request('POST', '/v2/internal_transfers', {
    headers: { 'x-qonto-idempotency-key': newId() },
    body: {
      internal_transfer: {
        debit_iban: main?.iban,
        credit_iban: bank.demo.accounts[1]?.iban,
        reference: 'x',
        amount: '1.00',
        currency: 'EUR',
      },
    },
  })
  await admin.query(`insert into platform.idempotency_record select (jsonb_populate_record(r, jsonb_build_object('key', gen_random_uuid()))).*
    from (select key from platform.idempotency_record limit 1) k join platform.idempotency_record r using (key), generate_series(1, ${ROWS})`)
}

/** What PostgreSQL believes of a table that it has never looked at. */
const FORGET = `do $$ declare t record; c text; begin
  for t in select n.nspname as schema, c.relname as name, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'i') and n.nspname = any(array['accounts', 'feed', 'team', 'identity', 'platform', 'ledger', 'payments', 'connections'])
  loop
    perform pg_clear_relation_stats(t.schema, t.name);
    for c in select attname from pg_attribute where attrelid = t.oid and attnum > 0 and not attisdropped
    loop perform pg_clear_attribute_stats(t.schema, t.name, c, false); end loop;
  end loop; end $$`

const LISTS = [
  '/v2/transactions?bank_account_id={account}',
  '/v2/transactions?bank_account_id={account}&page=150',
  '/v2/transactions?bank_account_id={account}&page=300',
  '/v2/transactions?slug={slug}-bank-account-1&per_page=10',
  ...['updated_at', 'settled_at', 'emitted_at'].flatMap((by) => [
    `/v2/transactions?iban={iban}&sort_by=${by}:asc`,
    `/v2/transactions?iban={iban}&sort_by=${by}:desc`,
    `/v2/transactions?iban={iban}&${by}_from=2020-01-02&${by}_to=2020-01-02T05:00:00Z`,
  ]),
  '/v2/transactions?iban={iban}&status[]=pending&status[]=declined',
  '/v2/transactions?iban={iban}&side=credit&operation_type[]=income',
  '/v2/transactions?iban={iban}&with_attachments=false&includes[]=labels&includes[]=vat_details&includes[]=attachments',
  '/v2/transactions?iban={iban}&with_attachments=true',
  '/v2/organization?include_external_accounts=true',
  '/v2/bank_accounts?include_external_accounts=true',
]

const REQUESTS = Object.entries(examples).flatMap(([id, { cases = {}, unrecorded: _, ...request }]) =>
  [request, ...Object.values(cases)].map((one) => ({ id, request: one })),
)

/** Tables so large that nobody should read them whole; the others stay small whatever a bank does. */
const LARGE =
  /Seq Scan on (transaction|bank_account|organization|membership|api_key|label|transaction_label|idempotency_record|account|transfer\w*|key)\b/

/** What is wrong with a plan. */
function problemsOf({ text }: Plan): string[] {
  const rows = [...text.matchAll(/actual rows=([\d.]+) loops=(\d+)/g)].map((match) => Number(match[1]) * Number(match[2]))
  const removed = [...text.matchAll(/Rows Removed by (?:Join )?Filter: (\d+)/g)].map((match) => Number(match[1]))
  return [
    ...(LARGE.test(text) ? [`reads a table whole`] : []),
    ...(Math.max(0, ...rows, ...removed) > rowsMaxOf(text) ? ['touches far more rows than it needs'] : []),
  ]
}

/** An index alone may be walked: to a late page, or through what a range of times holds. */
const rowsMaxOf = (text: string): number => (/Index Only Scan/.test(text) ? ROWS : ROWS_MAX)

async function plansOf(send: () => Promise<unknown>): Promise<Plan[]> {
  plans.length = 0
  await send()
  return [...plans]
}

describe.each([
  ['that PostgreSQL knows nothing of', FORGET],
  ['that it has looked at', 'analyze'],
])('on large tables %s', (_, prepare) => {
  beforeAll(async () => {
    await bank.db.admin.query(prepare)
    await reconnect()
    while ((await bank.get('/v2/organization')).statusCode !== 200); // connections that were ended are noticed one by one
  })

  test.each(LISTS)('GET %s reads by index', async (path) => {
    const filled = fill(path, objects)
    const heard = await plansOf(async () => expect((await bank.get(filled)).statusCode).toBe(200))
    expect(heard.length).toBeGreaterThan(1)
    for (const plan of heard) expect(problemsOf(plan), plan.text).toEqual([])
  })

  test.each(REQUESTS)('$id reads by index: $request.path', async ({ id, request }) => {
    const operation = bank.operations.find((one) => one.id === id)
    if (!operation) throw new Error(`no operation ${id}`)
    const { method, path, headers, body } = fill(requestOf(operation, request), objects)
    const heard = await plansOf(() =>
      bank.request(method, path, { headers: { ...headers, 'x-qonto-idempotency-key': newId() }, body }),
    )
    for (const plan of heard) expect(problemsOf(plan), plan.text).toEqual([])
  })
})

test('a plan that reads a table whole is noticed', async () => {
  const heard = await plansOf(() =>
    bank.dependencies.database.read(
      { kind: 'system', as: 'platform.test' },
      (tx) => tx.rows`select id from feed.transaction where label = ${'y'}`,
    ),
  )
  expect(heard.flatMap(problemsOf)).not.toEqual([])
})
