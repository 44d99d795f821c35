import { isClose, openingOf } from './replay-comparison.ts'
import type { ReplayRow } from './replay-file.ts'

/** A movement that an earlier replay posted. */
export type PostedMovement = { readonly date: string; readonly amountMinor: bigint; readonly balanceAfter: bigint }

/**
 * Where an account's rows begin in what was posted to it before: 0 when they tell its history from the start (the same file again, or a
 * longer or a shorter one), its length when they go on where it ends, between when they overlap it. Dates and amounts decide: what a
 * file says of balances and texts moves no money.
 *
 * @returns undefined when the rows tell another history.
 */
export function placeOf(
  rows: readonly ReplayRow[],
  posted: { readonly opening: bigint; readonly movements: readonly PostedMovement[] },
  tolerance: bigint,
): number | undefined {
  const moving = rows.filter((row) => row.amount.minor !== 0n)
  const agreesFrom = (place: number): boolean =>
    moving.slice(0, posted.movements.length - place).every((row, index) => {
      const there = posted.movements[place + index]
      return there?.date === row.date && there.amountMinor === row.amount.minor
    })
  if (moving.length > 0 && posted.movements.length > 0 && agreesFrom(0)) return 0

  const [first] = rows
  const before = [first ? first.balanceAfter.minor - first.amount.minor : 0n, openingOf(rows, tolerance)]
  for (let place = 0; place <= posted.movements.length; place++) {
    const balance = place === 0 ? posted.opening : (posted.movements[place - 1]?.balanceAfter ?? 0n)
    if (before.some((claimed) => isClose(claimed, balance, tolerance)) && agreesFrom(place)) return place
  }
  return undefined
}
