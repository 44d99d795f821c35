import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPlainText, problemOf } from './json-body.ts'

const judge = (json: string) => problemOf(JSON.parse(json), json)

describe('text', () => {
  test.each([
    ['NUL', '"\\u0000"'],
    ['the first half of a pair', '"\\ud83e"'],
    ['the first half twice', '"\\ud83e\\ud83e"'],
    ['the second half', '"a\\udd84"'],
    ['halves with an escaped backslash between', '"\\ud83d\\\\\\ude00"'],
    ['a control character', '"a\\u001bb"'],
    ['a mark that turns the direction', '"gpj.\\u202efdp"'],
  ])('with %s is refused, wherever it stands', (_, text) => {
    expect(judge(`{"transfer":{"reference":${text}}}`)).toMatchObject({ source: { pointer: '/transfer/reference' } })
    expect(judge(`[[${text}]]`)).toMatchObject({ source: { pointer: '/0/0' } })
    expect(judge(`{${text}:1}`)).toBeDefined()
    expect(judge(text)).toBeDefined()
  })

  test.each([
    ['plain text', '"Loyer mars, n° 4"'],
    ['a whole pair', '"🦄"'],
    ['a pair as two escapes', '"\\uD83E\\uDD84"'],
    ['text that looks like an escape', '"\\\\u0000 and \\\\ud83e"'],
    ['line breaks and tabs', '"a\\n\\tb\\r"'],
  ])('%s is let through', (_, text) => {
    expect(judge(`{"reference":${text}}`)).toBeUndefined()
  })
})

test('however deep a body is, it is looked at whole', () => {
  const deep = (levels: number, inside = '') => `${'['.repeat(levels)}${inside}${']'.repeat(levels)}`
  expect(judge(deep(400_000))).toBeUndefined()
  expect(judge(deep(400_000, '"\\u0000"'))).toMatchObject({ code: 'invalid' })
})

describe('a member that stands twice', () => {
  test.each([
    ['{"amount":"0.01","amount":"0.02"}', '/amount'],
    ['{"a":{"amount":1},"b":{"x":[{"amount" : 1 , "amount":2}]}}', '/b/x/0/amount'],
    ['{"a\\u006dount":1,"amount":2}', '/amount'],
    ['{"a/b":{"c":1,"c":2}}', '/a~1b/c'],
    ['{"x":"\\\\\\"","x":1}', '/x'],
  ])('%s is refused by its name', (json, pointer) => {
    expect(judge(json)).toMatchObject({ code: 'invalid', source: { pointer } })
  })

  test.each(['{"a":{"amount":1},"b":{"amount":2}}', '[{"a":1},{"a":1}]', '{"a":"b\\":","b":"\\\\"}', '"a:"', '{"a":"x\\" : y"}'])(
    '%s has none',
    (json) => {
      expect(judge(json)).toBeUndefined()
    },
  )

  test('is never seen where there is none', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        // JSON.stringify of a parsed value has each member once; `__proto__` is refused before.
        const text = JSON.stringify(JSON.parse(json))
        return problemOf(JSON.parse(text), text)?.detail.includes('more than once') !== true
      }),
      { numRuns: 2_000 },
    )
  })

  test('is seen wherever it is put', () => {
    const name = fc.string().filter((text) => text !== '__proto__' && isPlainText(text))
    const value = fc.jsonValue({ maxDepth: 2 })
    fc.assert(
      fc.property(name, value, value, (key, first, second) => {
        const text = JSON.stringify(key)
        const json = `{"deep":[{${text}:${JSON.stringify(first)}, ${text} :${JSON.stringify(second)}}]}`
        return judge(json) !== undefined
      }),
      { numRuns: 2_000 },
    )
  })
})
