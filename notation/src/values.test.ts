import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isCalendarDate, parseInstant } from './dates.ts'
import { formatUnits, parseUnits } from './decimal.ts'

describe('decimals', () => {
  test('come back as they were written, with every digit', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 25n), 10n ** 25n), fc.integer({ min: 0, max: 4 }), (units, digits) => {
        expect(parseUnits(formatUnits(units, digits), digits)).toBe(units)
      }),
    )
  })

  test.each([
    ['8.850', 885n],
    ['7', 700n],
    ['-0.05', -5n],
    ['+1.5', 150n],
  ])('%s is read', (text, units) => expect(parseUnits(text, 2)).toBe(units))

  test.each(['27.055', '', '.5', '1.', '1e3', '0x1A', '1,50', ' 1', '9'.repeat(31)])('%j may not be read', (text) =>
    expect(parseUnits(text, 2)).toBeUndefined(),
  )
})

describe('dates', () => {
  test.each(['2024-02-29', '0001-01-01', '9999-12-31'])('%s is a day', (text) => expect(isCalendarDate(text)).toBe(true))
  test.each(['2026-02-29', '2026-02-30', '2026-13-01', '2026-1-01', '2026-01-01T00:00:00Z', ''])('%j is none', (text) =>
    expect(isCalendarDate(text)).toBe(false),
  )
  test('instants of any offset compare as text', () => {
    expect(parseInstant('2026-03-10T10:00:00+01:00')).toBe('2026-03-10T09:00:00.000Z')
    expect(parseInstant('2026-03-10T09:00:00')).toBeUndefined()
    expect(parseInstant('2026-03-10T25:00:00Z')).toBeUndefined()
  })
})
