import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import '../../src/bank.ts' // every module, and with it every table that it declares
import { TRANSACTION_MOVES, TRANSACTION_STATUSES } from '../../src/modules/feed/domain/transaction.ts'
import { CREDIT_TRANSFER_MOVES, CREDIT_TRANSFER_STATUSES } from '../../src/modules/payments/domain/credit-transfer.ts'
import { INCOMING_STATUSES, INCOMING_TRANSFER_MOVES } from '../../src/modules/payments/domain/incoming-transfer.ts'
import { drawMoves, statesOf } from '../../src/platform/moves.ts'
import { declaredTables, integer, nullable, sqlName, table, text, uuid } from '../../src/platform/postgres/table.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())

type Declared = ReturnType<typeof declaredTables>[number]

/** What a declaration says otherwise than the schema, for a person. */
async function differences({ name, columns, written, filled }: Declared): Promise<string[]> {
  const { rows } = await test_.admin.query<{ name: string; type: string; nullable: boolean; hasDefault: boolean }>(
    `select a.attname as name, t.typname as type, not a.attnotnull as nullable, a.atthasdef or a.attidentity <> '' as "hasDefault"
       from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped`,
    [name],
  )
  const kept = new Map(rows.map((row) => [row.name, { ...row, type: row.type === 'bpchar' ? 'text' : row.type }]))
  const wrong = Object.entries({ ...columns, ...written }).flatMap(([key, column]) => {
    const there = kept.get(sqlName(key))
    if (!there) return [`${key}: there is no such column`]
    const type = there.type === column.sqlType ? [] : [`${key}: is ${there.type}, not ${column.sqlType}`]
    return there.nullable === column.isNullable ? type : [...type, `${key}: may${there.nullable ? '' : ' not'} be null`]
  })
  const inserted = new Set([...Object.keys(columns).map(sqlName), ...Object.keys(filled)])
  const unfilled = rows.filter((row) => !row.nullable && !row.hasDefault && !inserted.has(row.name))
  return [...wrong, ...unfilled.map((row) => `${row.name}: an insert leaves it out`)]
}

describe('a declared table', () => {
  const tables = [...declaredTables()]

  test.each(tables.map((declared) => [declared.name, declared] as const))('%s is the one in the schema', async (_, declared) => {
    expect(await differences(declared)).toEqual([])
  })

  test('there are some, and what they say wrong is noticed', async () => {
    expect(tables.length).toBeGreaterThan(1)
    table('team.team', { id: nullable(uuid()), organizationId: text(), nickname: text(), name: integer() })
    table('team.label', { id: uuid() })
    const [planted, missing] = declaredTables().slice(-2) as [Declared, Declared]
    expect(await differences(planted)).toEqual([
      'id: may not be null',
      'organizationId: is uuid, not text',
      'nickname: there is no such column',
      'name: is text, not int4',
    ])
    expect(await differences(missing)).toEqual(['id: there is no such column'])
  })
})

describe.each([
  ['payments.credit_transfer', CREDIT_TRANSFER_STATUSES, CREDIT_TRANSFER_MOVES, 'payments'],
  ['feed.transaction', TRANSACTION_STATUSES, TRANSACTION_MOVES, 'feed'],
  ['payments.incoming_transfer', INCOMING_STATUSES, INCOMING_TRANSFER_MOVES, 'payments'],
] as const)('the states of %s', (name, states, moves, module) => {
  test('are those that its table allows', async () => {
    const { rows } = await test_.admin.query<{ text: string }>(
      `select pg_get_constraintdef(oid) as text from pg_constraint
        where conrelid = $1::regclass and contype = 'c' and pg_get_constraintdef(oid) ~ '^CHECK \\(\\(status = ANY'`,
      [name],
    )
    expect(rows).toHaveLength(1)
    const allowed = [...(rows[0]?.text ?? '').matchAll(/'([a-z_]+)'::text/g)].map((match) => match[1])
    expect(allowed.sort()).toEqual([...states].sort())
    expect(states).toEqual(expect.arrayContaining(statesOf(moves)))
  })

  test('are drawn in the README with every move', () => {
    const readme = readFileSync(join(import.meta.dirname, `../../src/modules/${module}/README.md`), 'utf8')
    expect(readme).toContain(drawMoves(moves))
    expect(readme).not.toContain(drawMoves({ ...moves, planted: { name: 'planted', from: ['pending'], to: 'lost' } }))
  })
})
