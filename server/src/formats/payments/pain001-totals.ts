import { equalDecimals, sumDecimals, unsignedDecimal } from '../statements/decimal.ts'
import type { InitiatedTransaction } from './pain001.ts'

/** A count as ISO writes it, up to 15 digits; undefined when it is none. */
export const countOf = (text: string): bigint | undefined => (/^\d{1,15}$/.test(text) ? BigInt(text) : undefined)

/**
 * The sum of all amounts whatever their currency, as CtrlSum is defined. Undefined when one of the amounts cannot be read: then no sum
 * can be right.
 */
export function sumOf(
  transactions: readonly InitiatedTransaction[],
): { text: string; equals: (written: string) => boolean } | undefined {
  const amounts = transactions.map((tx) => unsignedDecimal((tx.amount ?? tx.equivalentAmount)?.value ?? ''))
  if (!amounts.every((amount) => amount !== undefined)) return undefined
  const text = sumDecimals(amounts)
  return {
    text,
    equals: (written) => {
      const decimal = unsignedDecimal(written)
      return decimal !== undefined && equalDecimals(decimal, text)
    },
  }
}
