import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { newId } from '../../platform/ids.ts'
import { currency, EUR, money } from '../../platform/money.ts'
import {
  AMOUNT_MAX,
  BATCH_MAX,
  balancesOf,
  closeAccount,
  closePeriod,
  expireHolds,
  findHold,
  type GroupId,
  type LedgerAccountId,
  type Operation,
  type OperationKey,
  openAccounts,
  openBook,
  post,
  verifyLedger,
} from './index.ts'
import { packBatch } from './packed-batch.ts'
import { inWords, NOON, newKey, openTestBook, postNow, type TestBook, transfer } from './test-ledger.ts'

let db: TestDatabase
let book: TestBook

beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(async () => {
  const report = await verifyLedger(db.database)
  expect(report.checks.filter((check) => check.violations > 0)).toEqual([])
  await db.drop()
})

const account = async (id: LedgerAccountId) =>
  (await db.database.read(testActor, (tx) => balancesOf(tx, [id])))[0] ?? expect.fail('no such account')
const postAll = (operations: readonly Operation[], now = NOON) => postNow(db.database, book, operations, now)
const minutesLater = (minutes: number) => new Date(NOON.getTime() + minutes * 60_000)
const hold = (id: LedgerAccountId, minor: bigint, expiresAt?: Date): Operation & { kind: 'hold' } => ({
  kind: 'hold',
  key: newKey(),
  account: id,
  amount: money(EUR, minor),
  code: 'test.hold',
  expiresAt,
})
const postHold = (held: OperationKey, minor?: bigint): Operation => ({
  kind: 'post_hold',
  key: newKey(),
  hold: held,
  credit: book.nostro,
  code: 'test.hold',
  amount: minor === undefined ? undefined : money(EUR, minor),
})
const voidHold = (held: OperationKey): Operation => ({ kind: 'void_hold', key: newKey(), hold: held })

/** A book of its own, with 100 on Alice's account. */
async function freshBook(): Promise<void> {
  book = await openTestBook(db.database)
  expect(inWords(await postAll([transfer(book.nostro, book.alice, 100n)]))).toEqual(['posted'])
}

