import fc from 'fast-check'
import { expect, test } from 'vitest'
import { currency, EUR, money, parseDecimal } from '../money.ts'
import { decimalNumber, integerNumber } from './json-numbers.ts'

const write = (minor: bigint, code = EUR) => JSON.stringify(decimalNumber(money(code, minor)))

test.each([
  [125_040n, '1250.4'],
  [43n, '0.43'],
  [100n, '1'],
  [0n, '0'],
  [-5n, '-0.05'],
  [-100_000n, '-1000'],
  [9_223_372_036_854_775_807n, '92233720368547758.07'],
])('%s cents are the number %s', (minor, text) => {
  expect(write(minor)).toBe(text)
})

test('a currency without decimals has none, one with three has three', () => {
  expect(write(1_200n, currency('JPY'))).toBe('1200')
  expect(write(1_205n, currency('TND'))).toBe('1.205')
})

test('every amount is written as valid JSON that reads back exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -9_223_372_036_854_775_807n, max: 9_223_372_036_854_775_807n }), (minor) => {
      const text = write(minor)
      expect(text).toMatch(/^-?(0|[1-9]\d*)(\.\d?[1-9])?$/)
      expect(parseDecimal(EUR, text)?.minor).toBe(minor)
      expect(JSON.stringify(integerNumber(minor))).toBe(minor.toString())
    }),
    { numRuns: 2_000 },
  )
})
