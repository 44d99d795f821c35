import { describe, expect, test } from 'vitest'
import { HttpRefusal } from './api-error.ts'
import {
  boolean,
  defineQuery,
  instants,
  listOf,
  oneOf,
  openListOf,
  paging,
  parseInstant,
  parseQueryString,
  sortBy,
  text,
} from './query.ts'

const query = defineQuery({
  status: listOf(['pending', 'declined', 'completed'], ['completed'], ''),
  operation_type: openListOf(['card'], ''),
  side: oneOf(['credit', 'debit'], ''),
  with_attachments: boolean(undefined, ''),
  iban: text(''),
  sort_by: sortBy(['settled_at', 'updated_at'], 'settled_at', 'desc'),
  ...instants('updated_at'),
  ...paging,
})
const read = (queryString: string) => query.read(parseQueryString(queryString))
const problemsOf = (queryString: string) => {
  try {
    read(queryString)
  } catch (error) {
    if (error instanceof HttpRefusal) return error.errors
    throw error
  }
  return []
}

test('nothing given is every default', () => {
  expect(read('')).toMatchObject({
    status: ['completed'],
    operation_type: [],
    page: 1,
    per_page: 100,
    sort_by: { by: 'settled_at', direction: 'desc' },
  })
  expect(read('').side).toBeUndefined()
})

test.each([
  'status=pending&status=declined',
  'status[]=pending&status[]=declined',
  'status%5B%5D=pending&status%5B%5D=declined',
  'status[0]=pending&status[1]=declined',
  'status=pending,declined',
  'status[]=pending,declined',
  'status=pending&status[]=declined',
  'status[]=pending&status[]=declined&status[]=pending',
  'status=pending%2Cdeclined',
  'status=pending, declined',
])('an array filter may be written %s', (queryString) => {
  expect(read(queryString).status).toEqual(['pending', 'declined'])
})

test('what is given empty counts as absent', () => {
  expect(read('status=&side=&page=&per_page=&sort_by=&iban=&updated_at_from=&with_attachments=')).toEqual(read(''))
})

test('booleans are text', () => {
  expect(read('with_attachments=true').with_attachments).toBe(true)
  expect(read('with_attachments=false').with_attachments).toBe(false)
})

test('a value that an open list does not know is no mistake', () => {
  expect(read('operation_type[]=teleport').operation_type).toEqual(['teleport'])
})

test('unknown parameters are ignored, also those named like parts of an object', () => {
  expect(read('__proto__=1&constructor=2&toString=3&foo[bar]=4')).toEqual(read(''))
})

describe.each([
  ['status=open', 'not_in_list', 'status must be one of: pending, declined, completed'],
  ['status[]=pending&status[]=open', 'not_in_list', 'status must be one of: pending, declined, completed'],
  ['side=left', 'not_in_list', 'side must be one of: credit, debit'],
  ['with_attachments=1', 'not_in_list', 'with_attachments must be one of: true, false'],
  ['page=0', 'invalid', 'page must be a number between 1 and 999999999'],
  ['page=-1', 'invalid', 'page must be a number between 1 and 999999999'],
  ['page=1.5', 'invalid', 'page must be a number between 1 and 999999999'],
  ['page=1e3', 'invalid', 'page must be a number between 1 and 999999999'],
  ['page=99999999999999999999', 'invalid', 'page must be a number between 1 and 999999999'],
  ['per_page=101', 'invalid', 'per_page must be a number between 1 and 100'],
  ['per_page=0', 'invalid', 'per_page must be a number between 1 and 100'],
  ['per_page=NaN', 'invalid', 'per_page must be a number between 1 and 100'],
  ['sort_by=amount:asc', 'not_in_list', 'sort_by must be one of: settled_at, updated_at'],
  ['sort_by=settled_at:up', 'not_in_list', 'sort_by direction must be one of: asc, desc'],
  ['sort_by=settled_at:asc:desc', 'not_in_list', 'sort_by direction must be one of: asc, desc'],
  ['updated_at_from=yesterday', 'invalid', 'updated_at_from is not a valid date'],
  ['updated_at_to=2026-02-30', 'invalid', 'updated_at_to is not a valid date'],
  ['iban=FR%00', 'invalid', 'iban is invalid'],
])('%s', (queryString, code, detail) => {
  test('is refused and names its parameter', () => {
    expect(problemsOf(queryString)).toEqual([{ code, detail, source: { parameter: queryString.split(/[[=]/)[0] } }])
  })
})

test('every problem is told at once', () => {
  expect(problemsOf('page=0&side=left&updated_at_from=x').map((e) => e.code)).toEqual(['not_in_list', 'invalid', 'invalid'])
})

describe('times', () => {
  test.each([
    ['2019-01-10T11:47:53.123Z', '2019-01-10T11:47:53.123Z'],
    ['2019-01-10T11:47:53Z', '2019-01-10T11:47:53.000Z'],
    ['2019-01-10T11:47Z', '2019-01-10T11:47:00.000Z'],
    ['2019-01-10 11:47:53', '2019-01-10T11:47:53.000Z'],
    ['2019-01-10T11:47:53.123000Z', '2019-01-10T11:47:53.123Z'],
    ['2019-01-10T11Z', '2019-01-10T11:00:00.000Z'],
    ['20190110T114753Z', '2019-01-10T11:47:53.000Z'],
    ['20190110T114753.5+0100', '2019-01-10T10:47:53.500Z'],
    ['20190110', '2019-01-10T00:00:00.000Z'],
    ['2022-03-04T17:58:30+02:00', '2022-03-04T15:58:30.000Z'],
    ['2022-03-04T17:58:30 02:00', '2022-03-04T15:58:30.000Z'],
    ['2022-03-04T01:00:00-0530', '2022-03-04T06:30:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('%s is %s', (value, instant) => {
    expect(parseInstant(value, 'from')?.toISOString()).toBe(instant)
  })

  test('what is finer than a millisecond does not widen the range', () => {
    expect(parseInstant('2019-01-10T11:47:53.123456Z', 'from')?.toISOString()).toBe('2019-01-10T11:47:53.124Z')
    expect(parseInstant('2019-01-10T11:47:53.123456Z', 'to')?.toISOString()).toBe('2019-01-10T11:47:53.123Z')
    expect(parseInstant('2019-01-10T23:59:59.9999Z', 'from')?.toISOString()).toBe('2019-01-11T00:00:00.000Z')
  })

  test('a date alone is the whole day: its end is inclusive', () => {
    expect(parseInstant('2026-03-31', 'to')?.toISOString()).toBe('2026-03-31T23:59:59.999Z')
  })

  test.each([
    '',
    'now',
    '2026',
    '2026-1101',
    '202601',
    '2026-13-01',
    '2026-00-01',
    '2025-02-29',
    '2026-01-01T24:00:00Z',
    '2026-01-01T10:60:00Z',
    '0000-01-01',
    '1767225600',
    '2026-01-01T10:00:00+25:00',
  ])('%j is none', (value) => {
    expect(parseInstant(value, 'from')).toBeUndefined()
  })
})

test('a value that may stand once is refused when it stands twice, a list may repeat', () => {
  const query = defineQuery({ ...paging, status: listOf(['a', 'b'], [], 'Only these.') })
  const read = (text: string) => query.read(parseQueryString(text))
  expect(() => read('page=1&page=2')).toThrow(HttpRefusal)
  expect(() => read('page=1&page[]=1')).toThrow(HttpRefusal)
  expect(read('status=a&status[]=b&page=2')).toMatchObject({ status: ['a', 'b'], page: 2 })
  expect(read('page=&page=2')).toMatchObject({ page: 2 })
})