describe('keys', () => {
  test('the same operation again answers what was stored then, and moves nothing', async () => {
    await freshBook()
    const payment = transfer(book.alice, book.bob, 30n)
    const first = await postAll([payment])
    await postAll([transfer(book.alice, book.bob, 5n)])
    const again = await postAll([payment], minutesLater(5))
    expect(first).toEqual([
      {
        ok: true,
        value: { seq: 2n, replayed: false, debitBalance: 70n, debitVersion: 2n, creditBalance: 30n, creditVersion: 1n },
      },
    ])
    expect(again).toEqual(first.map((outcome) => outcome.ok && { ok: true, value: { ...outcome.value, replayed: true } }))
    expect(await account(book.alice)).toMatchObject({ balance: 65n, version: 3n })
  })

  test('another content under the same key is refused, whatever differs', async () => {
    await freshBook()
    const payment = transfer(book.alice, book.bob, 30n) as Operation & { kind: 'transfer' }
    const changed: Operation[] = [
      { ...payment, amount: money(EUR, 31n) },
      { ...payment, amount: money(EUR, 30n << 32n) },
      { ...payment, debit: payment.credit, credit: payment.debit },
      { ...payment, credit: book.nostro },
      { ...payment, code: 'other' },
      { ...payment, reference: newId() },
      { ...payment, effectiveAt: NOON },
      { ...payment, force: true },
      { ...payment, group: newId<'ledger_group'>() },
      { ...hold(book.alice, 30n), key: payment.key },
    ]
    expect(inWords(await postAll([payment, ...changed]))).toEqual([
      'posted',
      ...changed.map(() => 'key_reused_with_other_content'),
    ])
    expect(inWords(await postAll(changed))).toEqual(changed.map(() => 'key_reused_with_other_content'))
  })

  test('a key stored with the hash of an earlier release answers as before, and refuses other content', async () => {
    const payment = transfer(book.nostro, book.alice, 7n, { reference: newId() })
    const [first] = await postAll([payment])
    const formerly = await db.admin.query(
      `begin; set local session_replication_role = replica;
       update ledger.key k set request_hash = ledger.operation_hash(1::smallint, '${book.nostro}', '${book.alice}', 7, 'EUR', 'test', null, '${payment.kind === 'transfer' && payment.reference}', null, null, null, false)
        where k.key = '${payment.key}'; commit`,
    )
    expect(formerly).toHaveLength(4)
    expect(await postAll([payment])).toEqual([first?.ok && { ok: true, value: { ...first.value, replayed: true } }])
    expect(inWords(await postAll([{ ...payment, amount: money(EUR, 8n) } as Operation]))).toEqual([
      'key_reused_with_other_content',
    ])
  })

  test('accounts named out of order are found all the same', async () => {
    const backwards = packBatch([transfer(book.nostro, book.alice, 5n)])
    const [low, high] = [book.nostro, book.alice].sort()
    const before = await account(book.alice)
    const { rows } = await db.admin.query(
      `select o_seq, o_credit_balance from ledger.post_batch($1, $2, $3::uuid[], null, $4::uuid[], $5::integer[], $6::integer[], $7::bigint[], $8::text[], $9::text[],
         null, null, null, null, null, null)`,
      [
        book.bookId, NOON, [high, low], backwards.keys, [high === book.nostro ? 1 : 2], [high === book.nostro ? 2 : 1], backwards.amounts,
        backwards.currencies, backwards.codes,
      ], // biome-ignore format: one value per parameter
    )
    expect(rows).toEqual([{ o_seq: [expect.anything()], o_credit_balance: [(before.balance + 5n).toString()] }])
    expect((await account(book.alice)).balance).toBe(before.balance + 5n)
  })

  test('the same operation twice in one call posts once', async () => {
    await freshBook()
    const payment = transfer(book.alice, book.bob, 60n)
    expect(inWords(await postAll([payment, payment]))).toEqual(['posted', 'replayed'])
    expect((await account(book.bob)).balance).toBe(60n)
  })

  test('a refused operation leaves no trace: with money there, the same key posts', async () => {
    await freshBook()
    const payment = transfer(book.bob, book.alice, 50n)
    expect(inWords(await postAll([payment]))).toEqual(['available_balance_insufficient'])
    expect(inWords(await postAll([transfer(book.nostro, book.bob, 50n), payment, payment]))).toEqual([
      'posted',
      'posted',
      'replayed',
    ])
  })

  test('a key counts within its book only', async () => {
    await freshBook()
    const { bookId, bob } = book
    const key = newKey()
    await postAll([transfer(book.nostro, book.bob, 10n, { key })])
    await freshBook()
    expect(inWords(await postAll([transfer(book.nostro, book.bob, 10n, { key })]))).toEqual(['posted'])
    expect(book.bookId).not.toBe(bookId)
    expect((await account(bob)).balance).toBe(10n)
  })
})

describe('refusals', () => {
  test('are named, the most basic first', async () => {
    await freshBook()
    const nobody = newId<'ledger_account'>()
    const closed = newId<'ledger_account'>()
    const crowns = newId<'ledger_account'>()
    const base = { currency: EUR, normalSide: 'credit' as const, floor: 0n }
    await db.database.transaction(testActor, async (tx) => {
      const accounts = [
        { ...base, id: closed, code: 'CLOSED' },
        { ...base, id: crowns, code: 'CZK', currency: currency('CZK') },
      ]
      await openAccounts(tx, book.bookId, accounts, NOON)
      expect(await closeAccount(tx, closed, NOON)).toEqual({ ok: true, value: undefined })
    })
    const asked: [Operation, string][] = [
      [transfer(nobody, nobody, 0n), 'amount_out_of_range'],
      [transfer(book.alice, book.bob, AMOUNT_MAX + 1n), 'amount_out_of_range'],
      [transfer(book.alice, book.bob, -(2n ** 63n) + 1n), 'amount_out_of_range'],
      [transfer(nobody, book.bob, 1n), 'debit_account_not_found'],
      [transfer(book.alice, nobody, 1n), 'credit_account_not_found'],
      [transfer(book.alice, book.alice, 1n), 'same_account_on_both_sides'],
      [transfer(book.alice, crowns, 1n), 'currency_mismatch'],
      [transfer(closed, book.bob, 1n), 'debit_account_closed'],
      [transfer(book.alice, closed, 1n), 'credit_account_closed'],
      [transfer(book.alice, book.bob, 101n), 'available_balance_insufficient'],
      [postHold(newKey()), 'hold_not_found'],
      [voidHold(newKey()), 'hold_not_found'],
      [hold(book.alice, 101n), 'available_balance_insufficient'],
      [transfer(book.alice, book.bob, 100n), 'posted'],
    ]
    expect(inWords(await postAll(asked.map(([operation]) => operation)))).toEqual(asked.map(([, answer]) => answer))
  })

  test("an account of another book is not found, whoever's it is", async () => {
    await freshBook()
    const { alice } = book
    await freshBook()
    expect(inWords(await postAll([transfer(alice, book.bob, 1n), transfer(book.alice, alice, 1n)]))).toEqual([
      'debit_account_not_found',
      'credit_account_not_found',
    ])
  })

  test('a batch is at most BATCH_MAX operations, and a group stays together', async () => {
    await freshBook()
    const many = Array.from({ length: BATCH_MAX }, () => transfer(book.nostro, book.bob, 1n))
    expect(inWords(await postAll(many)).every((answer) => answer === 'posted')).toBe(true)
    await expect(postAll([...many, ...many])).rejects.toThrow(/1 to 4000 operations/)
    const group = newId<'ledger_group'>()
    const apart = [group, undefined, group].map((one) => transfer(book.nostro, book.bob, 1n, { group: one }))
    await expect(postAll(apart)).rejects.toThrow(/neighbours/)
  })
})

