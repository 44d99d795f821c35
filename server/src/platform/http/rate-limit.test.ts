import { expect, test } from 'vitest'
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
