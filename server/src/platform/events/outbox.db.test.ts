import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { bankClock, deliveryOf, event, numbersOf, recorder, relayOf, settle } from '../../../test/support/events.ts'
import { resetEvents } from '../../../test/support/reset-events.ts'
import { newId } from '../ids.ts'
import { eventsBetween, headOf } from './archive.ts'
import type { Consumer } from './consumer.ts'
import { outboxState, publish } from './outbox.ts'

let test_: TestDatabase

beforeAll(async () => {
  test_ = await createTestDatabase({ poolSize: 24 })
})
afterAll(() => test_.drop())
beforeEach(() => resetEvents(test_.admin))

const drain = (...consumers: Consumer[]): Promise<number> =>
  settle(relayOf(test_.database), ...consumers.map((consumer) => deliveryOf(test_.database, consumer)))

/** Writers whose transactions overlap on purpose: each holds its commit back until others have taken a later position. */
async function writeConcurrently(writers: number, perWriter: number): Promise<void> {
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const aggregate = newId<'aggregate'>()
      for (let n = 0; n < perWriter; n++) {
        await test_.database.transaction(testActor, async (tx) => {
          await publish(tx, [event(aggregate, n)])
          await tx.query(`select pg_sleep(${((writer * 7 + n * 3) % 5) / 1_000})`)
        })
      }
    }),
  )
}

/** Reads on while others write, with `read` above the last position that it saw. @returns how many it saw. */
async function readAlong(read: (last: bigint) => Promise<{ id: string; position: bigint }[]>, writing: Promise<unknown>) {
  const seen = new Set<string>()
  let last = 0n
  const pump = async () => {
    for (const row of await read(last)) {
      seen.add(row.id)
      last = row.position
    }
  }
  let isWriting = true
  const pumping = (async () => {
    while (isWriting) await pump()
  })()
  await writing
  isWriting = false
  await pumping
  await pump()
  return seen.size
}

describe('the outbox', () => {
  test('an event leaves only if its transaction commits', async () => {
    const consumer = recorder()
    await test_.database.transaction(testActor, (tx) => publish(tx, [event(newId(), 1)]))
    await test_.database
      .transaction(testActor, async (tx) => {
        await publish(tx, [event(newId(), 2)])
        throw new Error('rolled back')
      })
      .catch(() => {})
    await drain(consumer)
    expect(numbersOf(consumer.seen)).toEqual([1])
  })

  test('with 16 overlapping writers, 2 relays and 2 workers nothing is lost, and each aggregate arrives in order', async () => {
    const consumer = recorder()
    const passes = [1, 2].flatMap(() => [relayOf(test_.database), deliveryOf(test_.database, consumer)])
    let writing = true
    const pumping = Promise.all(
      passes.map(async (pass) => {
        while (writing) await pass.runOnce()
      }),
    )
    await writeConcurrently(16, 25)
    writing = false
    await pumping
    await settle(...passes)
    expect(consumer.seen).toHaveLength(400)
    const byAggregate = Map.groupBy(consumer.seen, (e) => e.aggregateId)
    expect(byAggregate.size).toBe(16)
    for (const events of byAggregate.values())
      expect(events.map((e) => e.payload.n)).toEqual(Array.from({ length: 25 }, (_, n) => n))
  })

  test('control: a reader of the outbox that remembers the last position loses events under the same writers', async () => {
    const read = (last: bigint) =>
      test_.database.read(
        testActor,
        (tx) =>
          tx.rows<{
            id: string
            position: bigint
          }>`select id, position from platform.outbox where position > ${last} order by position`,
      )
    expect(await readAlong(read, writeConcurrently(16, 25))).toBeLessThan(400)
  })

  test('a reader of the archive that remembers the last position loses nothing', async () => {
    const relays = [relayOf(test_.database, 7), relayOf(test_.database, 11), relayOf(test_.database, 1)]
    let writing = true
    const moving = Promise.all(
      relays.map(async (relay) => {
        while (writing) await relay.runOnce()
      }),
    )
    const written = writeConcurrently(16, 25).then(async () => {
      writing = false
      await moving
      await settle(...relays)
    })
    const read = (last: bigint) =>
      test_.database.read(testActor, async (tx) => eventsBetween(tx, ['test.happened.v1'], last, await headOf(tx), 1_000))
    expect(await readAlong(read, written)).toBe(400)
    expect(await test_.database.read(testActor, headOf)).toBe(400n) // and no position is missing
  })

  test('says how many wait and for how long, and keeps nothing that has left', async () => {
    await test_.database.transaction(testActor, (tx) => publish(tx, [event(newId(), 1), event(newId(), 2)]))
    const later = new Date(bankClock.now().getTime() + 90_000)
    const state = () => test_.database.read(testActor, (tx) => outboxState(tx, later))
    expect(await state()).toEqual({ waiting: 2, lagSeconds: 90 })
    await drain()
    expect(await state()).toEqual({ waiting: 0, lagSeconds: 0 })
  })

  test('an idle relay writes nothing, not even a lock', async () => {
    await drain()
    // A lock, too, leaves its transaction in the row.
    const marks = async () => (await test_.admin.query('select xmin::text, xmax::text from platform.event_head')).rows
    const before = await marks()
    for (let pass = 0; pass < 5; pass++) await relayOf(test_.database).runOnce()
    expect(await marks()).toEqual(before)
  })

  test('wakes the relay when it is committed, and the relay the consumers', async () => {
    const woken: string[] = []
    const stop = test_.database.onWake((channel) => woken.push(channel))
    await test_.database
      .transaction(testActor, async (tx) => {
        await publish(tx, [event(newId(), 1)])
        throw new Error('rolled back')
      })
      .catch(() => {})
    await test_.database.transaction(testActor, (tx) => publish(tx, [event(newId(), 2)]))
    await drain()
    stop()
    expect(woken).toEqual(['events', 'events.archived'])
  })
})
