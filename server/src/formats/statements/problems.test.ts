import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ProblemList, quoted, STATEMENT_PROBLEMS, STATEMENT_REFUSALS } from './problems.ts'

test('every code is explained in the README, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const explained = [...readme.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1])
  expect(explained).toEqual([...STATEMENT_REFUSALS, ...STATEMENT_PROBLEMS])
})

test('a thousand problems of one kind are twenty and their number', () => {
  const problems = new ProblemList()
  for (let line = 1; line <= 1000; line += 1) problems.add('date_corrected', line, 'x')
  problems.add('tag_unknown', 7, 'y')
  expect(problems.all()).toHaveLength(22)
  expect(problems.all().at(-1)).toEqual({ code: 'date_corrected', line: 20, message: 'and 980 more of this kind' })
})

test('a piece of the file in a message is short and harmless', () => {
  expect(quoted('a\u001b[31m\u202eb')).toBe('"a [31m b"')
  expect(quoted('x'.repeat(100))).toHaveLength(62)
})
