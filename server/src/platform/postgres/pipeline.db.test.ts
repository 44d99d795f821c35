import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asMember, testActor } from '../../../test/support/actors.ts'
import { makeCompany, type TestCompany } from '../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import type { Tx } from './database.ts'
import { textOf } from './pipeline.ts'

let db: TestDatabase
let own: TestCompany
let other: TestCompany
beforeAll(async () => {
  db = await createTestDatabase({ poolSize: 1 })
  own = await makeCompany(db.database, new Date('2026-01-01T00:00:00.000Z'))
  other = await makeCompany(db.database, new Date('2026-01-01T00:00:00.000Z'))
  await db.admin.query(
    `create table public.planted (n int); grant select, insert on public.planted to partita_app, partita_system`,
  )
})
afterAll(() => db.drop())

const read = <T>(work: (tx: Tx) => Promise<T>, options: { snapshot?: boolean; of?: TestCompany } = {}) =>
  db.database.read(asMember((options.of ?? own).id), work, { pipelined: true, snapshot: options.snapshot ?? false })
const organizations = async (tx: Tx) => (await tx.rows<{ id: string }>`select id from team.organization`).map(({ id }) => id)

describe('statements that travel together', () => {
  test('are answered each with its own rows, in groups and one after the other', async () => {
    const answers = await read(async (tx) => {
      const together = await Promise.all([
        tx.rows<{
          n: bigint
          at: Date
        }>`select n::bigint, timestamptz '2026-03-01 08:00:06.12+00' as at from generate_series(1, 2) n`,
        tx.one<{ text: string | null }>`select ${null}::text as text`,
        tx.maybe<{ one: number }>`select 1 as one where ${false}`,
        tx.query<{ sum: number }>('select $1::int + $2::int as sum', [1, 2]),
      ])
      return [...together, await tx.one<{ list: string[] }>`select ${['a', '"b\\', null]}::text[] as list`]
    })
    const at = new Date('2026-03-01T08:00:06.120Z')
    expect(answers).toEqual([
      [
        { n: 1n, at },
        { n: 2n, at },
      ],
      { text: null },
      undefined,
      [{ sum: 3 }],
      { list: ['a', '"b\\', null] },
    ])
  })

  test.each([{ snapshot: false }, { snapshot: true }])('see their member’s organization and no other: %o', async (options) => {
    expect(await read(organizations, options)).toEqual([own.id])
    expect(await read(organizations, { ...options, of: other })).toEqual([other.id])
    const twice = async (tx: Tx) => [await organizations(tx), await organizations(tx)]
    expect(await read(twice, options)).toEqual([[own.id], [own.id]])
  })

  test('leave no scope behind on their connection', async () => {
    await read(organizations)
    const left = await db.database.read(
      asMember(own.id),
      (tx) => tx.one<{ id: string }>`select current_setting('app.organization_id') as id`,
    )
    expect(left.id).toBe(own.id)
    expect(await read((tx) => tx.one`select current_setting('transaction_read_only') as it`)).toEqual({ it: 'on' })
    await db.database.transaction(asMember(own.id), (tx) => tx.run`insert into public.planted values (1)`)
  })

  test.each([{ snapshot: false }, { snapshot: true }])('may not write: %o', async (options) => {
    await expect(read((tx) => tx.run`insert into public.planted values (2)`, options)).rejects.toThrow(/read-only/)
    expect(await read(organizations, options)).toEqual([own.id])
  })

  test('of a snapshot see one moment, others each their own', async () => {
    const counts = (snapshot: boolean) =>
      read(
        async (tx) => {
          const count = () => tx.one<{ n: bigint }>`select count(*) as n from public.planted`
          const before = await count()
          await db.admin.query('insert into public.planted values (3)')
          return Number((await count()).n - before.n)
        },
        { snapshot },
      )
    expect(await counts(true)).toBe(0)
    expect(await counts(false)).toBe(1)
  })

  test('fail together, and the connection goes on; an error that is swallowed is a bug', async () => {
    const failing = (tx: Tx) =>
      Promise.all([tx.rows`select 1 as one`, tx.rows`select 1 / ${0}::int as n`, tx.rows`select 2 as two`])
    for (const snapshot of [false, true]) {
      await expect(read(failing, { snapshot })).rejects.toThrow(/division by zero/)
      await expect(read((tx) => failing(tx).catch(() => 'swallowed'), { snapshot })).rejects.toThrow(/swallowed/)
      expect(await read(async (tx) => [await tx.one`select 2 as two`, await organizations(tx)], { snapshot })).toEqual([
        { two: 2 },
        [own.id],
      ])
    }
  })

  test('a statement whose preparation failed is prepared anew', async () => {
    const late = (tx: Tx) => tx.rows`select n from public.late where n > ${0}`
    const badValue = (tx: Tx) => tx.rows`select ${'no number'}::int as n`
    await expect(read(late)).rejects.toThrow(/does not exist/)
    await expect(read(badValue)).rejects.toThrow(/invalid input/)
    await db.admin.query(
      'create table public.late (n int); grant select on public.late to partita_app; insert into public.late values (1)',
    )
    expect(await read(late)).toEqual([{ n: 1 }])
    await expect(read(badValue)).rejects.toThrow(/invalid input/)
  })

  test('the bank’s own reads see what their actor names', async () => {
    const all = await db.database.read(testActor, organizations, { pipelined: true })
    expect(all.length).toBeGreaterThanOrEqual(2)
    const named = { kind: 'system', as: 'platform.test', organizationIds: [other.id] } as const
    expect(await db.database.read(named, organizations, { pipelined: true })).toEqual([other.id])
    expect((await db.database.read(testActor, organizations, { pipelined: true })).length).toBe(all.length)
  })
})

test('what is no value of SQL is refused before it is sent', async () => {
  expect(() => textOf({ a: 1 })).toThrow(/not a value/)
  await expect(read((tx) => tx.rows`select ${{ a: 1 }} as it`)).rejects.toThrow(/not a value/)
  expect(await read(organizations)).toEqual([own.id])
})
