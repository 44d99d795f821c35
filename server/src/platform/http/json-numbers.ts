import { formatDecimal, type Money } from '../money.ts'

declare global {
  interface JSON {
    /** Text that `JSON.stringify` writes as it is (ECMAScript proposal "JSON.parse source text access", in Node since 21). */
    rawJSON(text: string): object
  }
}

/** A number in an answer, written from exact digits: no binary fraction lies between the ledger and the wire. */
export type JsonNumber = object

/** `1250.40` as the JSON number `1250.4`, without decimals that say nothing, as the contract's samples have it. */
export const decimalNumber = (amount: Money): JsonNumber => JSON.rawJSON(withoutTrailingZeros(formatDecimal(amount)))

/** The same from digits of minor units, such as `125040` with two decimals. */
export function decimalText(minor: string, digits: number): string {
  if (digits === 0) return minor
  const isNegative = minor.startsWith('-')
  const padded = (isNegative ? minor.slice(1) : minor).padStart(digits + 1, '0')
  const point = padded.length - digits
  return withoutTrailingZeros(`${isNegative ? '-' : ''}${padded.slice(0, point)}.${padded.slice(point)}`)
}

/** A decimal without decimals that say nothing. */
export function withoutTrailingZeros(decimal: string): string {
  if (!decimal.includes('.')) return decimal
  let end = decimal.length
  while (decimal[end - 1] === '0') end--
  return decimal.slice(0, decimal[end - 1] === '.' ? end - 1 : end)
}

/** Minor units as a JSON integer. */
export const integerNumber = (minor: bigint): JsonNumber => JSON.rawJSON(minor.toString())
