import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { closePeriod, verifyLedger } from './index.ts'
import { packBatch } from './packed-batch.ts'
import { NOON, newKey, openTestBook, postNow, type TestBook, transfer } from './test-ledger.ts'

let db: TestDatabase
let book: TestBook
let writer: pg.PoolClient

beforeAll(async () => {
  db = await createTestDatabase()
  book = await openTestBook(db.database)
  const hold = {
    kind: 'hold',
    key: newKey(),
    account: book.alice,
    amount: { currency: 'EUR', minor: 10n },
    code: 'test',
  } as never
  await postNow(db.database, book, [transfer(book.nostro, book.alice, 100n), transfer(book.alice, book.bob, 30n), hold])
  await db.database.transaction(testActor, (tx) => closePeriod(tx, { bookId: book.bookId, through: '2026-05-01', now: NOON }))
  writer = await db.admin.connect()
})
afterAll(async () => {
  writer.release()
  await db.drop()
})

/** Runs statements in a transaction that is rolled back. @returns the SQLSTATE of the refusal, or `written`. */
async function attempt(role: string, sql: string): Promise<string> {
  await writer.query(`begin; ${role === 'superuser' ? '' : `set local role ${role};`}`)
  try {
    await writer.query(sql)
    return 'written'
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await writer.query('rollback')
  }
}

const REFUSED_BY_LEDGER = 'LG001'
const INSUFFICIENT_PRIVILEGE = '42501'

/** What nobody may write, each a way to make, lose, move or hide money. */
const WRITES: Readonly<Record<string, string>> = {
  'raise a balance': 'update ledger.account set credits = credits + 1, balance = balance + 1',
  'raise a balance without its sums': 'update ledger.account set balance = balance + 1',
  'skip a version': 'update ledger.account set version = version + 1',
  'release what is held': 'update ledger.account set held = 0',
  'allow an overdraft': 'update ledger.account set overdrawn = 1000000',
  'lower a floor': 'update ledger.account set floor = -1000000',
  'change a currency': `update ledger.account set currency = 'USD'`,
  'give an account to another book': 'update ledger.account set book = book + 1',
  'close an account by hand': 'update ledger.account set closed = true, closed_at = now()',
  'open an account by hand': `insert into ledger.account (id, book, code, currency, debit_normal, opened_at) select gen_random_uuid(), id, 'X', 'EUR', false, now() from ledger.book`,
  'open an account that has money': `insert into ledger.account (id, book, code, currency, debit_normal, opened_at, credits, balance) select gen_random_uuid(), id, 'X', 'EUR', false, now(), 5, 5 from ledger.book`,
  'delete accounts': 'delete from ledger.account',
  'truncate accounts': 'truncate ledger.account cascade',
  'insert a transfer': `insert into ledger.transfer select seq + 1000, amount, debit_version + 1000, credit_version + 1000, debit_balance, credit_balance, recorded_at,
     effective_at, book, debit, credit, forced, code, "group", reference, hold from ledger.transfer`,
  'change an amount': 'update ledger.transfer set amount = amount + 1',
  'delete a transfer': 'delete from ledger.transfer where seq = 1',
  'truncate transfers': 'truncate ledger.transfer',
  'insert a transfer past the parent': 'insert into ledger.transfer_2026_05 select * from ledger.transfer',
  'change an amount past the parent': 'update ledger.transfer_2026_05 set amount = amount + 1',
  'delete a transfer past the parent': 'delete from ledger.transfer_2026_05 where seq = 1',
  'truncate transfers past the parent': 'truncate ledger.transfer_2026_05',
  'insert a key':
    'insert into ledger.key (seq, request_hash, key, book) select seq + 1000, 0, gen_random_uuid(), book from ledger.key',
  'change a hash': 'update ledger.key set request_hash = 0',
  'forget keys': 'delete from ledger.key',
  'truncate keys': 'truncate ledger.key',
  'place a hold by hand': `insert into ledger.hold (id, book, account, amount, status, code, placed_seq, placed_at) select gen_random_uuid(), book, account, 1, 'pending', 'x', 99, now() from ledger.hold`,
  'end a hold by hand': `update ledger.hold set status = 'voided', ended_at = now()`,
  'shrink a hold': 'update ledger.hold set amount = 1',
  'delete holds': 'delete from ledger.hold',
  'truncate holds': 'truncate ledger.hold',
  'move a book back': 'update ledger.book set seq = 0',
  'open a closed period': `update ledger.book set closed_until = '-infinity'`,
  'delete a book': 'delete from ledger.book',
  'truncate books': 'truncate ledger.book cascade',
  'forget a closed period': 'delete from ledger.period',
  'change a closed period': `update ledger.period set through = '2020-01-01'`,
  'close a period by hand': `insert into ledger.period (book, through, closed_seq, closed_at) select id, '2030-01-01', 0, now() from ledger.book`,
}

