import { expect, test } from 'vitest'
import { addDays, fixedClock, localDateOf } from './clock.ts'

test('the banking day is the day in Central Europe, winter and summer', () => {
  expect(localDateOf(new Date('2026-01-15T22:59:59Z'))).toBe('2026-01-15')
  expect(localDateOf(new Date('2026-01-15T23:00:00Z'))).toBe('2026-01-16')
  expect(localDateOf(new Date('2026-07-15T22:00:00Z'))).toBe('2026-07-16')
})

test('adding days crosses months, years and leap days', () => {
  expect(addDays('2028-02-28', 1)).toBe('2028-02-29')
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  expect(addDays('2026-03-01', -1)).toBe('2026-02-28')
})

test('a fixed clock moves only when it is told to', () => {
  const clock = fixedClock('2026-03-01T08:00:00Z')
  expect(clock.now().toISOString()).toBe('2026-03-01T08:00:00.000Z')
  clock.advance(1_500)
  expect(clock.now().toISOString()).toBe('2026-03-01T08:00:01.500Z')
  clock.set('2027-01-01T00:00:00Z')
  expect(clock.now().getUTCFullYear()).toBe(2027)
})
