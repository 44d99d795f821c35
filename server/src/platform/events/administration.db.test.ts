import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { bankClock, deliveryOf, event, numbersOf, recorder, relayOf, settle } from '../../../test/support/events.ts'
import { resetEvents } from '../../../test/support/reset-events.ts'
import { fixedClock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Tx } from '../postgres/database.ts'
import { deliveryReport, replayEvents, retryEvents, setAsideEvents, skipEvent } from './administration.ts'
import type { NewEvent } from './definition.ts'
import { publish } from './outbox.ts'

const DAY = 24 * 3_600_000
const NAME = 'test.recorder'

let test_: TestDatabase
let machine: ReturnType<typeof fixedClock>

beforeAll(async () => {
  test_ = await createTestDatabase()
})
afterAll(() => test_.drop())
beforeEach(async () => {
  machine = fixedClock('2026-11-28T09:00:00Z')
  await resetEvents(test_.admin)
})

const system = <T>(work: (tx: Tx) => Promise<T>) => test_.database.transaction(testActor, work)
const published = async (...events: NewEvent[]): Promise<void> => {
  await system((tx) => publish(tx, events))
  await settle(relayOf(test_.database))
}
const aside = () => system((tx) => setAsideEvents(tx, 100))

/** A consumer that has parked event 1, behind which event 2 of the same aggregate waits; event 3 of another is handled. */
async function parked() {
  const state = { isMended: false }
  const consumer = recorder(NAME, (e) => {
    if (e.payload.n === 1 && !state.isMended) throw new Error('not yet')
  })
  const pass = deliveryOf(test_.database, consumer, machine)
  const thing = newId()
  await published(event(thing, 1), event(thing, 2), event(newId(), 3))
  await settle(pass)
  machine.advance(DAY)
  await settle(pass)
  const [first, second] = await aside()
  if (!first?.parkedAt || !second) throw new Error('nothing is parked')
  return { state, consumer, pass, first, second }
}

describe('retry', () => {
  test('hands a parked event over again, and what waited behind it', async () => {
    const { state, consumer, pass, first } = await parked()
    state.isMended = true
    machine.advance(DAY)
    expect(await settle(pass)).toBe(0)
    expect(await system((tx) => retryEvents(tx, NAME, first.eventId, machine.now()))).toEqual({ ok: true, value: 1 })
    await settle(pass)
    expect(numbersOf(consumer.seen)).toEqual([3, 1, 2])
  })

  test('gives one that fails again a new day', async () => {
    const { pass } = await parked()
    expect(await system((tx) => retryEvents(tx, NAME, undefined, machine.now()))).toEqual({ ok: true, value: 1 })
    await settle(pass)
    expect(await aside()).toMatchObject([{ attempts: 1, parkedAt: null, firstFailedAt: machine.now() }, { attempts: 0 }])
  })

  test('wakes a consumer that rests as a whole', async () => {
    let isDown = true
    const consumer = recorder(NAME, () => {
      if (isDown) throw new Error('down')
    })
    const pass = deliveryOf(test_.database, consumer, machine)
    await published(...Array.from({ length: 30 }, (_, n) => event(newId(), n)))
    await settle(pass)
    isDown = false
    expect(await settle(pass)).toBe(0)
    expect(await system((tx) => retryEvents(tx, NAME, undefined, machine.now()))).toEqual({ ok: true, value: 10 })
    await settle(pass)
    expect(consumer.seen).toHaveLength(30)
  })

  test('refuses what is not there, and what waits behind another', async () => {
    const { second } = await parked()
    const retry = (name: string, id: string | undefined) => system((tx) => retryEvents(tx, name, id, machine.now()))
    expect(await retry('test.nobody', undefined)).toEqual({ ok: false, refusal: 'consumer_not_found' })
    expect(await retry(NAME, newId())).toEqual({ ok: false, refusal: 'event_not_set_aside' })
    expect(await retry(NAME, second.eventId)).toEqual({ ok: false, refusal: 'event_waits_behind_another' })
  })
})

describe('skip', () => {
  const skipped = { reason: 'the customer was told by telephone', by: 'ada' }

  test('never hands the event over, keeps who said so and why, and lets the next ones go on', async () => {
    const { consumer, pass, first } = await parked()
    expect(await system((tx) => skipEvent(tx, NAME, first.eventId, { ...skipped, now: machine.now() }))).toMatchObject({
      ok: true,
    })
    await settle(pass)
    expect(numbersOf(consumer.seen)).toEqual([3, 2])
    expect(await aside()).toEqual([])
    const { rows } = await test_.admin.query('select event_id, failure, reason, skipped_by from platform.skipped_event')
    expect(rows).toEqual([{ event_id: first.eventId, failure: 'Error: not yet', reason: skipped.reason, skipped_by: skipped.by }])
  })

  test('refuses what waits behind another, and what was never set aside', async () => {
    const { second } = await parked()
    const skip = (id: string) => system((tx) => skipEvent(tx, NAME, id, { ...skipped, now: machine.now() }))
    expect(await skip(second.eventId)).toEqual({ ok: false, refusal: 'event_waits_behind_another' })
    expect(await skip(newId())).toEqual({ ok: false, refusal: 'event_not_set_aside' })
  })

  test('is kept for good: nobody may change or delete it', async () => {
    for (const change of ['update platform.skipped_event set reason = reason', 'delete from platform.skipped_event']) {
      const done = test_.database.transaction(testActor, (tx) => tx.query(change))
      await expect(done).rejects.toMatchObject({ code: '42501' })
    }
  })
})

describe('replay', () => {
  test('hands everything from a position on over again, parked or not', async () => {
    const { state, consumer, pass } = await parked()
    state.isMended = true
    expect(await system((tx) => replayEvents(tx, NAME, 1n))).toEqual({ ok: true, value: { events: 3n } })
    await settle(pass)
    expect(numbersOf(consumer.seen)).toEqual([3, 1, 2, 3])
    expect(await aside()).toEqual([])
  })

  test('from behind a parked event keeps that one, and what follows it waits', async () => {
    const { consumer, pass } = await parked()
    expect(await system((tx) => replayEvents(tx, NAME, 2n))).toEqual({ ok: true, value: { events: 2n } })
    await settle(pass)
    expect(numbersOf(consumer.seen)).toEqual([3, 3])
    expect(await aside()).toMatchObject([{ position: 1n }, { position: 2n, attempts: 0 }])
  })

  test('refuses to step over what has yet to be handled', async () => {
    await parked()
    expect(await system((tx) => replayEvents(tx, NAME, 5n))).toEqual({ ok: false, refusal: 'position_ahead_of_consumer' })
    expect(await system((tx) => replayEvents(tx, 'test.nobody', 1n))).toEqual({ ok: false, refusal: 'consumer_not_found' })
  })
})

test('the report says how far each consumer is, by the bank’s clock', async () => {
  const pass = deliveryOf(test_.database, recorder(NAME), machine)
  await pass.runOnce()
  await published(event(newId(), 1))
  await system((tx) => publish(tx, [event(newId(), 2)]))
  const later = new Date(bankClock.now().getTime() + 30_000)
  expect(await system((tx) => deliveryReport(tx, later))).toMatchObject({
    outbox: { waiting: 1, lagSeconds: 30 },
    head: 1n,
    consumers: [{ name: NAME, position: 0n, lag: 1n, lagSeconds: 30, setAside: 0, parked: 0 }],
  })
})