describe.each([
  { role: 'partita_app', state: INSUFFICIENT_PRIVILEGE },
  { role: 'partita_system', state: INSUFFICIENT_PRIVILEGE },
  { role: 'partita_owner', state: REFUSED_BY_LEDGER },
  { role: 'superuser', state: REFUSED_BY_LEDGER },
])('$role', ({ role, state }) => {
  test.each(Object.entries(WRITES))('may not %s', async (_, sql) => {
    expect(await attempt(role, sql)).toBe(state)
  })
})

/** The owner without the statement guards, as a faulty migration might leave it: the rows themselves still refuse. */
async function attemptUnguarded(trigger: string, table: string, sql: string): Promise<{ code: string; constraint?: string }> {
  await writer.query(`begin; set local role partita_owner; alter table ledger.${table} disable trigger ${trigger}`)
  try {
    await writer.query(sql)
    return { code: 'written' }
  } catch (error) {
    return error as { code: string; constraint?: string }
  } finally {
    await writer.query('rollback')
  }
}

describe('with the guard on writers taken away', () => {
  const copy = (changes: { seq: string; amount: string; debitVersion: string; creditVersion: string }) => `
    insert into ledger.transfer select ${changes.seq}, ${changes.amount}, ${changes.debitVersion}, ${changes.creditVersion}, debit_balance, credit_balance, recorded_at,
      effective_at, book, debit, credit, forced, code, "group", reference, hold from ledger.transfer where seq = 2`

  const overdraw = (minor: number) =>
    `update ledger.account set debits = debits + ${minor}, balance = balance - ${minor}, version = version + 1 where code = 'CUST:ALICE'`

  test('a debit of more than there is is refused', async () => {
    expect(await attemptUnguarded('guard_sums', 'account', overdraw(71))).toMatchObject({
      code: '23514',
      constraint: 'available_not_under_floor',
    })
  })

  test('a debit of money that is held is refused too', async () => {
    expect(await attemptUnguarded('guard_sums', 'account', overdraw(61))).toMatchObject({
      code: '23514',
      constraint: 'available_not_under_floor',
    })
    expect(await attemptUnguarded('guard_sums', 'account', overdraw(60))).toMatchObject({ code: 'written' })
  })

  test('a second entry under a version that the account has is refused', async () => {
    const sql = copy({ seq: '100', amount: '1', debitVersion: '2', creditVersion: '9' })
    expect(await attemptUnguarded('guard_insert', 'transfer', sql)).toMatchObject({ code: '23505' })
  })

  test('a transfer of nothing, or less than nothing, is refused', async () => {
    const sql = copy({ seq: '100', amount: '-5', debitVersion: '3', creditVersion: '2' })
    expect(await attemptUnguarded('guard_insert', 'transfer', sql)).toMatchObject({ code: '23514' })
  })

  test('sums that do not agree with the balance are refused', async () => {
    const sql = 'update ledger.account set balance = balance + 1'
    expect(await attemptUnguarded('guard_sums', 'account', sql)).toMatchObject({
      code: '23514',
      constraint: 'balance_is_credits_minus_debits',
    })
  })

  test('a hold ends once', async () => {
    await writer.query('begin; set local role partita_owner; alter table ledger.hold disable trigger guard_end')
    await writer.query(`update ledger.hold set status = 'voided', ended_at = now()`)
    const again = writer.query(`update ledger.hold set status = 'expired', ended_at = now()`)
    await expect(again).rejects.toMatchObject({ code: REFUSED_BY_LEDGER })
    await writer.query('rollback')
  })
})

