import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import * as binary from './binary-arrays.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase({ poolSize: 1 })
})
afterAll(() => db.drop())

const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\u0000', '').toWellFormed())
const instant = fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })

test('what PostgreSQL reads is what was written, gaps included', async () => {
  const columns = fc.record({
    ids: fc.array(fc.option(fc.uuid())),
    texts: fc.array(fc.option(text)),
    amounts: fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))),
    times: fc.array(fc.option(instant)),
    bytes: fc.array(fc.uint8Array().map((value) => Buffer.from(value))),
    flags: fc.array(fc.boolean()),
  })
  await fc.assert(
    fc.asyncProperty(columns, ({ ids, texts, amounts, times, bytes, flags }) =>
      db.database.read(testActor, async (tx) => {
        const read = await tx.one`
          select to_jsonb(${binary.uuidArray(ids)}::uuid[]) as ids, to_jsonb(${binary.textArray(texts)}::text[]) as texts,
                 to_jsonb(${binary.int8Array(amounts)}::bigint[]::text[]) as amounts,
                 ${binary.timestamptzArray(times)}::timestamptz[] as times, ${binary.byteaArray(bytes)}::bytea[] as bytes,
                 ${binary.boolArray(flags)}::boolean[] as flags`
        const written = { ids, texts, amounts: amounts.map((n) => n?.toString() ?? null), times, bytes, flags }
        expect(read).toEqual(written)
      }),
    ),
    { numRuns: 60 },
  )
})

test.each([
  '',
  'x',
  '0197f2c4-0000-7000-8000-00000000000',
  '0197f2c4-0000-7000-8000-00000000000g',
  '0197f2c4-0000-7000-8000-00000000000é',
])('what is no UUID is not sent: %j', (value) => {
  expect(() => binary.uuidArray([value])).toThrow('not a UUID')
})
