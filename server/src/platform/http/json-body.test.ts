import { expect, test } from 'vitest'
import { hasUnstorableText } from './json-body.ts'

test.each([
  ['NUL', '\u0000'],
  ['the first half of a pair', '\ud83e'],
  ['the first half twice', '\ud83e\ud83e'],
  ['the second half', 'a\udd84'],
])('%s cannot be stored', (_, text) => {
  expect(hasUnstorableText(JSON.stringify({ text }))).toBe(true)
})

test.each([
  ['plain text', 'Loyer mars, n° 4'],
  ['a whole pair', '🦄'],
  ['text that looks like an escape', '\\u0000 and \\ud83e'],
])('%s can', (_, text) => {
  expect(hasUnstorableText(JSON.stringify({ text }))).toBe(false)
})

test('a pair may be written as two escapes', () => {
  expect(hasUnstorableText('"\\ud83e\\udd84"')).toBe(false)
  expect(hasUnstorableText('"\\uD83E\\uDD84"')).toBe(false)
})