describe('groups', () => {
  const grouped = (group: GroupId, ...legs: Operation[]) => legs.map((leg) => ({ ...leg, group }))

  test('all legs post, or none: the leg that fails says why, the others fall with it', async () => {
    await freshBook()
    const group = newId<'ledger_group'>()
    const legs = grouped(
      group,
      transfer(book.alice, book.bob, 40n),
      transfer(book.alice, book.nostro, 70n),
      transfer(book.alice, book.bob, 1n),
    )
    expect(inWords(await postAll([...legs, transfer(book.alice, book.bob, 100n)]))).toEqual([
      'group_refused',
      'available_balance_insufficient',
      'group_refused',
      'posted',
    ])
    expect(await account(book.alice)).toMatchObject({ balance: 0n, version: 2n })
  })

  test('legs see the legs before them', async () => {
    await freshBook()
    const legs = grouped(newId<'ledger_group'>(), transfer(book.alice, book.bob, 100n), transfer(book.bob, book.nostro, 100n))
    const answers = await postAll(legs)
    expect(inWords(answers)).toEqual(['posted', 'posted'])
    expect(inWords(await postAll(legs))).toEqual(['replayed', 'replayed'])
  })

  test('a group that is there in part takes no new leg', async () => {
    await freshBook()
    const group = newId<'ledger_group'>()
    const [first] = grouped(group, transfer(book.alice, book.bob, 1n))
    await postAll([first as Operation])
    const later = grouped(group, transfer(book.alice, book.bob, 2n))
    expect(inWords(await postAll([first as Operation, ...later]))).toEqual(['replayed', 'group_refused'])
  })
})

