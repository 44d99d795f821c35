import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts'
import { EUR, money } from '../../../platform/money.ts'
import { closePeriod, verifyLedger } from '../index.ts'
import { NOON, newKey, openTestBook, postNow, transfer } from '../test-ledger.ts'

let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase()
  const book = await openTestBook(db.database)
  const held = newKey()
  const ended = newKey()
  const amount = money(EUR, 10n)
  await postNow(db.database, book, [
    transfer(book.nostro, book.alice, 100n),
    transfer(book.alice, book.bob, 30n),
    { kind: 'hold', key: held, account: book.alice, amount, code: 'test' },
    { kind: 'hold', key: ended, account: book.alice, amount, code: 'test' },
    { kind: 'post_hold', key: newKey(), hold: ended, credit: book.bob, code: 'test' },
  ])
  await db.database.transaction(testActor, (tx) => closePeriod(tx, { bookId: book.bookId, through: '2026-05-01', now: NOON }))
})
afterAll(() => db.drop())

/** Damage that only somebody can do who turns the triggers off, and the proofs that must notice. */
const DAMAGE: readonly { what: string; sql: string; noticedBy: readonly string[] }[] = [
  {
    what: 'money made on one account',
    sql: `update ledger.account set credits = credits + 1, balance = balance + 1 where code = 'CUST:BOB'`,
    noticedBy: ['zero_sum_per_currency', 'balance_equals_entries'],
  },
  {
    what: 'money moved without a transfer',
    sql: `update ledger.account set credits = credits + 1, balance = balance + 1 where code = 'CUST:BOB';
          update ledger.account set debits = debits + 1, balance = balance - 1 where code = 'NOSTRO:EUR'`,
    noticedBy: ['balance_equals_entries'],
  },
  {
    what: 'an amount changed',
    sql: 'update ledger.transfer set amount = amount + 1 where seq = 2',
    noticedBy: ['balance_equals_entries', 'running_balances_chain'],
  },
  {
    what: 'a balance after changed',
    sql: 'update ledger.transfer set credit_balance = 7 where seq = 1',
    noticedBy: ['running_balances_chain'],
  },
  {
    what: 'a transfer deleted',
    sql: 'delete from ledger.transfer where seq = 2',
    noticedBy: ['balance_equals_entries', 'versions_without_gaps', 'every_key_did_something'],
  },
  {
    what: 'a version skipped',
    sql: 'update ledger.transfer set debit_version = 9 where seq = 2',
    noticedBy: ['versions_without_gaps'],
  },
  {
    what: 'a version counted too far',
    sql: 'update ledger.account set version = version + 1',
    noticedBy: ['versions_without_gaps'],
  },
  {
    what: 'an account deleted',
    sql: `delete from ledger.account where code = 'CUST:BOB'`,
    noticedBy: ['entries_belong_to_accounts', 'zero_sum_per_currency'],
  },
  {
    what: 'an account in no book',
    sql: `update ledger.account set book = 999 where code = 'CUST:BOB'`,
    noticedBy: ['accounts_belong_to_books', 'transfers_within_one_currency_and_book'],
  },
  {
    what: 'a currency changed',
    sql: `update ledger.account set currency = 'USD' where code = 'CUST:BOB'`,
    noticedBy: ['transfers_within_one_currency_and_book'],
  },
  {
    what: 'an overdraft granted silently',
    sql: `update ledger.account set overdrawn = 5 where code = 'CUST:BOB'`,
    noticedBy: ['available_not_under_floor'],
  },
  { what: 'held money set free', sql: 'update ledger.account set held = 0', noticedBy: ['held_equals_pending_holds'] },
  {
    what: 'a hold forgotten',
    sql: `delete from ledger.hold where status = 'pending'`,
    noticedBy: ['held_equals_pending_holds', 'every_key_did_something'],
  },
  {
    what: 'a posted hold that says less',
    sql: `update ledger.hold set posted = 3 where status = 'posted'`,
    noticedBy: ['holds_end_once'],
  },
  {
    what: 'a posted hold deleted',
    sql: `delete from ledger.hold where status = 'posted'`,
    noticedBy: ['transfers_name_existing_holds'],
  },
  {
    what: 'a key forgotten',
    sql: 'delete from ledger.key where seq = 2',
    noticedBy: ['keys_and_seq_agree', 'every_transfer_has_its_key'],
  },
  {
    what: 'a key of no effect',
    sql: 'insert into ledger.key select seq + 5, 0, gen_random_uuid(), book from ledger.key where seq = 1',
    noticedBy: ['keys_and_seq_agree', 'every_key_did_something'],
  },
  {
    what: 'a key renamed',
    sql: 'update ledger.key set key = gen_random_uuid() where seq = 3',
    noticedBy: ['every_hold_has_its_key'],
  },
  {
    what: 'a key of no book',
    sql: 'insert into ledger.key values (1, 0, gen_random_uuid(), 999)',
    noticedBy: ['keys_belong_to_books'],
  },
  { what: 'a book set back', sql: 'update ledger.book set seq = seq - 1', noticedBy: ['keys_and_seq_agree'] },
  {
    what: 'a hold moved to another book',
    sql: 'update ledger.hold set book = book + 1',
    noticedBy: ['holds_belong_to_their_book'],
  },
  {
    what: 'recorded time turned back',
    sql: `update ledger.transfer set recorded_at = recorded_at - interval '1 day' where seq = 5`,
    noticedBy: ['recorded_time_never_runs_back'],
  },
  {
    what: 'an entry slipped into a closed period',
    sql: `update ledger.transfer set effective_at = '2026-04-01'; update ledger.period set closed_seq = 0`,
    noticedBy: ['closed_periods_stay_closed'],
  },
]

