import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  add,
  allocate,
  compare,
  currency,
  EUR,
  formatDecimal,
  minorDigits,
  money,
  negate,
  parseDecimal,
  subtract,
} from './money.ts'

const MAX = 9_223_372_036_854_775_807n
const minor = fc.bigInt({ min: -MAX, max: MAX })
const code = fc.constantFrom('EUR', 'JPY', 'TND', 'CLF', 'CZK').map(currency)
const weights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 20 })
  .filter((w) => w.some((x) => x > 0n))

describe('money', () => {
  test('what is written is read back exactly, for every currency and up to the last unit of 64 bits', () => {
    fc.assert(
      fc.property(code, minor, (c, m) => {
        expect(parseDecimal(c, formatDecimal(money(c, m)))).toEqual(money(c, m))
      }),
    )
  })

  test('allocating neither makes nor loses a cent, and no part is further than one unit from its exact share', () => {
    fc.assert(
      fc.property(minor, weights, (total, w) => {
        const parts = allocate(money(EUR, total), w)
        expect(parts.reduce((a, p) => a + p.minor, 0n)).toBe(total)
        const sum = w.reduce((a, b) => a + b, 0n)
        parts.forEach((part, i) => {
          const difference = part.minor * sum - total * (w[i] ?? 0n)
          expect(difference < sum && difference > -sum).toBe(true)
          if (w[i] === 0n) expect(part.minor).toBe(0n)
        })
      }),
    )
  })

  test('adding and subtracting are inverse and ordered like the integers', () => {
    const small = fc.bigInt({ min: -(MAX / 2n), max: MAX / 2n })
    fc.assert(
      fc.property(small, small, (a, b) => {
        const x = money(EUR, a)
        const y = money(EUR, b)
        expect(subtract(add(x, y), y)).toEqual(x)
        expect(compare(x, y)).toBe(a < b ? -1 : a > b ? 1 : 0)
        expect(add(x, negate(x)).minor).toBe(0n)
      }),
    )
  })

  test('a decimal is read by its digits only', () => {
    expect(parseDecimal(EUR, '8.850')?.minor).toBe(885n)
    expect(parseDecimal(EUR, '0012')?.minor).toBe(1200n)
    expect(parseDecimal(EUR, '-0.05')?.minor).toBe(-5n)
    expect(parseDecimal(currency('JPY'), '12')?.minor).toBe(12n)
    expect(formatDecimal(money(EUR, -5n))).toBe('-0.05')
    expect(minorDigits(currency('TND'))).toBe(3)
  })

  test.each(['', '1e3', '0x1A', '1,5', '.5', '5.', '1.005', '--1', ' 1', 'NaN', 'Infinity', '92233720368547758.08', '1_000'])(
    'refuses %j as an amount in euros',
    (text) => expect(parseDecimal(EUR, text)).toBeUndefined(),
  )

  test('mixing currencies, overflow and an unknown code are bugs that stop the work', () => {
    expect(() => add(money(EUR, 1n), money(currency('CZK'), 1n))).toThrow('currencies mixed')
    expect(() => add(money(EUR, MAX), money(EUR, 1n))).toThrow('64 bits')
    expect(() => currency('eur')).toThrow('not a currency code')
  })
})
