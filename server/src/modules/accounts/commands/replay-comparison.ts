import type { ReplayRow } from './replay-file.ts'

/** A row whose balance the ledger does not confirm, in minor units. */
export type Mismatch = {
  readonly row: number
  readonly account: string
  readonly expected: bigint
  readonly actual: bigint
}

const isClose = (a: bigint, b: bigint, tolerance: bigint): boolean => (a > b ? a - b : b - a) <= tolerance

/**
 * What the account had before its first row: what the first row implies, if another of the first three implies the same. So one wrong
 * balance makes no opening, and hides none.
 */
export function openingOf(rows: readonly ReplayRow[], tolerance: bigint): bigint {
  let moved = 0n
  const [first = 0n, second, third] = rows.slice(0, 3).map((row) => {
    moved += row.amount.minor
    return row.balanceAfter.minor - moved
  })
  if (isClose(first, 0n, tolerance) || second === undefined) return 0n
  if (isClose(first, second, tolerance)) return first
  if (third === undefined) return 0n
  if (isClose(first, third, tolerance)) return first
  return isClose(second, third, tolerance) && !isClose(second, 0n, tolerance) ? second : 0n
}

/**
 * Compares one account's rows, in their order, with the ledger's balances (by row number; rows of zero have none, and keep the balance
 * of their neighbours).
 *
 * @param start the account's balance when none of its rows moved anything.
 */
export function compareRows(
  rows: readonly ReplayRow[],
  balances: ReadonlyMap<number, bigint>,
  start: bigint,
  tolerance: bigint,
): Mismatch[] {
  const first = rows.find((row) => balances.has(row.row))
  let balance = first ? (balances.get(first.row) ?? start) - first.amount.minor : start
  const mismatches: Mismatch[] = []
  for (const { row, account, balanceAfter } of rows) {
    balance = balances.get(row) ?? balance
    if (!isClose(balance, balanceAfter.minor, tolerance))
      mismatches.push({ row, account, expected: balanceAfter.minor, actual: balance })
  }
  return mismatches
}