describe('a batch whose accounts do not move by what its rows say', () => {
  /** What a faulty migration could leave behind: something that changes an account on its way into the table. */
  const meddle = (change: string) => `
    create function ledger.meddle() returns trigger language plpgsql as $$ begin ${change}; return new; end $$;
    create trigger meddle before update on ledger.account for each row execute function ledger.meddle()`
  const planted = async (change: string) => {
    const operations = [transfer(book.alice, book.bob, 5n)]
    const { accounts, keys, debits, credits, amounts, currencies, codes } = packBatch(operations)
    await writer.query(`begin; set local role partita_owner; ${meddle(change)}`)
    try {
      await writer.query('set local role partita_system')
      await writer.query(
        `select o_status from ledger.post_batch($1, $2, $3::uuid[], null, $4::uuid[], $5::integer[], $6::integer[], $7::bigint[], $8::text[], $9::text[],
           null, null, null, null, null, null)`,
        [book.bookId, NOON, accounts, keys, debits, credits, amounts, currencies, codes],
      )
      return 'written'
    } catch (error) {
      return (error as { code: string }).code
    } finally {
      await writer.query('rollback')
    }
  }

  test('is refused when money appears', async () => {
    expect(await planted('new.credits := new.credits + 1; new.balance := new.balance + 1')).toBe('LG002')
  })

  test('is refused when money disappears', async () => {
    expect(await planted('new.debits := new.debits + 1; new.balance := new.balance - 1')).toBe('LG002')
  })

  test('is refused when an entry goes missing', async () => {
    expect(await planted('new.version := old.version')).toBe('40001')
  })

  test('and is written when they do', async () => {
    expect(await planted('null')).toBe('written')
  })
})

test('a function that calls itself post_batch does not pass for the ledger', async () => {
  await writer.query('begin')
  await writer.query(`
    create function public."ledger.post_batch("() returns void language plpgsql as $$
      begin update ledger.book set seq = 0; end $$`)
  await expect(writer.query('select public."ledger.post_batch("()')).rejects.toMatchObject({ code: REFUSED_BY_LEDGER })
  await writer.query('rollback')
})

describe.each([
  ['partita_owner', 'set role partita_owner'],
  ['a superuser', 'reset role'],
  ['whoever takes the role of the ledger’s functions', 'set role partita_ledger'],
  ['whoever logs in as it', 'set session authorization partita_ledger'],
])('%s', (_, become) => {
  test.each([
    ['a comment that names the function', '/* at ledger.post_batch( */'],
    ['a line of a comment that looks like one of the call stack', '/*\nPL/pgSQL function ledger.post_batch(integer) line 1\n*/'],
    ['a call of the function in the same statement', `perform to_regproc('ledger.post_batch(');`],
  ])('gets no further by %s', async (__, words) => {
    const plant = (sql: string) => `${become}; do $$ begin ${words} ${sql}; end $$`
    for (const sql of [
      `update ledger.account set credits = credits + 1, balance = balance + 1`,
      `update ledger.account set held = held ${words.startsWith('/*') ? words : ''} where held >= 0`,
      `insert into ledger.transfer select seq + 1000, amount, debit_version + 1000, credit_version + 1000, debit_balance, credit_balance, recorded_at,
         effective_at, book, debit, credit, forced, code, "group", reference, hold from ledger.transfer`,
      `update ledger.book set seq = seq + 1`,
    ]) {
      expect(await attempt('superuser', plant(sql)), sql).toBe(REFUSED_BY_LEDGER)
      await writer.query('reset session authorization; reset role')
    }
  })
})

test('nobody may change a transfer, a key or a period, in no column', async () => {
  const { rows } = await db.admin.query(
    `select r.rolname || ' ' || a.attrelid::regclass || '.' || a.attname as name
       from pg_roles r, pg_attribute a
      where r.rolname in ('partita_app', 'partita_system', 'partita_ledger', 'partita')
        and a.attrelid in ('ledger.transfer'::regclass, 'ledger.key'::regclass, 'ledger.period'::regclass) and a.attnum > 0
        and has_column_privilege(r.rolname, a.attrelid, a.attname, 'update')`,
  )
  expect(rows).toEqual([])
})

test('no login that serves may become the owner, or the one that the functions belong to', async () => {
  const { rows } = await db.admin.query(
    `select rolname from pg_roles where rolname in ('partita_owner', 'partita_ledger') and pg_has_role('partita', oid, 'member')`,
  )
  expect(rows).toEqual([])
})

test('the bank’s own work may read and call the functions, a member of an organization may not', async () => {
  const read = 'select * from ledger.account, ledger.entry, ledger.transfer, ledger.key, ledger.hold, ledger.book, ledger.period'
  const call = `select ledger.open_book('another', now())`
  for (const sql of [read, call]) {
    expect(await attempt('partita_system', sql)).toBe('written')
    expect(await attempt('partita_app', sql)).toBe(INSUFFICIENT_PRIVILEGE)
  }
})

test('nothing of all this left a trace', async () => {
  const report = await verifyLedger(db.database)
  expect(report).toMatchObject({ ok: true, entries: 4 })
})
