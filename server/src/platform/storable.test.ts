import { expect, test } from 'vitest'
import { isStorable } from './storable.ts'

test('whole characters of any kind can be stored, and what is no text', () => {
  for (const value of ['', 'Ünï ✓ 😀', '\u202e', 1n, null, undefined, new Date(0), { a: ['x', { b: 'y' }] }])
    expect(isStorable(value)).toBe(true)
})

test.each(['\u0000', 'a\ud83d', '\ude00b', '\ude00\ud83d', ['x', '\u0000'], { a: { b: ['\ud800'] } }, { 'a\u0000': 1 }])(
  '%j cannot',
  (value) => expect(isStorable(value)).toBe(false),
)
