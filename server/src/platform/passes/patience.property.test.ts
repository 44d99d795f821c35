import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Bug } from '../assert.ts'
import { ATTEMPTS_MAX, ATTEMPTS_OF_A_BUG_MAX, decideFailure, type Earlier, reasonOf } from './patience.ts'

/** Fails again and again, each time when it is due. @returns every verdict until it is stuck. */
function failuresOf(error: Error, start: Date) {
  const verdicts: ReturnType<typeof decideFailure>[] = []
  for (let at = start, earlier: Earlier | undefined; ; ) {
    const verdict = decideFailure(error, earlier, at)
    verdicts.push(verdict)
    if (verdict.retryAt === null) return verdicts
    earlier = verdict
    at = verdict.retryAt
  }
}

test('an item is tried eight times over two minutes, a bug three times, and then it is stuck', () => {
  const start = new Date('2026-03-02T09:00:00Z')
  const pauses = (error: Error) =>
    failuresOf(error, start).map(({ retryAt }) => retryAt && (retryAt.getTime() - start.getTime()) / 1_000)
  expect(pauses(new Error('rejected'))).toEqual([1, 3, 7, 15, 31, 63, 127, null])
  expect(pauses(new Bug('impossible'))).toEqual([1, 3, null])
  expect(ATTEMPTS_OF_A_BUG_MAX).toBeLessThan(ATTEMPTS_MAX)
})

test('whenever it fails, an item waits between a second and a quarter of an hour, or is stuck', () => {
  const instants = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
  const earlier = fc.option(fc.record({ attempts: fc.nat(40), firstFailedAt: instants }), { nil: undefined })
  fc.assert(
    fc.property(fc.boolean(), earlier, instants, (isBug, known, at) => {
      const { attempts, firstFailedAt, retryAt } = decideFailure(isBug ? new Bug('x') : new Error('x'), known, at)
      expect(attempts).toBe((known?.attempts ?? 0) + 1)
      expect(firstFailedAt).toEqual(known?.firstFailedAt ?? at)
      const pause = retryAt && retryAt.getTime() - at.getTime()
      if (pause === null) expect(attempts).toBeGreaterThanOrEqual(isBug ? ATTEMPTS_OF_A_BUG_MAX : ATTEMPTS_MAX)
      else expect(pause >= 1_000 && pause <= 15 * 60_000).toBe(true)
    }),
  )
})

test('a reason names the kind of error, what it says and what caused it, in text that PostgreSQL can keep', () => {
  expect(reasonOf(new Bug('no\0 debtor', { cause: new Error('closed') }))).toBe('Bug: no\ufffd debtor (because: closed)')
  expect(reasonOf('thrown text')).toBe('thrown text')
  expect(reasonOf(new Error('x'.repeat(5_000)))).toHaveLength(1_000)
})
