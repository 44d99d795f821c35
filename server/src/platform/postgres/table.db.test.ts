import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { systemActor } from '../actor.ts'
import { Bug } from '../assert.ts'
import { newId } from '../ids.ts'
import { defineMoves, drawMoves, statesOf } from '../moves.ts'
import { Database } from './database.ts'
import { boolean, date, instant, integer, json, minor, nullable, type RowOf, Table, text, uuid } from './table.ts'
import { transition } from './transition.ts'

type Status = 'pending' | 'submitted' | 'settled'

const orders = new Table(
  'platform.planted_order',
  {
    id: uuid<'order'>(),
    amountMinor: minor(),
    status: text<Status>(),
    dueOn: date(),
    position: nullable(integer()),
    details: json<{ readonly names: readonly string[] }>(),
    isUrgent: boolean(),
    note: nullable(text()),
    createdAt: instant(),
  },
  {
    written: { updatedAt: instant(), submittedAt: nullable(instant()) },
    filled: { currency: `'EUR'`, updated_at: 'created_at' },
  },
)
type Order = RowOf<typeof orders>

const MOVES = defineMoves({
  submit: [['pending'], 'submitted'],
  settle: [['pending', 'submitted'], 'settled'],
})

const AT = new Date('2026-03-02T09:00:00.123Z')
const order = (change: Partial<Order> = {}): Order => ({
  id: newId<'order'>(),
  amountMinor: 9_007_199_254_740_993n,
  status: 'pending',
  dueOn: '2026-03-02',
  position: null,
  details: { names: [`O'Neill, "both" {ends}`, 'Ærø'] },
  isUrgent: false,
  note: null,
  createdAt: AT,
  ...change,
})

let test_: TestDatabase
const actor = systemActor('test.orders')
beforeAll(async () => {
  test_ = await createTestDatabase()
  await test_.admin.query(`
    create table platform.planted_order (
      id uuid primary key, amount_minor bigint not null, currency text not null, status text not null, due_on date not null, position integer,
      details jsonb not null, is_urgent boolean not null, note text, created_at timestamptz not null, updated_at timestamptz not null,
      submitted_at timestamptz);
    grant select, insert, update on platform.planted_order to partita_system`)
})
afterAll(() => test_.drop())

const found = (ids: readonly string[]) =>
  test_.database.read(
    actor,
    (tx) => orders.select(tx)`where id = any(${ids}::uuid[]) order by array_position(${ids}::uuid[], id)`,
  )

describe('a table', () => {
  test('gives its rows back as they were inserted', async () => {
    const rows = [
      order(),
      order({ position: 7, note: 'a {,} "note"', isUrgent: true }),
      order({ amountMinor: -1n, details: { names: [] } }),
    ]
    expect(await test_.database.transaction(actor, (tx) => orders.insert(tx, rows))).toBe(3)
    expect(await found(rows.map((row) => row.id))).toEqual(rows)
    const { rows: filled } = await test_.admin.query('select currency, updated_at from platform.planted_order where id = $1', [
      rows[0]?.id,
    ])
    expect(filled).toEqual([{ currency: 'EUR', updated_at: AT }])
  })

  test('takes no row twice, unless it is told what to do with it', async () => {
    const row = order()
    const insert = (onConflict?: 'on conflict (id) do nothing') =>
      test_.database.transaction(actor, (tx) => orders.insert(tx, [row], onConflict))
    expect(await insert()).toBe(1)
    await expect(insert()).rejects.toMatchObject({ code: '23505' })
    expect(await insert('on conflict (id) do nothing')).toBe(0)
    expect(await test_.database.transaction(actor, (tx) => orders.insert(tx, []))).toBe(0)
  })

  test('sends one fixed text, which is prepared once, however many rows there are', async () => {
    const database = new Database({ url: test_.url, applicationName: 'one connection', poolSize: 1, acquireTimeoutMs: 10_000 })
    const prepared = await database.transaction(actor, async (tx) => {
      for (const count of [1, 2, 3])
        await orders.insert(
          tx,
          Array.from({ length: count }, () => order()),
        )
      const first = (status: Status) => orders.select(tx)`where status = ${status} limit 1`
      for (const status of ['pending', 'settled'] as const) await first(status)
      return tx.query<{ statement: string }>(
        `select statement from pg_prepared_statements where statement like '%planted_order%' order by 1`,
      )
    })
    await database.close()
    expect(prepared.map((row) => row.statement.slice(0, 6))).toEqual(['insert', 'select'])
  })

  test('is typed by its columns', () => {
    // @ts-expect-error a status that it does not know
    order({ status: 'lost' })
    // @ts-expect-error another kind of id
    order({ id: newId<'transaction'>() })
    // @ts-expect-error an amount that is no bigint
    order({ amountMinor: 5 })
    expect(orders.list).toBe(
      'id, amount_minor as "amountMinor", status, due_on as "dueOn", position, details, is_urgent as "isUrgent", note, created_at as "createdAt"',
    )
  })
})

describe('a move', () => {
  const later = new Date(AT.getTime() + 1_000)
  const move = (ids: readonly string[], name: keyof typeof MOVES, submittedAt?: Date) =>
    test_.database.transaction(actor, (tx) => transition(tx, orders, ids, MOVES[name], { updatedAt: later, submittedAt }))

  test('takes rows from any state that it leaves to the one that it reaches, with what is written beside it', async () => {
    const rows = [order(), order({ status: 'submitted' })]
    await test_.database.transaction(actor, (tx) => orders.insert(tx, rows))
    const ids = rows.map((row) => row.id)
    await move(ids.slice(0, 1), 'submit', later)
    await move(ids, 'settle')
    expect((await found(ids)).map((row) => row.status)).toEqual(['settled', 'settled'])
    const { rows: written } = await test_.admin.query(
      'select updated_at, submitted_at from platform.planted_order where id = any($1) order by submitted_at nulls last',
      [ids],
    )
    expect(written).toEqual([
      { updated_at: later, submitted_at: later },
      { updated_at: later, submitted_at: null },
    ])
  })

  test('of a row that is in another state, or not there, is a bug, and moves none', async () => {
    const rows = [order(), order({ status: 'settled' })]
    await test_.database.transaction(actor, (tx) => orders.insert(tx, rows))
    const ids = rows.map((row) => row.id)
    await expect(move(ids, 'settle')).rejects.toThrow(Bug)
    await expect(move(ids, 'settle')).rejects.toThrow(
      'settle moved 1 of 2 rows of platform.planted_order, where it leaves pending,submitted',
    )
    await expect(move([newId()], 'submit')).rejects.toThrow(Bug)
    expect((await found(ids)).map((row) => row.status)).toEqual(['pending', 'settled'])
    await move([], 'settle')
    await move([ids[0] as string, ids[0] as string], 'submit')
  })

  test('is drawn with the states that it leaves and reaches', () => {
    expect(statesOf(MOVES)).toEqual(['pending', 'submitted', 'settled'])
    expect(drawMoves(MOVES)).toBe(
      '| From | Move | To |\n|---|---|---|\n| pending | submit | submitted |\n| pending, submitted | settle | settled |',
    )
  })
})
