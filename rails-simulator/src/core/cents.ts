import { formatUnits, parseUnits } from '@partita/notation/decimal'

/** Reads a decimal amount in euro as cents: `12.5` is 1250n. Undefined when malformed, negative or finer than a cent. */
export const parseCents = (text: string): bigint | undefined =>
  /^\d{1,16}(\.\d{1,10})?$/.test(text) ? parseUnits(text, 2) : undefined

/** Cents as a decimal with two places. */
export const formatCents = (cents: bigint): string => formatUnits(cents, 2)
