import { formatUnits, parseUnits } from '@partita/notation/decimal'
import { assert } from './assert.ts'

declare const currencyBrand: unique symbol

/** An ISO 4217 alphabetic code, for example `EUR`. Made by `currency()` only, so it is always three capital letters. */
export type Currency = string & { readonly [currencyBrand]: true }

/** An exact amount, counted in minor units: EUR 12.34 is `{ currency: 'EUR', minor: 1234n }`. May be negative. */
export type Money = Readonly<{ currency: Currency; minor: bigint }>

// ISO 4217 list one, column CcyMnrUnts: the codes whose minor unit is not 2.
const MINOR_DIGITS: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
  CLF: 4, UYW: 4,
} // biome-ignore format: a table reads better than one code per line

/** PostgreSQL's bigint, which every stored amount must fit. */
const MINOR_MAX = 9_223_372_036_854_775_807n

/** Reads a currency code. @throws Bug when it is not three capital letters: callers check foreign input with `isCurrency` first. */
export function currency(code: string): Currency {
  assert(isCurrency(code), `not a currency code: ${code}`)
  return code
}

export const isCurrency = (code: string): code is Currency => /^[A-Z]{3}$/.test(code)

export const EUR = currency('EUR')

/** How many decimals the currency has: EUR 2, JPY 0, TND 3. */
export const minorDigits = (code: Currency): number => MINOR_DIGITS[code] ?? 2

export function money(code: Currency, minor: bigint): Money {
  assert(minor <= MINOR_MAX && minor >= -MINOR_MAX, 'amount does not fit 64 bits')
  return { currency: code, minor }
}

export function add(a: Money, b: Money): Money {
  assert(a.currency === b.currency, 'currencies mixed') // our bug, never the caller's input
  return money(a.currency, a.minor + b.minor)
}

export const negate = (a: Money): Money => money(a.currency, -a.minor)

export const subtract = (a: Money, b: Money): Money => add(a, negate(b))

/** Sign of `a - b`. */
export function compare(a: Money, b: Money): -1 | 0 | 1 {
  assert(a.currency === b.currency, 'currencies mixed')
  return a.minor < b.minor ? -1 : a.minor > b.minor ? 1 : 0
}

/**
 * Splits `total` in proportion to `weights`, keeping every cent: each part is rounded towards zero, then the units left over go
 * one by one to the parts that lost the largest fraction, earlier parts first (largest remainder method).
 *
 * @param weights at least one, none negative, not all zero.
 */
export function allocate(total: Money, weights: readonly bigint[]): Money[] {
  const sum = weights.reduce((a, b) => a + b, 0n)
  assert(weights.length > 0 && sum > 0n && weights.every((w) => w >= 0n), 'weights must be positive')
  const sign = total.minor < 0n ? -1n : 1n
  const size = total.minor * sign
  const shares = weights.map((w, index) => ({ index, minor: (size * w) / sum, remainder: (size * w) % sum }))
  const left = Number(size - shares.reduce((a, s) => a + s.minor, 0n)) // fewer than weights.length units
  const byRemainder = [...shares].sort((a, b) =>
    a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1,
  )
  for (const share of byRemainder.slice(0, left)) share.minor += 1n
  return shares.map((s) => money(total.currency, s.minor * sign))
}

/**
 * Reads a decimal such as `12.5`, `-0.05` or `7` exactly, by digits. Trailing zeros beyond the currency's decimals are accepted
 * (`8.850` EUR is 8.85), a lost digit is not.
 * @returns undefined when the text is not a plain decimal, has too many decimals, or does not fit 64 bits.
 */
export function parseDecimal(code: Currency, text: string): Money | undefined {
  const minor = parseUnits(text, minorDigits(code))
  return minor === undefined || minor > MINOR_MAX || minor < -MINOR_MAX ? undefined : money(code, minor)
}

/** Writes the amount as a decimal with all of the currency's decimals: `-0.05`, `12.50`, JPY `7`. */
export const formatDecimal = (amount: Money): string => formatUnits(amount.minor, minorDigits(amount.currency))
