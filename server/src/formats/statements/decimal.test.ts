import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { currency, EUR } from '../../platform/money.ts'
import { formattedDate, swiftEntryDate } from './dates.ts'
import {
  canonicalDecimal,
  equalDecimals,
  negateDecimal,
  numberStyleOf,
  styledDecimal,
  sumDecimals,
  toMinor,
  unsignedDecimal,
} from './decimal.ts'

const decimal = fc.tuple(fc.boolean(), fc.nat(), fc.integer({ min: 0, max: 5 })).map(([negative, digits, scale]) => {
  const text = digits.toString().padStart(scale + 1, '0')
  const size = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`
  return negative ? negateDecimal(size) : size
})

describe('decimals', () => {
  test('are summed exactly', () => {
    expect(sumDecimals(['0.1', '0.2', '-0.30000'])).toBe('0.00000')
    expect(sumDecimals([])).toBe('0')
    fc.assert(
      fc.property(fc.array(decimal), (parts) => {
        const units = (text: string) => {
          const [whole = '', fraction = ''] = text.replace('-', '').split('.')
          const size = BigInt(whole + fraction.padEnd(5, '0'))
          return text.startsWith('-') ? -size : size
        }
        expect(units(sumDecimals(parts))).toBe(parts.reduce((sum, part) => sum + units(part), 0n))
        expect(equalDecimals(sumDecimals([...parts, ...parts.map(negateDecimal)]), '0')).toBe(true)
      }),
    )
  })

  test('compare by value and have one spelling for keys', () => {
    expect(equalDecimals('8.850', '8.85')).toBe(true)
    expect(equalDecimals('8.851', '8.85')).toBe(false)
    expect(['8.850', '8.00', '-0.00', '100', '0'].map(canonicalDecimal)).toEqual(['8.85', '8', '0', '100', '0'])
    expect(negateDecimal('0.00')).toBe('0.00')
  })

  test('become minor units without losing a digit', () => {
    expect(toMinor(EUR, '8.850')).toEqual({ ok: true, value: { currency: 'EUR', minor: 885n } })
    expect(toMinor(EUR, '-8.85')).toEqual({ ok: true, value: { currency: 'EUR', minor: -885n } })
    expect(toMinor(EUR, '8.855')).toEqual({ ok: false, refusal: 'amount_has_more_decimals' })
    expect(toMinor(EUR, '999999999999999999')).toEqual({ ok: false, refusal: 'amount_too_large' })
    expect(toMinor(currency('JPY'), '8.0')).toEqual({ ok: true, value: { currency: 'JPY', minor: 8n } })
    expect(toMinor(currency('JPY'), '8.5')).toEqual({ ok: false, refusal: 'amount_has_more_decimals' })
  })

  test.each(['', '.', '+', '-1', '1e3', '1,5', '1 5', '0x1', '١', '1.2.3', ' 1', '1'.repeat(19)])(
    '%j is not an unsigned decimal',
    (text) => {
      expect(unsignedDecimal(text)).toBeUndefined()
    },
  )

  test.each([
    ['12,50-', '-12.50'],
    ['(12,50)', '-12.50'],
    ['\u221212,50', '-12.50'],
    ['- 12,50', '-12.50'],
    ['1.234.567,89', '1234567.89'],
    ['12.34,50', undefined],
    ['1.2345,50', undefined],
    ['12,50-5', undefined],
    ['-12,50-', undefined],
    ['', undefined],
    ['-', undefined],
  ])('%j in German style is %j', (text, expected) => {
    expect(styledDecimal(text, { decimal: ',', thousands: '.' })).toBe(expected)
  })

  test('show their own style', () => {
    expect(numberStyleOf(['1.234,56', '5']).style).toEqual({ decimal: ',', thousands: '.' })
    expect(numberStyleOf(["1'234.56"]).style).toEqual({ decimal: '.', thousands: "'" })
    expect(numberStyleOf(['1 234,56']).style).toEqual({ decimal: ',', thousands: ' ' })
    expect(numberStyleOf(['1.234', '2.000']).ambiguous).toBe(true)
    expect(numberStyleOf(['1.234.000', '2.000'])).toEqual({ style: { decimal: ',', thousands: '.' }, ambiguous: false })
  })
})

describe('dates', () => {
  test('that their month does not have become its last day', () => {
    expect(formattedDate('30.02.2024', 'DD.MM.YYYY')).toEqual({ date: '2024-02-29', corrected: true })
    expect(formattedDate('31/4/2026', 'DD/MM/YYYY')).toEqual({ date: '2026-04-30', corrected: true })
    expect(formattedDate('2026-01-31T10:00:00Z', 'YYYY-MM-DD')).toEqual({ date: '2026-01-31', corrected: false })
  })

  test.each([['32.01.2026'], ['01.13.2026'], ['00.01.2026'], ['1.1.26'], ['']])('%j is none', (text) => {
    expect(formattedDate(text, 'DD.MM.YYYY')).toBeUndefined()
  })

  test('of an entry stand next to the value date', () => {
    expect(swiftEntryDate('0229', '2023-03-01')).toEqual({ date: '2023-02-28', corrected: true })
    expect(swiftEntryDate('1231', '2026-01-02')?.date).toBe('2025-12-31')
  })
})
