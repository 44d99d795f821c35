import { expect, test } from 'vitest'
import { event } from '../../test/support/events.ts'
import { systemActor } from './actor.ts'
import { newId } from './ids.ts'
import type { Tx } from './postgres/database.ts'
import { type AnyWriter, publishingWriter, write, writeAll, writer } from './write.ts'

const ctx = { actor: systemActor('test.write'), now: new Date('2026-03-02T09:00:00Z') }

/** A kind of row that is noted instead of written. */
function noting(into: unknown[], name: string, after: readonly AnyWriter[] = []) {
  return writer<string>(name, async (_ctx, _tx, rows) => into.push([name, ...rows]), after)
}

test('each kind of row is written once, with the rows of all in their order', async () => {
  const written: unknown[] = []
  const [a, b] = [noting(written, 'a'), noting(written, 'b')]
  await writeAll(ctx, {} as Tx, [write(a, ['1']), write(b, ['2']), write(a, ['3', '4'])])
  expect(written).toEqual([
    ['a', '1', '3', '4'],
    ['b', '2'],
  ])
})

test('rows that others point to are written before them, whoever came first', async () => {
  const written: unknown[] = []
  const file = noting(written, 'file')
  const transfer = noting(written, 'transfer', [file])
  const note = noting(written, 'note', [transfer])
  await writeAll(ctx, {} as Tx, [write(note, ['n']), write(transfer, ['t']), write(file, ['f'])])
  expect(written).toEqual([
    ['file', 'f'],
    ['transfer', 't'],
    ['note', 'n'],
  ])
})

test('nothing is written for no row', async () => {
  const written: unknown[] = []
  await writeAll(ctx, {} as Tx, [write(noting(written, 'a'), [])])
  expect(written).toEqual([])
})

test('what is to be published of the rows is answered, whoever wrote them', async () => {
  const told = publishingWriter<number>('told', async (_ctx, _tx, rows) => rows.map((n) => event(newId(), n)))
  const events = await writeAll(ctx, {} as Tx, [write(told, [1]), write(noting([], 'silent'), ['a']), write(told, [2])])
  expect(events.map((e) => e.payload.n)).toEqual([1, 2])
})
