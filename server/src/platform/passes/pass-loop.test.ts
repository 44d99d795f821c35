import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Bug } from '../assert.ts'
import { fixedClock } from '../clock.ts'
import { Failure } from '../errors.ts'
import { createLogger } from '../logging.ts'
import type { Database } from '../postgres/database.ts'
import { chore } from './pass.ts'
import { PassLoop } from './pass-loop.ts'

const RAIL_AWAY = () => new Failure('the rail cannot be reached', { retryable: true })

/** What happens in each run, the last one for ever after; and what was logged. */
let script: (() => number)[]
let runs = 0
let lines: { message: string; 'error.message'?: string }[]
let loop: PassLoop
const listeners = new Map<string, () => void>()
const machine = fixedClock('2026-03-02T09:00:00Z')

beforeEach(() => {
  vi.useFakeTimers()
  runs = 0
  lines = []
  listeners.clear()
})
afterEach(async () => {
  await loop.stop()
  vi.useRealTimers()
})

function start(...happenings: (() => number)[]): void {
  script = happenings
  const logger = createLogger({
    level: 'info',
    service: 'test',
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  })
  const wakeups = {
    on: (channel: string, listener: () => void) => {
      listeners.set(channel, listener)
      return () => listeners.delete(channel)
    },
  }
  const happen = async () => (script[Math.min(runs++, script.length - 1)] as () => number)()
  const definition = { name: 'post.sort_letters', describe: 'Sorts', everyMs: 10_000, wakes: ['letters'], run: happen } as const
  // A chore that needs no database is given none.
  loop = new PassLoop({ database: {} as Database, clock: machine, machine, logger, wakeups }, chore(definition))
}

const fail = (error: Error) => () => {
  throw error
}
const said = () => lines.map((line) => line['error.message'] ?? line.message)

test('each failure that differs from the one before is named, and the end of the series', async () => {
  start(fail(RAIL_AWAY()), fail(RAIL_AWAY()), fail(new Bug('no such account')), fail(new Bug('no such account')), () => 0)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(said()).toEqual(['the rail cannot be reached', 'no such account', 'a pass works again'])
  expect(loop.report).toMatchObject({ failures: 4, lastError: null, failingSince: null })
})

test('while it fails it comes back slower, up to five seconds, and says why and since when', async () => {
  start(fail(RAIL_AWAY()))
  await vi.advanceTimersByTimeAsync(0)
  const [first] = [runs]
  await vi.advanceTimersByTimeAsync(400 + 800 + 1_600 + 3_200)
  expect(runs - (first as number)).toBe(4)
  await vi.advanceTimersByTimeAsync(50_000)
  expect(runs - (first as number)).toBe(14)
  expect(loop.report).toMatchObject({ lastError: 'Failure: the rail cannot be reached', failingSince: machine.now() })
  listeners.get('letters')?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(runs - (first as number)).toBe(14)
})

test('it goes on at once while there is work, rests when there is none, and a wake ends the rest', async () => {
  start(
    () => 3,
    () => 2,
    () => 0,
  )
  await vi.advanceTimersByTimeAsync(0)
  expect(runs).toBe(3)
  expect(loop.report).toMatchObject({ runs: 3, done: 5 })
  await vi.advanceTimersByTimeAsync(9_999)
  expect(runs).toBe(3)
  listeners.get('letters')?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(runs).toBe(4)
  listeners.get('post.sort_letters')?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(runs).toBe(5)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(runs).toBe(6)
})

test('a wake during a run is not lost: it runs once more', async () => {
  start(
    () => {
      listeners.get('letters')?.()
      return 0
    },
    () => 0,
  )
  await vi.advanceTimersByTimeAsync(0)
  expect(runs).toBe(2)
})

test('stopping ends a rest at once', async () => {
  start(() => 0)
  await vi.advanceTimersByTimeAsync(0)
  await loop.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(runs).toBe(1)
  expect(listeners.size).toBe(0)
})
