import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts'
import { fixedClock } from './clock.ts'
import { newId } from './ids.ts'
import {
  type Consumer,
  handleOnce,
  type NewEvent,
  type OutboxEvent,
  OutboxRelay,
  outboxLagSeconds,
  parkedEvents,
  pruneOutbox,
  publish,
} from './outbox.ts'

const clock = fixedClock('2026-03-02T09:00:00Z')
let test_: TestDatabase

beforeAll(async () => {
  test_ = await createTestDatabase({ poolSize: 24 })
})
afterAll(() => test_.drop())
beforeEach(() => test_.admin.query('truncate platform.outbox, platform.handled_event'))

const event = (aggregateId: string, n: number): NewEvent => ({
  topic: 'test',
  type: 'test.happened.v1',
  aggregateId,
  organizationId: null,
  payload: { n },
  occurredAt: clock.now(),
})

function recorder(name = 'recorder'): Consumer & { seen: OutboxEvent[] } {
  const seen: OutboxEvent[] = []
  return { name, types: ['test.happened.v1'], seen, handle: async (_, e) => void seen.push(e) }
}

const relayTo = (...consumers: Consumer[]) =>
  new OutboxRelay({ database: test_.database, clock, consumers, batchSize: 50, attemptsMax: 3 })

async function drain(relay: OutboxRelay): Promise<number> {
  let total = 0
  for (let passed = await relay.runOnce(); passed > 0; passed = await relay.runOnce()) total += passed
  return total
}

/** Writers whose transactions overlap on purpose: each holds its commit back until `overlap` others have taken a later position. */
async function writeConcurrently(writers: number, perWriter: number): Promise<void> {
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const aggregate = newId<'aggregate'>()
      for (let n = 0; n < perWriter; n++) {
        await test_.database.transaction('system', async (tx) => {
          await publish(tx, [event(aggregate, n)])
          await tx.query(`select pg_sleep(${((writer * 7 + n * 3) % 5) / 1_000})`)
        })
      }
    }),
  )
}

describe('the outbox', () => {
  test('an event leaves only if its transaction commits', async () => {
    const consumer = recorder()
    await test_.database.transaction('system', (tx) => publish(tx, [event(newId(), 1)]))
    await test_.database
      .transaction('system', async (tx) => {
        await publish(tx, [event(newId(), 2)])
        throw new Error('rolled back')
      })
      .catch(() => {})
    await drain(relayTo(consumer))
    expect(consumer.seen.map((e) => e.payload.n)).toEqual([1])
  })

  test('with 16 overlapping writers and 2 relays nothing is lost, and each aggregate arrives in order', async () => {
    const consumer = recorder()
    const relays = [relayTo(consumer), relayTo(consumer)]
    let writing = true
    const pumping = Promise.all(
      relays.map(async (relay) => {
        while (writing) await relay.runOnce()
      }),
    )
    await writeConcurrently(16, 25)
    writing = false
    await pumping
    await Promise.all(relays.map(drain))
    expect(consumer.seen).toHaveLength(400)
    const byAggregate = Map.groupBy(consumer.seen, (e) => e.aggregateId)
    expect(byAggregate.size).toBe(16)
    for (const events of byAggregate.values())
      expect(events.map((e) => e.payload.n)).toEqual(Array.from({ length: 25 }, (_, n) => n))
  })

  test('control: a reader that remembers the last position loses events under the same writers', async () => {
    const seen = new Set<string>()
    let last = 0n
    let writing = true
    const pump = async () => {
      const rows = await test_.database.read(
        'system',
        (tx) =>
          tx.rows<{
            id: string
            position: bigint
          }>`select id, position from platform.outbox where position > ${last} order by position`,
      )
      for (const row of rows) {
        seen.add(row.id)
        last = row.position
      }
    }
    const pumping = (async () => {
      while (writing) await pump()
    })()
    await writeConcurrently(16, 25)
    writing = false
    await pumping
    await pump()
    expect(seen.size).toBeLessThan(400)
  })

  test('a second delivery of the same event has no second effect', async () => {
    const consumer = recorder()
    await test_.database.transaction('system', (tx) => publish(tx, [event(newId(), 1)]))
    await drain(relayTo(consumer))
    const [delivered] = consumer.seen
    expect(await handleOnce({ database: test_.database, clock }, consumer, delivered as OutboxEvent)).toBe(false)
    expect(consumer.seen).toHaveLength(1)
  })

  test('a poisonous event is parked with its reason and holds back its own aggregate only', async () => {
    const poisoned = newId<'aggregate'>()
    const healthy = newId<'aggregate'>()
    const seen: unknown[] = []
    const consumer: Consumer = {
      name: 'picky',
      types: ['test.happened.v1'],
      handle: async (_, e) => {
        if (e.payload.n === 13) throw new Error('cannot read 13')
        seen.push(e.payload.n)
      },
    }
    await test_.database.transaction('system', (tx) =>
      publish(tx, [event(poisoned, 13), event(poisoned, 14), event(healthy, 1), event(healthy, 2)]),
    )
    const relay = relayTo(consumer)
    for (let pass = 0; pass < 5; pass++) await relay.runOnce()
    expect(seen).toEqual([1, 2])
    const { rows } = await test_.admin.query('select parked_reason from platform.outbox where parked_reason is not null')
    expect(rows).toEqual([{ parked_reason: 'cannot read 13' }])
    expect(await test_.database.read('system', parkedEvents)).toBe(1)
  })

  test('one consumer that fails does not repeat the effect of the one before it', async () => {
    const first = recorder('first')
    let failures = 2
    const second: Consumer = {
      name: 'second',
      types: ['test.happened.v1'],
      handle: async () => {
        if (failures-- > 0) throw new Error('not yet')
      },
    }
    await test_.database.transaction('system', (tx) => publish(tx, [event(newId(), 1)]))
    const relay = relayTo(first, second)
    for (let pass = 0; pass < 3; pass++) await relay.runOnce()
    expect(first.seen).toHaveLength(1)
    expect(await relay.runOnce()).toBe(0)
  })

  test('says how long the oldest event waits, and forgets what was published long ago', async () => {
    await test_.database.transaction('system', (tx) => publish(tx, [event(newId(), 1)]))
    const later = new Date(clock.now().getTime() + 90_000)
    expect(await test_.database.read('system', (tx) => outboxLagSeconds(tx, later))).toBe(90)
    await drain(relayTo(recorder()))
    expect(await test_.database.read('system', (tx) => outboxLagSeconds(tx, later))).toBe(0)
    expect(await test_.database.transaction('system', (tx) => pruneOutbox(tx, later))).toBe(2)
  })
  test('forgets what was published, however much was given up on before it', async () => {
    const fails: Consumer = { name: 'fails', types: ['test.happened.v1'], handle: () => Promise.reject(new Error('never')) }
    await test_.database.transaction('system', (tx) => publish(tx, [event(newId(), 1)]))
    const relay = relayTo(fails)
    for (let pass = 0; pass < 4; pass++) await relay.runOnce()
    await test_.database.transaction('system', (tx) => publish(tx, [event(newId(), 2)]))
    await drain(relayTo())
    const later = new Date(clock.now().getTime() + 90_000)
    expect(await test_.database.transaction('system', (tx) => pruneOutbox(tx, later, 1))).toBe(1)
    expect(await test_.database.read('system', parkedEvents)).toBe(1)
  })
})
