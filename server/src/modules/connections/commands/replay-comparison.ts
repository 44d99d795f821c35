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
 *
 * @param startsMidway whether the file is known to begin in the middle of histories, see `startsMidway`: then the first row is believed
 *   where nothing confirms it, as in an account of one row.
 */
export function openingOf(rows: readonly ReplayRow[], tolerance: bigint, startsMidway = false): bigint {
  const implied = impliedOpenings(rows)
  const [first = 0n, second, third] = implied
  const confirms = (other: bigint | undefined): boolean => other !== undefined && isClose(first, other, tolerance)
  if (isClose(first, 0n, tolerance)) return 0n
  if (confirms(second) || confirms(third)) return settle(first, implied, tolerance)
  if (second !== undefined && third !== undefined && isClose(second, third, tolerance))
    return isClose(second, 0n, tolerance) ? 0n : settle(second, implied, tolerance)
  const somebodySaysZero = [second, third].some((other) => other !== undefined && isClose(other, 0n, tolerance))
  return startsMidway && !somebodySaysZero ? settle(first, implied, tolerance) : 0n
}

/** Whether some account of the file surely had something before its first row. */
export const startsMidway = (accounts: readonly (readonly ReplayRow[])[], tolerance: bigint): boolean =>
  accounts.some((rows) => openingOf(rows, tolerance) !== 0n)

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
