import { expect, test } from 'vitest'
import { gatherer, gatherFacts, need } from './gather.ts'
import type { Tx } from './postgres/database.ts'

const tx = {} as Tx

/** A kind of fact that is the key's length, and how it was asked. */
function lengths() {
  const asked: (readonly string[])[] = []
  const kind = gatherer('test.length', async (_, keys) => {
    asked.push(keys)
    return new Map(keys.filter((key) => key !== 'unknown').map((key) => [key, key.length]))
  })
  return { kind, asked }
}

test('each kind of fact is asked once, for every key once, whoever needs it', async () => {
  const [a, b] = [lengths(), lengths()]
  const needs = [need(a.kind, ['x', 'yy']), need(b.kind, ['z']), need(a.kind, ['yy', 'unknown'])]
  const facts = (await gatherFacts(tx, needs))(needs)
  expect([a.asked, b.asked]).toEqual([[['x', 'yy', 'unknown']], [['z']]])
  expect([...facts.of(a.kind)]).toEqual([
    ['x', 1],
    ['yy', 2],
  ])
})

test('nothing is asked for no key, and the kind is there all the same', async () => {
  const { kind, asked } = lengths()
  const needs = [need(kind, [])]
  expect((await gatherFacts(tx, needs))(needs).of(kind).size).toBe(0)
  expect(asked).toEqual([])
})

test('a command sees no kind that it did not name, also when a neighbour did', async () => {
  const [a, b] = [lengths(), lengths()]
  const factsOf = await gatherFacts(tx, [need(a.kind, ['x']), need(b.kind, ['z'])])
  expect(
    factsOf([need(a.kind, ['x'])])
      .of(a.kind)
      .get('x'),
  ).toBe(1)
  expect(() => factsOf([need(a.kind, ['x'])]).of(b.kind)).toThrow('nobody said that test.length is needed')
})
