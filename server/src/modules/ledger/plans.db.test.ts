import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { derivedId, newId } from '../../platform/ids.ts'
import { EUR, money } from '../../platform/money.ts'
import { type BookId, type LedgerAccountId, type Operation, openAccounts, openBook, post } from './index.ts'
import { packBatch } from './packed-batch.ts'
import { inWords, NOON } from './test-ledger.ts'

/** Plans are pinned on tables that are large enough for a wrong one to hurt, from a session that planned while they were empty. */
const ACCOUNTS = 20_000
const BATCH = 500

let db: TestDatabase
let session: pg.Client
let bookId: BookId
const ids = Array.from({ length: ACCOUNTS }, (_, i) => derivedId<'ledger_account'>('ledger_account', 'plans', i))
const plans: Plan[] = []

type Plan = { text: string; sql: string }

beforeAll(async () => {
  db = await createTestDatabase()
  session = new pg.Client({ connectionString: db.adminUrl })
  await session.connect()
  await session.query('set role partita_system')
  bookId = await db.database.transaction(testActor, (tx) => openBook(tx, { code: 'plans', now: NOON }))
  await callPostBatch(mixture(20)) // plans everything on empty tables
  const accounts = ids.map((id, i) => ({ id, code: `A:${i}`, currency: EUR, normalSide: 'credit' as const, floor: null }))
  await db.database.transaction(testActor, (tx) => openAccounts(tx, bookId, accounts, NOON))
  for (let i = 0; i < 60; i++) {
    const answers = await db.database.transaction(testActor, (tx) => post(tx, bookId, mixture(BATCH), NOON))
    expect(inWords(answers).every((answer) => answer === 'posted')).toBe(true)
  }
  await session.query(`reset role; load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on; set auto_explain.log_timing = off; set auto_explain.log_parameter_max_length = 0;
    set client_min_messages = log; set role partita_system`)
  session.on('notice', (notice) => {
    const text = notice.message ?? ''
    if (text.includes('plan:')) plans.push({ text, sql: /Query Text: (.*)/.exec(text)?.[1] ?? '' })
  })
})
afterAll(async () => {
  await session.end()
  await db.drop()
})

const pick = (): LedgerAccountId => ids[Math.trunc(Math.random() * ACCOUNTS)] as LedgerAccountId

/** Transfers with some holds, ends of holds and groups, over random accounts. */
function mixture(length: number): Operation[] {
  const operations: Operation[] = []
  for (let i = 0; i < length; i++) {
    const key = newId<'ledger_operation'>()
    const previous = operations.at(-1)
    const amount = money(EUR, 5n)
    if (previous?.kind === 'hold')
      operations.push({ kind: 'post_hold', key, hold: previous.key, credit: ids[i] as LedgerAccountId, code: 'plan' })
    else if (i % 10 === 5)
      operations.push({ kind: 'hold', key, account: ids[ACCOUNTS - 1 - i] as LedgerAccountId, amount, code: 'plan' })
    else operations.push({ kind: 'transfer', key, debit: pick(), credit: ids[i] as LedgerAccountId, amount, code: 'plan' })
  }
  return operations.filter((operation) => operation.kind !== 'transfer' || operation.debit !== operation.credit)
}

async function callPostBatch(operations: readonly Operation[]): Promise<number[]> {
  const batch = packBatch(operations)
  const { rows } = await session.query({
    name: 'post',
    text: `select coalesce(o_status, array_fill(0::smallint, array[cardinality(o_debit_version)])) as o_status from ledger.post_batch($1::integer, $2::timestamptz, $3::uuid[], $4::smallint[], $5::uuid[], $6::integer[], $7::integer[], $8::bigint[],
             $9::text[], $10::text[], $11::timestamptz[], $12::uuid[], $13::uuid[], $14::uuid[], $15::timestamptz[], $16::boolean[])`,
    values: [
      bookId, NOON, batch.accounts, batch.kinds, batch.keys, batch.debits, batch.credits, batch.amounts, batch.currencies, batch.codes,
      batch.effectives, batch.references, batch.groups, batch.holds, batch.expiries, batch.forces,
    ], // biome-ignore format: one value per parameter
  })
  const statuses: number[] = rows[0]?.o_status ?? []
  expect(statuses).toHaveLength(operations.length)
  return statuses
}

/** Tables this small are read whole, rightly. */
const SMALL = /Seq Scan on (book|period|pg_|generate)/

function expectLinear(captured: readonly Plan[]): void {
  for (const plan of captured) {
    const scans = plan.text.split('\n').filter((line) => line.includes('Seq Scan on') && !SMALL.test(line))
    expect(scans, plan.text).toEqual([])
    // A join inside a loop over unindexed rows would look at batch × batch of them.
    const removed = [...plan.text.matchAll(/Rows Removed by (?:Join )?Filter: (\d+)/g)].map((match) => Number(match[1]))
    expect(Math.max(0, ...removed), plan.text).toBeLessThanOrEqual(2 * BATCH)
    const loops = [...plan.text.matchAll(/rows=(\d+)[.\d]* loops=(\d+)/g)].map((match) => Number(match[1]) * Number(match[2]))
    expect(Math.max(...loops), plan.text).toBeLessThanOrEqual(4 * BATCH)
  }
}

describe('posting a batch', () => {
  test.each([
    ['plain transfers', () => mixture(BATCH).filter((operation) => operation.kind === 'transfer')],
    ['transfers and holds', () => mixture(BATCH)],
  ])('of %s reads no table whole and joins nothing row by row', async (_, make) => {
    plans.length = 0
    expect((await callPostBatch(make())).every((status) => status === 0)).toBe(true)
    for (const table of ['ledger.account', 'ledger.key', 'ledger.transfer'])
      expect(plans.some((plan) => plan.text.includes(table))).toBe(true)
    expectLinear(plans)
  })

  test('sent again does so neither', async () => {
    const operations = mixture(BATCH)
    await callPostBatch(operations)
    plans.length = 0
    expect((await callPostBatch(operations)).every((status) => status === -1)).toBe(true)
    expectLinear(plans)
  })
})

describe('reading', () => {
  const explain = async (sql: string): Promise<string> => {
    const { rows } = await session.query(`explain (analyze, timing off, costs off) ${sql}`)
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  }

  test('a page of entries takes its rows from two indexes, in order', async () => {
    plans.length = 0
    await session.query('select * from ledger.entries_before(3, 50, 10)')
    const plan = plans.find(({ sql }) => sql.includes('ledger.entry where'))?.text ?? ''
    expect(plan).toMatch(/Merge Append/)
    expect(plan).toMatch(/\$\d/) // one plan for every account and limit
    expect(plan).toMatch(/Index Scan Backward using transfer_2026_05_debit_debit_version_idx/)
    expect(plan).toMatch(/Index Scan Backward using transfer_2026_05_credit_credit_version_idx/)
    expect(plan).not.toMatch(/Seq Scan|-> {2}Sort/)
  })

  test('the log is read by its index', async () => {
    const plan = await explain(`select * from ledger.transfer where book = ${bookId} and seq > 100 order by seq limit 100`)
    expect(plan).toMatch(/Index Scan using transfer_2026_05_book_seq_idx/)
    expect(plan).not.toMatch(/Seq Scan|-> {2}Sort/)
  })
})
