import { expect, test } from 'vitest'
import { addressOf } from './address.ts'

test.each([
  ['127.0.0.1', 'http://127.0.0.1:4100'],
  ['0.0.0.0', 'http://127.0.0.1:4100'],
  ['::1', 'http://[::1]:4100'],
  ['::', 'http://[::1]:4100'],
  ['bank.example', 'http://bank.example:4100'],
])('what listens on %s is reached at %s', (host, address) => {
  expect(addressOf(host, 4100)).toBe(address)
})
