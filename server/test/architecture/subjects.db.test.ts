import { afterAll, beforeAll, expect, test } from 'vitest'
import { listSources } from '../../../tools/source-files.ts'
import { partita } from '../../src/bank.ts'
import { systemActor } from '../../src/platform/actor.ts'
import type { Id } from '../../src/platform/ids.ts'
import { ref } from '../../src/platform/subject.ts'
import { createDemoDatabase, type DemoDatabase } from '../support/demo.ts'

let db: DemoDatabase
beforeAll(async () => {
  db = await createDemoDatabase()
})
afterAll(() => db.drop())

type Row = { kind: string; id: Id<string>; organization_id: Id<'organization'>; amount: string }
const rows = async (): Promise<Row[]> =>
  (
    await db.admin.query(`
      select distinct on (subject_kind, side) subject_kind as kind, subject_id as id, organization_id, (amount_minor / 100.0)::numeric(20, 2)::text as amount
        from feed.transaction order by subject_kind, side, number`)
  ).rows

test('every kind that a source file speaks of is registered by a module', () => {
  const product = listSources().filter(({ path }) => path.startsWith('server/src/') && !path.endsWith('.test.ts'))
  const kinds = product.flatMap(({ text }) => [...text.matchAll(/\bref\('([a-z_]+)'/g)].map((match) => match[1]))
  expect(kinds.length).toBeGreaterThan(5)
  expect(kinds.filter((kind) => !partita.subjects.kinds.includes(kind as string))).toEqual([])
})

test('what stands in the feed of the demo company is described with its amount', async () => {
  const told = await rows()
  expect(told.length).toBeGreaterThan(3)
  const described = await db.database.read(systemActor('test.subjects'), (tx) =>
    partita.subjects.describe(
      tx,
      told.map(({ kind, id }) => ref(kind, id)),
    ),
  )
  for (const { kind, id, amount } of told) expect(described.get(`${kind}/${id}`)?.title, kind).toContain(`${amount} EUR`)
})

test('whoever may not see a subject is told nothing of it', async () => {
  const [row] = await rows()
  if (!row) throw new Error('the demo company has no feed')
  const elsewhere = systemActor('test.subjects', ['01900000-0000-7000-8000-000000000000' as Id<'organization'>])
  const own = systemActor('test.subjects', [row.organization_id])
  const describe = (actor: typeof own) => db.database.read(actor, (tx) => partita.subjects.describe(tx, [ref(row.kind, row.id)]))
  expect((await describe(own)).size).toBe(1)
  expect((await describe(elsewhere)).size).toBe(0)
})
