import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EVENT_EXAMPLES_FOLDER } from '../../../tools/generated-files.ts'
import { partita } from '../../src/bank.ts'
import type { EventDefinition } from '../../src/platform/events/definition.ts'

type Recorded = {
  readonly id: string
  readonly type: string
  readonly aggregate_id: string
  readonly organization_id: string | null
  readonly occurred_at: string
  readonly payload: Record<string, unknown>
}

const definitions = partita.modules.flatMap(({ events = [] }) => events)
const files = readdirSync(EVENT_EXAMPLES_FOLDER)
const recorded = (file: string) => JSON.parse(readFileSync(join(EVENT_EXAMPLES_FOLDER, file), 'utf8')) as Recorded

/** What keeps recorded events and definitions from saying the same. */
function problems(known: readonly EventDefinition[], examples: ReadonlyMap<string, Recorded>): string[] {
  const byType = new Map(known.map((definition) => [definition.type, definition]))
  return [
    ...known.filter(({ type }) => !examples.has(type)).map(({ type }) => `${type} has no recorded example`),
    ...[...examples].flatMap(([type, example]) => {
      const definition = byType.get(type)
      if (!definition) return [`${type} is recorded, and nobody defines it: events that were published stay readable`]
      const problem = definition.problemOf(example.payload)
      if (problem) return [`${type}: ${problem}`]
      if (example.type !== type) return [`${type}: the example is of ${example.type}`]
      if (example.payload[definition.aggregate] !== example.aggregate_id) return [`${type}: its aggregate is another`]
      return []
    }),
  ]
}

const examples = new Map(files.map((file) => [basename(file, '.json'), recorded(file)]))

describe('recorded events', () => {
  test('there are some', () => expect(files.length).toBeGreaterThan(10))

  test('each fits its definition, and every definition has one', () => {
    expect(problems(definitions, examples)).toEqual([])
  })

  test('a definition that no longer takes what was published is noticed, as is one without an example and an example without one', () => {
    const [first, second] = definitions as [EventDefinition, EventDefinition]
    const stricter = { ...first, problemOf: () => '/id must be a number' }
    const others = definitions.slice(1)
    expect(problems([stricter, ...others], examples)).toEqual([`${first.type}: /id must be a number`])
    expect(problems(others, examples)).toEqual([expect.stringContaining(`${first.type} is recorded, and nobody defines it`)])
    const fewer = new Map([...examples].filter(([type]) => type !== second.type))
    expect(problems(definitions, fewer)).toEqual([`${second.type} has no recorded example`])
  })

  test('names are published once, each by the module that it is named after', () => {
    expect(new Set(definitions.map(({ type }) => type)).size).toBe(definitions.length)
    for (const { name, events = [] } of partita.modules) for (const { topic } of events) expect(topic).toBe(name)
  })

  test('a module that has events.ts says so in its manifest', async () => {
    for (const { name, events = [] } of partita.modules) {
      const file = join(import.meta.dirname, '../../src/modules', name, 'events.ts')
      const exported = existsSync(file) ? ((await import(file)) as { EVENTS?: readonly EventDefinition[] }).EVENTS : []
      expect(events, name).toEqual(exported)
    }
  })
})
