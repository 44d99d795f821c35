import fc from 'fast-check'
import { expect, test } from 'vitest'
import { consumerRetryAt, eventRetryAt, isToBeParked } from './patience.ts'

const attempts = fc.integer({ min: 1, max: 10_000 })
const moment = fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })

test('a rest is at least a second, never shorter than the one before, and bounded', () => {
  fc.assert(
    fc.property(attempts, moment, (n, now) => {
      for (const [retryAt, most] of [
        [eventRetryAt, 15 * 60_000],
        [consumerRetryAt, 5 * 60_000],
      ] as const) {
        const rest = (tries: number) => retryAt(tries, now).getTime() - now.getTime()
        expect(rest(n)).toBeGreaterThanOrEqual(1_000)
        expect(rest(n)).toBeLessThanOrEqual(most)
        expect(rest(n + 1)).toBeGreaterThanOrEqual(rest(n))
      }
    }),
  )
})

test('an event is parked from one day after its first failure on, and not before', () => {
  fc.assert(
    fc.property(moment, fc.integer({ min: 0, max: 3 * 86_400_000 }), (since, passed) => {
      expect(isToBeParked(since, new Date(since.getTime() + passed))).toBe(passed >= 86_400_000)
    }),
  )
})
