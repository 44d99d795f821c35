/** A stream of choices that the same seed always makes again (mulberry32). Not for secrets. */
export type Random = {
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number
  pick<T>(items: readonly T[]): T
  chance(percent: number): boolean
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const integer = (min: number, max: number) => min + (next() % (max - min + 1))
  return {
    integer,
    pick: <T>(items: readonly T[]) => items[integer(0, items.length - 1)] as T,
    chance: (percent) => integer(1, 100) <= percent,
  }
}
