import { describe, expect, test } from 'vitest'
import { RateLimiter } from './rate-limit.ts'

const LIMITS = { per10Seconds: 1_000, per10Minutes: 10_000, unauthorizedPerHour: 200 }
const HOUR = 3_600_000

function takeMany(limiter: RateLimiter, count: number, nowMs: number, address = '192.0.2.1'): number | undefined {
  let answer: number | undefined
  for (let i = 0; i < count; i++) answer = limiter.take(address, nowMs)
  return answer
}

test('a thousand requests in ten seconds pass, the next waits for the window to end', () => {
  const limiter = new RateLimiter(LIMITS)
  expect(takeMany(limiter, 1_000, 0)).toBeUndefined()
  expect(limiter.take('192.0.2.1', 4_000)).toBe(6)
  expect(limiter.take('192.0.2.1', 10_000)).toBeUndefined()
})

test('ten thousand requests in ten minutes pass, the next does not, however slowly they came', () => {
  const limiter = new RateLimiter(LIMITS)
  for (let i = 0; i < 20; i++) expect(takeMany(limiter, 500, i * 20_000)).toBeUndefined()
  expect(limiter.take('192.0.2.1', 400_000)).toBe(200)
  expect(limiter.take('192.0.2.1', 600_000)).toBeUndefined()
})

test('more than 200 answers of 401 in an hour block the address until the hour is over', () => {
  const limiter = new RateLimiter(LIMITS)
  for (let i = 0; i < 200; i++) limiter.countUnauthorized('192.0.2.1', i)
  expect(limiter.take('192.0.2.1', 1_000)).toBeUndefined()
  limiter.countUnauthorized('192.0.2.1', 1_000)
  expect(limiter.take('192.0.2.1', 2_000)).toBe(3_598)
  expect(limiter.take('192.0.2.1', HOUR)).toBeUndefined()
})

test('addresses do not pay for each other, an IPv6 network is one address', () => {
  const limiter = new RateLimiter(LIMITS)
  takeMany(limiter, 1_001, 0)
  expect(limiter.take('192.0.2.2', 0)).toBeUndefined()
  takeMany(limiter, 1_000, 0, '2001:db8:1:2::1')
  expect(limiter.take('2001:db8:1:2:aaaa:bbbb:cccc:dddd', 0)).toBe(10)
  expect(limiter.take('2001:db8:1:3::1', 0)).toBeUndefined()
  expect(limiter.take('::ffff:192.0.2.1', 0)).toBe(10)
})

test('zero switches a limit off', () => {
  const limiter = new RateLimiter({ per10Seconds: 0, per10Minutes: 0, unauthorizedPerHour: 0 })
  for (let i = 0; i < 300; i++) limiter.countUnauthorized('192.0.2.1', 0)
  expect(takeMany(limiter, 20_000, 0)).toBeUndefined()
})

test('no stretch of ten seconds lets more pass, wherever it begins', () => {
  const limiter = new RateLimiter(LIMITS)
  const passedAt: number[] = []
  for (let ms = 0; ms < 60_000; ms += 3) if (limiter.take('192.0.2.1', ms) === undefined) passedAt.push(ms)
  for (const [index, at] of passedAt.entries()) {
    const thousandLater = passedAt[index + 1_000]
    if (thousandLater !== undefined) expect(thousandLater - at).toBeGreaterThanOrEqual(10_000)
  }
  // Nor fewer, but for a hundredth.
  expect(passedAt.length).toBeGreaterThanOrEqual(5_900)
})

test('whoever is turned away and keeps asking is let in when the window allows it: what was refused does not count', () => {
  const limiter = new RateLimiter(LIMITS)
  takeMany(limiter, 1_000, 0)
  for (let ms = 1; ms < 10_000; ms += 10) expect(limiter.take('192.0.2.1', ms)).toBeGreaterThan(0)
  expect(limiter.take('192.0.2.1', 10_000)).toBeUndefined()
})

test('what hundreds of thousands of addresses did is not all remembered', () => {
  const limiter = new RateLimiter(LIMITS)
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 250_000; i++) limiter.take(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, i)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(150 * 1024 * 1024)
  expect(takeMany(limiter, 1_000, 1_000_000)).toBeUndefined()
  expect(limiter.take('192.0.2.1', 1_000_000)).toBe(10)
})

describe('a secret that is looked up', () => {
  const LIMIT = 5
  const limiterOf = () => new RateLimiter({ ...LIMITS, unauthorizedPerHour: LIMIT })
  const now = () => 0

  /** As the server does: what turns out to be wrong is counted before it is answered. */
  async function attempt(limiter: RateLimiter, secret: string, isRight: boolean, looked: string[] = []) {
    const found = await limiter.lookUp('192.0.2.1', secret, now, async () => {
      looked.push(secret)
      await Promise.resolve()
      return { isRight }
    })
    if ('retryAfterSeconds' in found) return 429
    return isRight ? 200 : limiter.countUnauthorized('192.0.2.1', now()) === undefined ? 401 : 429
  }

  test('is one of no more guesses than may be wrong, however many come at once', async () => {
    const limiter = limiterOf()
    const looked: string[] = []
    const answers = await Promise.all(Array.from({ length: 400 }, (_, n) => attempt(limiter, `wrong ${n}`, false, looked)))
    expect(answers.filter((status) => status === 401)).toHaveLength(LIMIT + 1)
    expect(looked).toHaveLength(LIMIT + 1)
    expect(answers.filter((status) => status === 429)).toHaveLength(400 - LIMIT - 1)
    expect(await attempt(limiter, 'right', true, looked)).toBe(429)
  })

  test('is answered 401 no more often than that, also when it is always the same', async () => {
    const limiter = limiterOf()
    const answers = await Promise.all(Array.from({ length: 400 }, () => attempt(limiter, 'wrong', false)))
    expect(answers.filter((status) => status === 401)).toHaveLength(LIMIT + 1)
  })

  test('and is right never limits anybody: one secret in thousands of requests, or many secrets at once', async () => {
    const limiter = limiterOf()
    const same = Array.from({ length: 4_096 }, () => attempt(limiter, 'right', true))
    const others = Array.from({ length: 100 }, (_, n) => attempt(limiter, `right ${n}`, true))
    expect(new Set(await Promise.all([...same, ...others]))).toEqual(new Set([200]))
    expect(limiter.take('192.0.2.1', now())).toBeUndefined()
  })

  test('and cannot be looked up is no guess', async () => {
    const limiter = limiterOf()
    for (let n = 0; n < 50; n++) {
      const away = limiter.lookUp('192.0.2.1', `some ${n}`, now, () => Promise.reject(new Error('the database is away')))
      await expect(away).rejects.toThrow('away')
    }
    expect(limiter.take('192.0.2.1', now())).toBeUndefined()
  })
})