describe('holds', () => {
  test('reserve at once, move nothing, and can be posted when nothing else is left', async () => {
    await freshBook()
    const held = hold(book.alice, 100n)
    expect(await postAll([held])).toMatchObject([{ ok: true, value: { seq: 2n, debitBalance: null, creditVersion: null } }])
    expect(await account(book.alice)).toMatchObject({ balance: 100n, held: 100n, available: 0n, version: 1n })
    expect(inWords(await postAll([transfer(book.alice, book.bob, 1n), hold(book.alice, 1n), postHold(held.key)]))).toEqual([
      'available_balance_insufficient',
      'available_balance_insufficient',
      'posted',
    ])
    expect(await account(book.alice)).toMatchObject({ balance: 0n, held: 0n, version: 2n })
  })

  test('posted in part, the rest is released', async () => {
    await freshBook()
    const held = hold(book.alice, 80n)
    const answers = inWords(
      await postAll([held, postHold(held.key, 81n), postHold(held.key, 50n), postHold(held.key, 30n), voidHold(held.key)]),
    )
    expect(answers).toEqual(['posted', 'amount_exceeds_hold', 'posted', 'hold_not_pending', 'hold_not_pending'])
    expect(await account(book.alice)).toMatchObject({ balance: 50n, held: 0n })
    const stored = await db.database.read(testActor, (tx) => findHold(tx, book.bookId, held.key))
    expect(stored).toMatchObject({ status: 'posted', amount: 80n, posted: 50n, accountId: book.alice })
  })

  test('over, on an account closed since, cannot be posted: the account comes first', async () => {
    await freshBook()
    const placed = hold(book.bob, 1n)
    await postAll([transfer(book.alice, book.bob, 1n), placed])
    await postAll([{ kind: 'void_hold', key: newKey(), hold: placed.key }, transfer(book.bob, book.alice, 1n)])
    await db.database.transaction(testActor, (tx) => closeAccount(tx, book.bob, NOON))
    const late = { kind: 'post_hold', key: newKey(), hold: placed.key, credit: book.alice, code: 'test' } as const
    expect(inWords(await postAll([late]))).toEqual(['debit_account_closed'])
  })

  test('voided, the money is free again', async () => {
    await freshBook()
    const held = hold(book.alice, 100n)
    await postAll([held])
    expect(inWords(await postAll([voidHold(held.key), transfer(book.alice, book.bob, 100n)]))).toEqual(['posted', 'posted'])
  })

  test('expire as of a time: due holds can no longer be posted, and the sweep releases them once', async () => {
    await freshBook()
    const short = hold(book.alice, 10n, minutesLater(1))
    const long = hold(book.alice, 20n, minutesLater(60))
    await postAll([short, long])
    expect(inWords(await postAll([postHold(short.key)], minutesLater(1)))).toEqual(['hold_not_pending'])
    const sweep = () => db.database.transaction(testActor, (tx) => expireHolds(tx, book.bookId, minutesLater(2)))
    expect((await sweep()).map((one) => [one.id, one.status])).toEqual([[short.key, 'expired']])
    expect(await sweep()).toEqual([])
    expect(await account(book.alice)).toMatchObject({ held: 20n, available: 80n })
    expect(inWords(await postAll([postHold(long.key)], minutesLater(2)))).toEqual(['posted'])
  })
})

describe('a forced transfer', () => {
  test('goes under the floor and says so; nothing else may until credits cover it', async () => {
    await freshBook()
    const late = transfer(book.alice, book.nostro, 150n, { force: true })
    expect(inWords(await postAll([late, transfer(book.alice, book.bob, 1n), hold(book.alice, 1n)]))).toEqual([
      'posted',
      'available_balance_insufficient',
      'available_balance_insufficient',
    ])
    expect(await account(book.alice)).toMatchObject({ balance: -50n, overdrawn: 50n })
    const report = await verifyLedger(db.database)
    expect(report).toMatchObject({ ok: true, forcedOverdrafts: 1 })
    await postAll([transfer(book.nostro, book.alice, 20n)])
    expect(await account(book.alice)).toMatchObject({ balance: -30n, overdrawn: 30n })
    await postAll([transfer(book.nostro, book.alice, 80n), transfer(book.alice, book.bob, 50n)])
    expect(await account(book.alice)).toMatchObject({ balance: 0n, overdrawn: 0n })
  })

  test('is refused like any other for every reason but the money', async () => {
    await freshBook()
    expect(inWords(await postAll([transfer(book.alice, newId(), 1n, { force: true })]))).toEqual(['credit_account_not_found'])
  })
})

describe('periods', () => {
  test('nothing counts into a closed period any more, and a period that is not over does not close', async () => {
    await freshBook()
    const close = (through: string, now = NOON) =>
      db.database.transaction(testActor, (tx) => closePeriod(tx, { bookId: book.bookId, through, now }))
    expect(await close('2026-05-04')).toEqual({ ok: false, refusal: 'period_not_over' })
    expect(await close('2026-05-02')).toEqual({ ok: true, value: { closedThrough: '2026-05-02' } })
    expect(await close('2026-04-30')).toEqual({ ok: true, value: { closedThrough: '2026-05-02' } })
    // The day ends at midnight in Paris, which is 22:00 UTC in summer.
    const at = (text: string) => transfer(book.alice, book.bob, 1n, { effectiveAt: new Date(text) })
    expect(
      inWords(await postAll([at('2026-05-02T21:59:59.999Z'), at('2026-05-02T22:00:00.000Z'), at('2026-05-09T00:00:00.000Z')])),
    ).toEqual(['period_closed', 'posted', 'posted'])
  })
})

