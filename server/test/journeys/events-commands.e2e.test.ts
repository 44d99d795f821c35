import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fixedClock } from '../../src/platform/clock.ts'
import { publish } from '../../src/platform/events/outbox.ts'
import { newId } from '../../src/platform/ids.ts'
import { testActor } from '../support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { deliveryOf, event, numbersOf, recorder, relayOf, settle } from '../support/events.ts'
import { run } from '../support/partita.ts'
import { resetEvents } from '../support/reset-events.ts'

const NAME = 'test.recorder'
const DAY = 24 * 3_600_000

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())
beforeEach(() => resetEvents(test_.admin))

const partita = async (...args: string[]) => {
  const { code, out, said } = await run(['events', ...args], { DATABASE_URL: test_.adminUrl })
  return { code, out, said, document: args.includes('--json') ? JSON.parse(out) : undefined }
}

/** A consumer that has parked event 1, behind which event 2 of the same aggregate waits; event 3 is handled. */
async function parked() {
  const state = { isMended: false }
  const consumer = recorder(NAME, (e) => {
    if (e.payload.n === 1 && !state.isMended) throw new Error('cannot read 1')
  })
  // A day ago by the machine's real clock, which the command line asks.
  const machine = fixedClock(new Date(performance.timeOrigin + performance.now() - DAY))
  const pass = deliveryOf(test_.database, consumer, machine)
  const thing = newId()
  await test_.database.transaction(testActor, (tx) => publish(tx, [event(thing, 1), event(thing, 2), event(newId(), 3)]))
  await settle(relayOf(test_.database), pass)
  machine.advance(DAY)
  await settle(pass)
  machine.advance(60_000)
  return { state, consumer, pass }
}

describe('partita events', () => {
  test('list shows each consumer and what it set aside, for people and as one document', async () => {
    await parked()
    const { code, said, document } = await partita('list', '--json')
    expect({ code, said }).toEqual({ code: 0, said: '' })
    expect(document).toMatchObject({
      outbox: { waiting: 0, lag_seconds: 0 },
      head: 3,
      consumers: [{ consumer: NAME, position: 3, lag: 0, set_aside: 1, parked: 1, failing_since: null }],
      set_aside: [
        { state: 'parked', type: 'test.happened.v1', position: 1, reason: 'Error: cannot read 1' },
        { state: 'waiting', position: 2, attempts: 0, reason: null },
      ],
    })
    const people = await partita('list')
    expect(people.out).toMatch(/test\.recorder {2}at 3 {2}level {2}1 set aside {2}1 parked/)
    expect(people.out).toMatch(/PARKED\n.*\n.*cannot read 1\n.*waits behind an earlier one/)
  })

  test('list of a bank without consumers says so', async () => {
    expect((await partita('list')).out).toContain('no consumer is registered')
  })

  test('retry hands a parked event over again, and all with --all', async () => {
    const { state, consumer, pass } = await parked()
    const { document: before } = await partita('list', '--json')
    const [first, second] = before.set_aside
    state.isMended = true
    expect(await partita('retry', NAME, second.event)).toMatchObject({ code: 1, said: expect.stringContaining('waits behind') })
    expect(await partita('retry', NAME, first.event, '--json')).toMatchObject({ code: 0, document: { consumer: NAME, due: 1 } })
    await settle(pass)
    expect(numbersOf(consumer.seen)).toEqual([3, 1, 2])
    expect(await partita('retry', NAME, '--all', '--json')).toMatchObject({ code: 0, document: { due: 0 } })
  })

  test('skip needs a reason, keeps it, and lets what waited go on', async () => {
    const { consumer, pass } = await parked()
    const [first] = (await partita('list', '--json')).document.set_aside
    expect(await partita('skip', NAME, first.event)).toMatchObject({ code: 2, said: expect.stringContaining('--because') })
    expect(await partita('skip', NAME, first.event, '--because', ' ')).toMatchObject({ code: 2 })
    const because = 'told the customer by telephone'
    expect(await partita('skip', NAME, first.event, '--because', because)).toMatchObject({ code: 0 })
    await settle(pass)
    expect(numbersOf(consumer.seen)).toEqual([3, 2])
    const { rows } = await test_.admin.query('select reason, failure, skipped_by from platform.skipped_event')
    expect(rows).toEqual([{ reason: because, failure: 'Error: cannot read 1', skipped_by: expect.stringMatching(/./) }])
  })

  test('replay goes back to a position or a moment, and never ahead', async () => {
    const { state, consumer, pass } = await parked()
    state.isMended = true
    expect(await partita('replay', NAME, '--from', '1', '--json')).toMatchObject({
      code: 0,
      document: { consumer: NAME, from: 1, events: 3 },
    })
    await settle(pass)
    expect(numbersOf(consumer.seen)).toEqual([3, 1, 2, 3])
    expect(await partita('replay', NAME, '--from', '2026-03-02T09:00:00Z', '--json')).toMatchObject({
      code: 0,
      document: { from: 1 },
    })
    expect(await partita('replay', NAME, '--from', '9')).toMatchObject({
      code: 1,
      said: expect.stringContaining('goes back only'),
    })
  })

  test.each([
    [['retry', NAME], 2],
    [['retry', NAME, 'x'], 2],
    [['retry', NAME, newId(), '--all'], 2],
    [['retry', 'test.nobody', '--all'], 1],
    [['skip', NAME, newId(), '--because', 'why'], 1],
    [['replay', NAME, '--from', 'yesterday'], 2],
    [['replay', NAME], 2],
  ])('%j ends with %i and says why', async (args, exit) => {
    const { code, out, said } = await partita(...args)
    expect(code).toBe(exit)
    expect(out).toBe('')
    expect(said).toMatch(/\S/)
  })

  test('each explains itself with examples', async () => {
    for (const name of ['list', 'retry', 'skip', 'replay']) {
      const { code, out } = await partita(name, '--help')
      expect(code).toBe(0)
      expect(out).toContain(`$ partita events ${name}`)
    }
  })
})
