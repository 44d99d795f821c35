import { expect, test } from 'vitest'
import { answerWithin, presentDeadline, workUntil, workWithoutDeadline } from './deadline.ts'
import { PlatformUnavailable } from './errors.ts'

test('an answer that comes in time is the answer, and so is an error', async () => {
  expect(await answerWithin(10_000, async () => 'done')).toBe('done')
  await expect(answerWithin(10_000, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
})

test('one that does not come is said to be unknown, whatever becomes of it later', async () => {
  const { promise, reject } = Promise.withResolvers<void>()
  await expect(answerWithin(10, () => promise)).rejects.toBeInstanceOf(PlatformUnavailable)
  reject(new Error('nobody hears this, and nothing ends because of it'))
})

test('the deadline goes with the work, also when it waits, and never grows on the way', async () => {
  const seen: number[] = []
  const look = async () => {
    await Promise.resolve()
    seen.push(presentDeadline())
    return seen.length
  }
  await look()
  await workUntil(5, look)
  await workUntil(5, () => answerWithin(10_000, look))
  await workUntil(5, () => workWithoutDeadline(look))
  expect(seen).toEqual([Number.POSITIVE_INFINITY, 5, 5, Number.POSITIVE_INFINITY])
})
