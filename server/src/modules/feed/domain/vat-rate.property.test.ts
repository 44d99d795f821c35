import assert from 'node:assert/strict'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allocate, EUR, money } from '../../../platform/money.ts'
import { formatVatRate, parseVatRate, vatIn } from './vat-rate.ts'

const SEED = Number(process.env.SEED ?? 20_260_302)
const cents = fc.bigInt({ min: 1n, max: 10n ** 13n })
const rates = fc.bigInt({ min: 0n, max: 100_000n }).map((thousandths) => ({ thousandths }))

test.each([
  ['20', 120_00n, 20_00n],
  ['5.5', 105_50n, 5_50n],
  ['2.1', 102_10n, 2_10n],
  ['8.125', 1_00n, 8n],
])('VAT of %s %% is reckoned from the rate as it is written', (percent, minor, vat) => {
  const rate = parseVatRate(percent)
  assert(rate)
  expect(vatIn(money(EUR, minor), rate).minor).toBe(vat)
  expect(formatVatRate(rate)).toBe(percent)
})

test.each(['', '-1', '5,5', '5.5555', '100.001', '1e1', 'NaN', '.5', '5.'])('“%s” is no rate', (text) => {
  expect(parseVatRate(text)).toBeUndefined()
})

test('a rate that is written and read again is the same', () =>
  fc.assert(
    fc.property(rates, (rate) => {
      expect(parseVatRate(formatVatRate(rate))).toEqual(rate)
    }),
    { seed: SEED },
  ))

test('a whole percentage gives the VAT that it gave when only whole ones were known', () =>
  fc.assert(
    fc.property(cents, fc.bigInt({ min: 0n, max: 100n }), (minor, percent) => {
      const amount = money(EUR, minor)
      expect(vatIn(amount, { thousandths: percent * 1_000n })).toEqual(allocate(amount, [100n, percent])[1])
    }),
    { seed: SEED },
  ))

test('VAT is the nearest cent to its share, and never more than the amount', () =>
  fc.assert(
    fc.property(cents, rates, (minor, rate) => {
      const vat = vatIn(money(EUR, minor), rate).minor
      const distance = vat * (100_000n + rate.thousandths) - minor * rate.thousandths
      expect(2n * (distance < 0n ? -distance : distance)).toBeLessThanOrEqual(100_000n + rate.thousandths)
      expect(vat).toBeLessThanOrEqual(minor)
    }),
    { seed: SEED },
  ))