test('a sound ledger passes every proof', async () => {
  const report = await verifyLedger(db.database)
  expect(report).toMatchObject({ ok: true, entries: 6, forcedOverdrafts: 0 })
  expect(report.checks.every((check) => check.violations === 0 && check.examples.length === 0)).toBe(true)
})

test.each(DAMAGE)('$what is noticed', async ({ sql, noticedBy }) => {
  const client = await db.admin.connect()
  try {
    // The damage must be committed for the proof to see it; a copy of the tables puts it back.
    await client.query(`begin; set local session_replication_role = replica; ${sql}`)
    await client.query('commit')
    const report = await verifyLedger(db.database)
    const failed = report.checks.filter((check) => check.violations > 0)
    expect(report.ok).toBe(false)
    expect(failed.map((check) => check.name)).toEqual(expect.arrayContaining([...noticedBy]))
    expect(failed.every((check) => check.examples.length > 0)).toBe(true)
  } finally {
    await client.query(RESTORE)
    client.release()
  }
})

const TABLES = ['book', 'account', 'transfer', 'key', 'hold', 'period']
const RESTORE = `begin; set local session_replication_role = replica; ${TABLES.map(
  (table) =>
    `delete from ledger.${table}; insert into ledger.${table} ${table === 'book' || table === 'account' ? 'overriding system value' : ''} select * from sound.${table};`,
).join(' ')} commit`

beforeAll(() =>
  db.admin.query(
    `create schema sound; ${TABLES.map((table) => `create table sound.${table} as select * from ledger.${table};`).join(' ')}`,
  ),
)

test('every proof has been seen to fail', async () => {
  const report = await verifyLedger(db.database)
  const noticing = new Set(DAMAGE.flatMap((one) => one.noticedBy))
  // The database's own constraint makes this one impossible even with triggers off.
  expect(report.checks.map((check) => check.name).filter((name) => !noticing.has(name))).toEqual(['closed_accounts_are_empty'])
})

test('takes no longer right after many holds, of which the planner has not heard', async () => {
  const fresh = await createTestDatabase()
  const book = await openTestBook(fresh.database)
  await postNow(fresh.database, book, [transfer(book.nostro, book.alice, 100_000n)])
  const hold = () => ({ kind: 'hold', key: newKey(), account: book.alice, amount: money(EUR, 1n), code: 'test' }) as const
  await postNow(fresh.database, book, Array.from({ length: 60 }, hold))
  await fresh.admin.query('analyze')
  for (let batch = 0; batch < 3; batch++) await postNow(fresh.database, book, Array.from({ length: 4_000 }, hold))
  const report = await verifyLedger(fresh.database)
  await fresh.drop()
  expect(report.checks.filter((one) => one.violations > 0)).toEqual([])
  expect(report.seconds).toBeLessThan(10) // half a second; with nested loops half a minute
})
