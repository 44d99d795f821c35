import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { currency, money } from '../../../platform/money.ts'
import { compareRows, openingOf } from './replay-comparison.ts'
import type { ReplayRow } from './replay-file.ts'
import { placeOf } from './replay-place.ts'

const CZK = currency('CZK')
const SEED = Number(process.env.SEED ?? 20_260_302)

type History = { readonly opening: bigint; readonly rows: readonly ReplayRow[] }

/** An account's history and its own books: balances that follow from an opening and the amounts. */
const histories: fc.Arbitrary<History> = fc
  .record({
    opening: fc.bigInt({ min: -10_000n, max: 10_000n }),
    steps: fc.array(fc.record({ day: fc.integer({ min: 1, max: 5 }), minor: fc.bigInt({ min: -300n, max: 300n }) }), {
      minLength: 3,
      maxLength: 20,
    }),
  })
  .map(({ opening, steps }) => ({ opening, rows: rowsOf(opening, steps) }))

function rowsOf(opening: bigint, steps: readonly { day: number; minor: bigint }[]): ReplayRow[] {
  let balance = opening
  return steps.map(({ day, minor }, index) => {
    balance += minor
    const date = `2024-01-0${day}`
    return { row: index + 1, account: 'a', date, amount: money(CZK, minor), balanceAfter: money(CZK, balance), text: '' }
  })
}

/** What a replay of these rows leaves in the ledger. */
const postedOf = ({ opening, rows }: History) => ({
  opening,
  movements: rows
    .filter((row) => row.amount.minor !== 0n)
    .map((row) => ({ date: row.date, amountMinor: row.amount.minor, balanceAfter: row.balanceAfter.minor })),
})

const moves = (rows: readonly ReplayRow[]): number => rows.filter((row) => row.amount.minor !== 0n).length

const check = (property: fc.IProperty<[History, number]>) => fc.assert(property, { numRuns: 1_000, seed: SEED })

describe('a history', () => {
  test('opens with what it began with', () => {
    check(
      fc.property(histories, fc.nat(), ({ opening, rows }, _at) => {
        expect(openingOf(rows, 0n)).toBe(opening)
      }),
    )
  })

  test('that was posted in part is told from the start, and the part is found in the whole', () => {
    check(
      fc.property(histories, fc.nat(), ({ opening, rows }, at) => {
        const part = rows.slice(0, at % rows.length)
        expect(placeOf(rows, postedOf({ opening, rows: part }), 0n)).toBe(0)
        if (moves(part) > 0) expect(placeOf(part, postedOf({ opening, rows }), 0n)).toBe(0)
      }),
    )
  })

  test('is gone on with where its first part ends', () => {
    check(
      fc.property(histories, fc.nat(), ({ opening, rows }, at) => {
        const [before, after] = [rows.slice(0, at % rows.length), rows.slice(at % rows.length)]
        const place = placeOf(after, postedOf({ opening, rows: before }), 0n)
        // An overlap that agrees to the last row is the same history told again; else it goes on at the end.
        expect(place).toBeDefined()
        const overlap = postedOf({ opening, rows: before }).movements.slice(place)
        for (const [index, row] of after
          .filter((one) => one.amount.minor !== 0n)
          .slice(0, overlap.length)
          .entries())
          expect(overlap[index]).toMatchObject({ date: row.date, amountMinor: row.amount.minor })
      }),
    )
  })

  test('of which one amount is another, from another beginning, is another history', () => {
    check(
      fc.property(histories, fc.nat(), ({ opening, rows }, at) => {
        const index = at % rows.length
        const steps = rows.map((row, i) => ({
          day: Number(row.date.slice(-1)),
          minor: row.amount.minor + (i === index ? 1_000n : 0n),
        }))
        const changed = rowsOf(opening + 1_000_000n, steps)
        expect(placeOf(changed, postedOf({ opening, rows }), 0n)).toBeUndefined()
      }),
    )
  })

  test('with one wrong balance has one mismatch, and its opening stays what it was', () => {
    check(
      fc.property(histories, fc.nat(), ({ opening, rows }, at) => {
        const index = at % rows.length
        const wrong = rows.map((row, i) =>
          i === index ? { ...row, balanceAfter: money(CZK, row.balanceAfter.minor + 77n) } : row,
        )
        expect(openingOf(wrong, 0n)).toBe(opening)
        const balances = new Map(rows.filter((row) => row.amount.minor !== 0n).map((row) => [row.row, row.balanceAfter.minor]))
        const expected = (wrong[index] as ReplayRow).balanceAfter.minor
        expect(compareRows(wrong, balances, opening, 0n)).toEqual([
          { row: index + 1, account: 'a', expected, actual: expected - 77n },
        ])
      }),
    )
  })
})