describe('accounts', () => {
  test('opening is safe to repeat; another content or a code that is taken is refused, and then none is opened', async () => {
    await freshBook()
    const carol = {
      id: newId<'ledger_account'>(),
      code: 'CUST:CAROL',
      currency: EUR,
      normalSide: 'credit' as const,
      floor: -500n,
    }
    const dave = { ...carol, id: newId<'ledger_account'>(), code: 'CUST:DAVE' }
    const open = (...accounts: (typeof carol)[]) =>
      db.database.transaction(testActor, (tx) => openAccounts(tx, book.bookId, accounts, NOON))
    expect(await open(carol)).toMatchObject({
      ok: true,
      value: [{ code: 'CUST:CAROL', floor: -500n, balance: 0n, status: 'open' }],
    })
    expect((await open(carol, carol)).ok).toBe(true)
    expect(await open(dave, { ...carol, floor: 0n })).toEqual({ ok: false, refusal: 'account_id_reused_with_other_content' })
    expect(await open(dave, { ...dave, id: newId() })).toEqual({ ok: false, refusal: 'account_code_taken' })
    expect(await open({ ...dave, code: 'CUST:CAROL' })).toEqual({ ok: false, refusal: 'account_code_taken' })
    expect(await db.database.read(testActor, (tx) => balancesOf(tx, [dave.id]))).toEqual([])
  })

  test('close only when empty', async () => {
    await freshBook()
    const close = (id: LedgerAccountId) => db.database.transaction(testActor, (tx) => closeAccount(tx, id, NOON))
    expect(await close(book.alice)).toEqual({ ok: false, refusal: 'balance_not_zero' })
    expect(await close(newId())).toEqual({ ok: false, refusal: 'account_not_found' })
    const held = hold(book.nostro, 1n)
    await postAll([transfer(book.alice, book.nostro, 100n), held])
    expect(await close(book.nostro)).toEqual({ ok: false, refusal: 'holds_pending' })
    expect((await close(book.alice)).ok).toBe(true)
    expect((await close(book.alice)).ok).toBe(true)
    expect(inWords(await postAll([transfer(book.nostro, book.alice, 1n)]))).toEqual(['credit_account_closed'])
  })

  test('opening a book twice is the same book', async () => {
    const open = () => db.database.transaction(testActor, (tx) => openBook(tx, { code: 'twice', now: NOON }))
    expect(await open()).toBe(await open())
  })
})

describe("in the caller's transaction", () => {
  test('a posting is undone with it', async () => {
    await freshBook()
    const payment = transfer(book.alice, book.bob, 30n)
    const failing = db.database.transaction(testActor, async (tx) => {
      expect(inWords(await post(tx, book.bookId, [payment], NOON))).toEqual(['posted'])
      throw new Error('the caller changes its mind')
    })
    await expect(failing).rejects.toThrow('changes its mind')
    expect((await account(book.bob)).balance).toBe(0n)
    expect(inWords(await postAll([payment]))).toEqual(['posted'])
  })

  test('recorded time never runs backwards, though clocks of different processes may', async () => {
    await freshBook()
    await postAll([transfer(book.alice, book.bob, 1n)], minutesLater(10))
    await postAll([transfer(book.alice, book.bob, 1n)], minutesLater(5))
    const times = await db.admin.query('select distinct recorded_at from ledger.transfer where book = $1 and seq > 1', [
      book.bookId,
    ])
    expect(times.rows).toEqual([{ recorded_at: minutesLater(10) }])
  })

  test('a month that nobody prepared gets its partition with the first transfer', async () => {
    await freshBook()
    expect(inWords(await postAll([transfer(book.alice, book.bob, 1n)], new Date('2031-02-28T23:59:59.999Z')))).toEqual(['posted'])
    expect(inWords(await postAll([transfer(book.alice, book.bob, 1n)], new Date('2031-03-01T00:00:00.000Z')))).toEqual(['posted'])
    const { rows } = await db.admin.query(
      `select tableoid::regclass::text as name from ledger.transfer where book = $1 order by seq`,
      [book.bookId],
    )
    expect(rows.map((row) => row.name)).toEqual(['ledger.transfer_2026_05', 'ledger.transfer_2031_02', 'ledger.transfer_2031_03'])
  })
})
