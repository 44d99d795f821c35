import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { bankClock, event, relayOf, settle } from '../../../test/support/events.ts'
import { resetEvents } from '../../../test/support/reset-events.ts'
import { systemActor } from '../actor.ts'
import { newId } from '../ids.ts'
import { eventsBetween, eventsSince, headOf } from './archive.ts'
import { publish, publishLast } from './outbox.ts'

const OURS = newId<'organization'>()
const THEIRS = newId<'organization'>()
const lane = systemActor('test.lane', [OURS])

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase({ poolSize: 24 })
})
afterAll(() => test_.drop())
beforeEach(() => resetEvents(test_.admin))

const relay = () => settle(relayOf(test_.database))
const begin = async () => {
  await test_.database.transaction(testActor, (tx) => publish(tx, [event(newId(), 0, OURS)]))
  await relay()
}
const last = (n: number, thing: string = newId(), organizationId: typeof OURS | null = OURS) =>
  test_.database.transaction(lane, (tx) => publishLast(tx, [event(thing, n, organizationId)], bankClock.now()))
const waiting = async () => (await test_.admin.query('select count(*)::int as n from platform.outbox')).rows[0].n
const archived = async () =>
  (await test_.admin.query(`select position::int, (payload->>'n')::int as n from platform.event order by position`)).rows

describe('published as the last thing before a commit', () => {
  test('an event stands in the archive at once, and its consumers are woken', async () => {
    await begin()
    const woken: string[] = []
    const stop = test_.database.onWake((channel) => woken.push(channel))
    await last(1)
    stop()
    expect([await waiting(), woken]).toEqual([0, ['events.archived']])
    expect(await archived()).toEqual([
      { position: 1, n: 0 },
      { position: 2, n: 1 },
    ])
    const page = await test_.database.read(testActor, (tx) => eventsSince(tx, OURS, 1n))
    expect(page.events).toMatchObject([{ type: 'test.happened.v1', organizationId: OURS, archivedAt: bankClock.now() }])
  })

  test('nothing stands there when it is rolled back, and the next one gets its position', async () => {
    await begin()
    const lost = test_.database.transaction(lane, async (tx) => {
      await publishLast(tx, [event(newId(), 1, OURS)], bankClock.now())
      throw new Error('rolled back')
    })
    await expect(lost).rejects.toThrow('rolled back')
    await last(2)
    expect(await archived()).toEqual([
      { position: 1, n: 0 },
      { position: 2, n: 2 },
    ])
  })

  test('it queues behind what its organization has waiting, and not behind what another has', async () => {
    await begin()
    const thing = newId()
    await test_.database.transaction(testActor, (tx) => publish(tx, [event(newId(), 1, THEIRS)]))
    await last(2)
    await test_.database.transaction(testActor, (tx) => publish(tx, [event(thing, 3, OURS)]))
    await last(4, thing)
    expect(await waiting()).toBe(3)
    await relay()
    expect((await archived()).map(({ n }) => n)).toEqual([0, 2, 1, 3, 4])
  })

  test.each([
    ['the first of all events', 0],
    ['one beyond the edge of a partition', 9_999_999],
  ])('%s is left to the relay, which makes its partition', async (_, head) => {
    await begin()
    await test_.admin.query('update platform.event_head set position = $1', [head])
    if (head === 0) await resetEvents(test_.admin)
    await last(1)
    expect(await waiting()).toBe(1)
    await relay()
    await last(2)
    expect(await waiting()).toBe(0)
    expect((await archived()).slice(-2)).toEqual([
      { position: head + 1, n: 1 },
      { position: head + 2, n: 2 },
    ])
  })

  test('one of no organization is left to the relay: nobody here sees what waits before it', async () => {
    await begin()
    await test_.database.transaction(testActor, (tx) => publishLast(tx, [event(newId(), 1)], bankClock.now()))
    expect(await waiting()).toBe(1)
  })

  test('nobody waits for another who has the head: the event goes through the outbox', async () => {
    await begin()
    const holds = Promise.withResolvers<void>()
    const ends = Promise.withResolvers<void>()
    const first = test_.database.transaction(lane, async (tx) => {
      await publishLast(tx, [event(newId(), 1, OURS)], bankClock.now())
      holds.resolve()
      await ends.promise
    })
    await holds.promise
    await last(2)
    expect(await waiting()).toBe(1)
    ends.resolve()
    await first
    await relay()
    expect((await archived()).map(({ n }) => n)).toEqual([0, 1, 2])
  })

  test('whichever way events take, a reader who remembers the last position loses nothing, and aggregates keep their order', async () => {
    await begin()
    const seen = new Map<string, number[]>()
    let position = 0n
    const read = async () => {
      const page = await test_.database.read(testActor, async (tx) =>
        eventsBetween(tx, ['test.happened.v1'], position, await headOf(tx), 1_000),
      )
      for (const one of page) {
        position = one.position
        seen.set(one.aggregateId, [...(seen.get(one.aggregateId) ?? []), one.payload.n as number])
      }
    }
    let writing = true
    const reading = (async () => {
      while (writing) await read()
    })()
    const relaying = (async () => {
      while (writing) await relayOf(test_.database, 7).runOnce()
    })()
    // Each writer's events take both ways, by turns: an aggregate's order must not depend on which.
    await Promise.all(
      Array.from({ length: 12 }, async (_, writer) => {
        const thing = newId()
        for (let n = 0; n < 20; n++) {
          const isLast = (n + writer) % 3 > 0
          await test_.database.transaction(lane, async (tx) => {
            if (isLast) await publishLast(tx, [event(thing, n, OURS)], bankClock.now())
            else await publish(tx, [event(thing, n, OURS)])
            await tx.query(`select pg_sleep(${((writer * 7 + n * 3) % 5) / 1_000})`)
          })
        }
      }),
    )
    writing = false
    await Promise.all([reading, relaying])
    await relay()
    await read()
    const [first, ...others] = seen.values()
    expect(first).toEqual([0])
    expect(others).toEqual(Array.from({ length: 12 }, () => Array.from({ length: 20 }, (_, n) => n)))
  })
})
