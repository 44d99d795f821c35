import fc from 'fast-check'
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { requestHash } from '../idempotency.ts'
import { hashOfDeclared } from './idempotency-key.ts'

const Body = Type.Object({
  order: Type.Object({
    iban: Type.String(),
    note: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    lines: Type.Optional(Type.Array(Type.Object({ amount: Type.String(), count: Type.Optional(Type.Integer()) }))),
  }),
})
const hashOf = hashOfDeclared(Body)

const short = fc.string({ maxLength: 3 })
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const body = fc.record({
  order: fc.record(
    {
      iban: short,
      note: fc.oneof(short, fc.constant(null)),
      lines: fc.array(fc.record({ amount: short, count: fc.integer({ min: 0, max: 2 }) }, { requiredKeys: ['amount'] }), {
        maxLength: 3,
      }),
    },
    { requiredKeys: ['iban'] },
  ),
})

/** The same body, with its fields in another order and with fields that nobody declared. */
const reworded = (value: unknown, extra: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => reworded(item, extra))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, reworded(inner, extra)])
  return Object.fromEntries([['undeclared', extra], ...entries.reverse()])
}

describe('the hash of a request', () => {
  test('does not change with the order of fields, nor with fields that are not read', () => {
    fc.assert(
      fc.property(body, optional(fc.jsonValue()), (one, extra) => {
        expect(hashOf(reworded(one, extra))).toEqual(hashOf(one))
      }),
    )
  })

  test('is another one for every other request', () => {
    // Null and absent mean the same to whoever reads them.
    const isThere = ([, inner]: [string, unknown]) => inner !== null
    const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1)
    const meaning = (one: unknown) =>
      JSON.stringify(one, (_, value) =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).filter(isThere).sort(byName))
          : value,
      )
    fc.assert(
      fc.property(body, body, (one, other) => {
        expect(hashOf(one).equals(hashOf(other))).toBe(meaning(one) === meaning(other))
      }),
      { numRuns: 2_000 },
    )
  })

  test('is what the release before stored for an internal transfer', () => {
    const fields = { debit_iban: 'A', credit_iban: 'B', reference: 'r', amount: '1.00', currency: 'EUR' }
    const strings = Object.fromEntries(Object.keys(fields).map((name) => [name, Type.String()]))
    const schema = Type.Object({ internal_transfer: Type.Object(strings) })
    expect(hashOfDeclared(schema)({ internal_transfer: fields })).toEqual(
      requestHash(JSON.stringify(['A', 'B', 'r', '1.00', 'EUR'])),
    )
  })
})
