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
export function decimalNumber(amount: Money): JsonNumber {
  const text = formatDecimal(amount)
  if (!text.includes('.')) return JSON.rawJSON(text)
  let end = text.length
  while (text[end - 1] === '0') end--
  return JSON.rawJSON(text.slice(0, text[end - 1] === '.' ? end - 1 : end))
}

/** Minor units as a JSON integer. */
export const integerNumber = (minor: bigint): JsonNumber => JSON.rawJSON(minor.toString())
