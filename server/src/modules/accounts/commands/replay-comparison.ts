import type { ReplayRow } from './replay-file.ts'

/** A row whose balance the ledger does not confirm, in minor units. */
export type Mismatch = {
  readonly row: number
  readonly account: string
  readonly expected: bigint
  readonly actual: bigint
}

export const isClose = (a: bigint, b: bigint, tolerance: bigint): boolean => (a > b ? a - b : b - a) <= tolerance

/**
 * What the account had before its first row: what the first row implies, if another of the first three implies the same. So one wrong
 * balance makes no opening, and hides none.
 */
export function openingOf(rows: readonly ReplayRow[], tolerance: bigint): bigint {
  const implied = impliedOpenings(rows)
  const [first = 0n, second, third] = implied
  if (isClose(first, 0n, tolerance) || second === undefined) return 0n
  if (isClose(first, second, tolerance)) return settle(first, implied, tolerance)
  if (third === undefined) return 0n
  if (isClose(first, third, tolerance)) return settle(first, implied, tolerance)
  return isClose(second, third, tolerance) && !isClose(second, 0n, tolerance) ? settle(second, implied, tolerance) : 0n
}

function impliedOpenings(rows: readonly ReplayRow[]): bigint[] {
  let moved = 0n
  return rows.map((row) => {
    moved += row.amount.minor
    return row.balanceAfter.minor - moved
  })
}

/**
 * A source that rounds its balances rounded the one that the opening was read from too: of all openings near it, the nearest that every
 * row can agree with. A row that is far off agrees with none and has no say.
 */
function settle(opening: bigint, implied: readonly bigint[], tolerance: bigint): bigint {
  let low = opening - tolerance
  let high = opening + tolerance
  for (const value of implied) {
    if (value + tolerance < low || value - tolerance > high) continue
    if (value - tolerance > low) low = value - tolerance
    if (value + tolerance < high) high = value + tolerance
  }
  return opening < low ? low : opening > high ? high : opening
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
