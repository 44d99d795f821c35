import { Type } from 'typebox'
import { beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../ids.ts'
import { CurrencyCode, checkEventsWhenMade, DecimalText, defineEvent, Nullable, Text, Uuid } from './definition.ts'

beforeAll(checkEventsWhenMade)

const moved = defineEvent(
  'test.money_moved.v1',
  Type.Object({
    id: Uuid('the movement'),
    amount: DecimalText('how much'),
    currency: CurrencyCode(),
    note: Nullable(Text('why')),
  }),
  { aggregate: 'id', describe: 'Money moved.' },
)
const id = newId()
const context = { organizationId: null, occurredAt: new Date(0) }

describe('a definition of an event', () => {
  test('makes the fact: topic and aggregate follow from it', () => {
    const payload = { id, amount: '12.34', currency: 'EUR', note: null }
    expect(moved.of(payload, context)).toEqual({
      topic: 'test',
      type: 'test.money_moved.v1',
      aggregateId: id,
      payload,
      ...context,
    })
  })

  test.each([
    ['a number for an amount', { id, amount: 12.34, currency: 'EUR', note: null }, '/amount must be string'],
    ['an amount with an exponent', { id, amount: '1e3', currency: 'EUR', note: null }, '/amount must match pattern'],
    ['an id that is none', { id: 'x', amount: '1', currency: 'EUR', note: null }, '/id must match format'],
    ['a missing field', { id, amount: '1', currency: 'EUR' }, 'required'],
    ['no object', null, 'must be object'],
  ])('finds %s', (_, payload, problem) => {
    expect(moved.problemOf(payload)).toContain(problem)
  })

  test('takes fields that it does not know, since a later release may add some', () => {
    expect(moved.problemOf({ id, amount: '1', currency: 'EUR', note: null, added: true })).toBeUndefined()
  })

  test('in tests refuses to make what does not fit it, and what it does not declare', () => {
    const payload = { id, amount: '1', currency: 'EUR', note: null }
    expect(() => moved.of({ ...payload, currency: 'euro' }, context)).toThrow('test.money_moved.v1: /currency')
    expect(() => moved.of({ ...payload, secret: 1 } as never, context)).toThrow('does not declare secret')
  })

  test.each(['moved', 'test.moved', 'Test.moved.v1', 'test.moved.v0'])('refuses the name %s', (name) => {
    expect(() => defineEvent(name, Type.Object({ id: Uuid('') }), { aggregate: 'id', describe: '' })).toThrow(
      'no name of an event',
    )
  })
})
