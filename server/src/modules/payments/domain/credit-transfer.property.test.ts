import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CREDIT_TRANSFER_MOVES,
  CREDIT_TRANSFER_STATUSES,
  type CreditTransferStatus,
  decideStatusReport,
  isFinal,
  type StatusEffect,
} from './credit-transfer.ts'

/** Where each effect leaves a transfer, and what it does to the money: held by us, in clearing, gone, or back with the debtor. */
const NEXT: Record<StatusEffect, CreditTransferStatus | 'same'> = {
  nothing: 'same',
  contradiction: 'same',
  accept: 'accepted',
  settle: 'settled',
  accept_and_settle: 'settled',
  reject: 'rejected',
  reject_accepted: 'rejected',
  settle_after_rejection: 'settled',
}

const report = fc.constantFrom('RCVD', 'PDNG', 'ACTC', 'ACCP', 'ACSP', 'ACWC', 'ACSC', 'ACCC', 'RJCT', 'CANC', 'XXXX')
const status = fc.constantFrom(...CREDIT_TRANSFER_STATUSES)

/** Applies reports to a submitted transfer and books what they do, as the ledger would. */
function run(reports: readonly string[]) {
  let now: CreditTransferStatus = 'submitted'
  const books = { held: 1, customer: -1, clearing: 0, nostro: 0 } // the hold counts as taken from the customer
  const effects: StatusEffect[] = []
  for (const r of reports) {
    const effect = decideStatusReport(now, r)
    effects.push(effect)
    if (effect === 'accept' || effect === 'accept_and_settle') [books.held, books.clearing] = [books.held - 1, books.clearing + 1]
    if (effect === 'settle' || effect === 'accept_and_settle')
      [books.clearing, books.nostro] = [books.clearing - 1, books.nostro + 1]
    if (effect === 'reject') [books.held, books.customer] = [books.held - 1, books.customer + 1]
    if (effect === 'reject_accepted') [books.clearing, books.customer] = [books.clearing - 1, books.customer + 1]
    if (effect === 'settle_after_rejection') [books.customer, books.nostro] = [books.customer - 1, books.nostro + 1]
    const next = NEXT[effect]
    if (next !== 'same') now = next
  }
  return { now, books, effects }
}

describe('a credit transfer under any sequence of status reports', () => {
  test('keeps every cent in exactly one place, the one its status says', () => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 12 }), (reports) => {
        const { now, books } = run(reports)
        expect(books.held + books.customer + books.clearing + books.nostro).toBe(0)
        const place = { submitted: 'held', accepted: 'clearing', settled: 'nostro' }[now as string]
        for (const name of ['held', 'clearing', 'nostro'] as const) expect(books[name]).toBe(name === place ? 1 : 0)
        expect(books.customer).toBe(now === 'rejected' ? 0 : -1)
      }),
      { numRuns: 2_000 },
    )
  })

  test('leaves the bank at most once, however often and in whatever order answers come', () => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 20 }), (reports) => {
        const left = run(reports).effects.filter(
          (e) => e === 'settle' || e === 'accept_and_settle' || e === 'settle_after_rejection',
        )
        expect(left.length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 2_000 },
    )
  })

  test('a repeated report changes nothing', () => {
    fc.assert(
      fc.property(status, report, (s, r) => {
        const next = NEXT[decideStatusReport(s, r)]
        const again = decideStatusReport(next === 'same' ? s : next, r)
        expect(['nothing', 'contradiction']).toContain(again)
      }),
    )
  })

  test('makes only moves that there are, from where they start to where they end', () => {
    fc.assert(
      fc.property(status, report, (s, r) => {
        const effect = decideStatusReport(s, r)
        if (effect === 'nothing' || effect === 'contradiction') return
        expect(CREDIT_TRANSFER_MOVES[effect].from).toContain(s)
        expect(CREDIT_TRANSFER_MOVES[effect].to).toBe(NEXT[effect])
      }),
      { numRuns: 500 },
    )
  })

  test('is never where no move leads, and ends where only a return or a late settlement leads on', () => {
    const moves = Object.values(CREDIT_TRANSFER_MOVES)
    expect(CREDIT_TRANSFER_STATUSES.filter((s) => !moves.some(({ to }) => to === s))).toEqual(['pending'])
    for (const end of CREDIT_TRANSFER_STATUSES.filter(isFinal)) {
      const onwards = moves.filter(({ from }) => from.includes(end)).map(({ name }) => name)
      expect(['return', 'settle_after_rejection']).toEqual(expect.arrayContaining(onwards))
    }
    expect(moves.filter(({ to }) => to === 'pending')).toEqual([])
  })

  test('after settlement only a return moves money', () => {
    fc.assert(
      fc.property(report, (r) => {
        expect(['nothing', 'contradiction']).toContain(decideStatusReport('settled', r))
      }),
    )
    expect(CREDIT_TRANSFER_STATUSES.filter(isFinal)).toEqual(['settled', 'rejected', 'returned'])
  })
})
