import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { bankClock, deliveryOf, event, happened, numbersOf, recorder, relayOf, settle } from '../../../test/support/events.ts'
import { resetEvents } from '../../../test/support/reset-events.ts'
import { fixedClock } from '../clock.ts'
import { Failure } from '../errors.ts'
import { newId } from '../ids.ts'
import { Database, type Tx } from '../postgres/database.ts'
import { deliveryReport, setAsideEvents } from './administration.ts'
import { consumer } from './consumer.ts'
import { type ArchivedEvent, defineEvent, type NewEvent } from './definition.ts'
import type { Delivery } from './delivery.ts'
import { publish } from './outbox.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

let test_: TestDatabase
let machine: ReturnType<typeof fixedClock>

beforeAll(async () => {
  test_ = await createTestDatabase({ poolSize: 24 })
  await test_.admin.query(`
    create table public.effect (consumer text, event_id uuid, n integer not null, check (n <> 666), unique (consumer, event_id) deferrable initially deferred);
    grant select, insert on public.effect to partita_system`)
})
afterAll(() => test_.drop())
beforeEach(async () => {
  machine = fixedClock('2026-11-28T09:00:00Z')
  await resetEvents(test_.admin)
  await test_.admin.query('truncate public.effect')
})

const published = async (...events: NewEvent[]): Promise<void> => {
  await test_.database.transaction(testActor, (tx) => publish(tx, events))
  await settle(relayOf(test_.database))
}
const delivery = (to: Parameters<typeof deliveryOf>[1], batchMax?: number) => deliveryOf(test_.database, to, machine, batchMax)
const report = async () => (await test_.database.read(testActor, (tx) => deliveryReport(tx, bankClock.now()))).consumers
const aside = () => test_.database.read(testActor, (tx) => setAsideEvents(tx, 1_000))
const effect = (name: string, tx: Tx, e: ArchivedEvent) =>
  tx.run`insert into public.effect (consumer, event_id, n) values (${name}, ${e.id}, ${e.payload.n})`
const effects = async (name = 'test.recorder') =>
  (await test_.admin.query('select n from public.effect where consumer = $1 order by n', [name])).rows.map((row) => row.n)

/** Lets the machine's time pass in steps, with everything that becomes due done in between. */
async function letPass(milliseconds: number, step: number, ...passes: Delivery[]): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += step) {
    machine.advance(step)
    await settle(...passes)
  }
}

describe('an event that cannot be handled', () => {
  test('holds back its own aggregate only, and is parked with its reason after a day', async () => {
    const [poisoned, healthy] = [newId(), newId()]
    const picky = recorder('test.picky', (e) => {
      if (e.payload.n === 13) throw new Error('cannot read 13')
    })
    await published(event(poisoned, 13), event(poisoned, 14), event(healthy, 1), event(healthy, 2))
    const pass = delivery(picky)
    await settle(pass)
    expect(numbersOf(picky.seen).slice(-2)).toEqual([1, 2])
    expect(await report()).toMatchObject([{ lag: 0n, setAside: 2, parked: 0 }])
    await letPass(DAY - 15 * MINUTE, 15 * MINUTE, pass)
    expect(await report()).toMatchObject([{ setAside: 2, parked: 0 }])
    await letPass(30 * MINUTE, 15 * MINUTE, pass)
    expect(await report()).toMatchObject([{ setAside: 1, parked: 1 }])
    expect((await aside())[0]).toMatchObject({ reason: 'Error: cannot read 13', parkedAt: expect.any(Date) })
    expect(numbersOf(picky.seen)).not.toContain(14)
  })

  test('is tried again after one second, then twice as long each time, up to a quarter of an hour', async () => {
    let tries = 0
    const fails = recorder('test.fails', () => {
      tries++
      throw new Error('never')
    })
    await published(event(newId(), 1))
    const pass = delivery(fails)
    await pass.runOnce() // registers
    const triesAt: number[] = []
    for (let second = 0; second < 3_600; second++) {
      const before = tries
      await pass.runOnce()
      if (tries > before) triesAt.push(second)
      machine.advance(1_000)
    }
    expect(triesAt).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1_023, 1_923, 2_823])
  })

  test('is handled once it can be, and what waited behind it in order', async () => {
    let isMended = false
    const aggregate = newId()
    const picky = recorder('test.picky', (e) => {
      if (e.payload.n === 1 && !isMended) throw new Error('not yet')
    })
    await published(event(aggregate, 1), event(aggregate, 2))
    const pass = delivery(picky)
    await settle(pass)
    await published(event(aggregate, 3))
    await settle(pass)
    expect(picky.seen).toEqual([])
    isMended = true
    await letPass(MINUTE, MINUTE, pass)
    expect(numbersOf(picky.seen)).toEqual([1, 2, 3])
    expect(await report()).toMatchObject([{ lag: 0n, setAside: 0, parked: 0 }])
  })

  test('that does not fit its schema is parked at once, and was never handed over', async () => {
    const unfit = { ...event(newId(), 1), payload: { thing: 'nothing', n: 'one' } } as NewEvent
    const [good, behind] = [newId(), unfit.aggregateId]
    await published(unfit, event(behind, 2), event(good, 3))
    const consumer = recorder()
    await settle(delivery(consumer))
    expect(numbersOf(consumer.seen)).toEqual([3])
    expect(await aside()).toMatchObject([
      { parkedAt: machine.now(), reason: expect.stringContaining('does not fit test.happened.v1: /') },
      { parkedAt: null, retryAt: null },
    ])
  })

  test('with fields that a later release added is handled', async () => {
    const later = { ...event(newId(), 1), payload: { thing: newId(), n: 1, added: 'later' } } as NewEvent
    const consumer = recorder()
    await published(later)
    await settle(delivery(consumer))
    expect(numbersOf(consumer.seen)).toEqual([1])
  })

  test('whose handler swallowed an error of the database is the one that is set aside, not the one after it', async () => {
    const swallower = recorder('test.recorder', async (e, tx) => {
      await effect('test.recorder', tx, e)
      if (e.payload.n === 3) await tx.run`select 1 / 0`.catch(() => {})
    })
    await published(...[1, 2, 3, 4, 5].map((n) => event(newId(), n)))
    await settle(delivery(swallower))
    expect(await effects()).toEqual([1, 2, 4, 5])
    expect(await aside()).toHaveLength(1)
  })

  test('that fails only at the commit is found among its neighbours, which have one effect', async () => {
    const deferred = recorder('test.recorder', async (e, tx) => {
      await effect('test.recorder', tx, e)
      if (e.payload.n === 3) await effect('test.recorder', tx, e) // unique, checked at the commit
    })
    await published(...[1, 2, 3, 4, 5].map((n) => event(newId(), n)))
    await settle(delivery(deferred))
    expect(await effects()).toEqual([1, 2, 4, 5])
    expect(await aside()).toMatchObject([{ reason: expect.stringContaining('duplicate key') }])
  })
})

describe('a consumer that fails as a whole', () => {
  test('for a moment loses nothing and parks nothing', async () => {
    let isDown = true
    const consumer = recorder('test.recorder', () => {
      if (isDown) throw new Error('down')
    })
    await published(...Array.from({ length: 20 }, (_, n) => event(newId(), n)))
    const pass = delivery(consumer)
    for (let second = 0; second < 1_000; second += 50) {
      await pass.runOnce()
      machine.advance(50)
    }
    isDown = false
    await letPass(10_000, 1_000, pass)
    expect(numbersOf(consumer.seen).toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect(await report()).toMatchObject([{ lag: 0n, setAside: 0, parked: 0, failingSince: null, lastError: null }])
  })

  test('rests after ten in a row, longer each time, and sets aside no more than that', async () => {
    const fails = recorder('test.fails', () => {
      throw new Error('never')
    })
    await published(...Array.from({ length: 500 }, (_, n) => event(newId(), n)))
    const pass = delivery(fails)
    await settle(pass)
    expect(await report()).toMatchObject([
      {
        setAside: 10,
        lag: 490n,
        restsUntil: new Date(machine.now().getTime() + 1_000),
        failingSince: machine.now(),
        lastError: 'Error: never',
      },
    ])
    await letPass(10 * MINUTE, 1_000, pass)
    const [after] = await report()
    expect(after?.lag).toBeGreaterThan(350n)
    expect(after?.parked).toBe(0)
  })

  test('a run of bad events keeps the good ones behind it for minutes, not for days', async () => {
    const picky = recorder('test.picky', (e) => {
      if (e.payload.n < 100) throw new Error('bad')
    })
    await published(...Array.from({ length: 110 }, (_, n) => event(newId(), n)))
    await letPass(20 * MINUTE, 5_000, delivery(picky))
    expect(numbersOf(picky.seen)).toEqual(Array.from({ length: 10 }, (_, n) => 100 + n))
  })

  test('through what passes by itself is left alone, and no event is blamed', async () => {
    let isAway = true
    const consumer = recorder('test.recorder', () => {
      if (isAway) throw new Failure('the object store is away', { retryable: true })
    })
    await published(event(newId(), 1), event(newId(), 2))
    const pass = delivery(consumer)
    await letPass(2 * DAY, 15 * MINUTE, pass)
    expect(await aside()).toEqual([])
    expect(await report()).toMatchObject([{ lag: 2n, lastError: 'Failure: the object store is away' }])
    expect(pass.restUntil?.getTime()).toBeGreaterThan(machine.now().getTime())
    isAway = false
    await letPass(5 * MINUTE, MINUTE, pass)
    expect(numbersOf(consumer.seen)).toEqual([1, 2])
  })

  test('makes no other miss an event or wait for one', async () => {
    const fails = recorder('test.webhooks', () => {
      throw new Error('unreachable')
    })
    const audit = recorder('test.audit')
    await published(event(newId(), 1), event(newId(), 2))
    await settle(delivery(fails), delivery(audit))
    expect(numbersOf(audit.seen)).toEqual([1, 2])
  })

  test('does not repeat the effect of the one before it', async () => {
    let failures = 2
    const first = recorder('test.first')
    const second = recorder('test.second', () => {
      if (failures-- > 0) throw new Error('not yet')
    })
    await published(event(newId(), 1))
    const passes = [delivery(first), delivery(second)]
    await letPass(10_000, 1_000, ...passes)
    expect(first.seen).toHaveLength(1)
    expect(second.seen).toHaveLength(1)
    expect(await settle(...passes)).toBe(0)
  })
})

describe('delivery', () => {
  test('needs one connection: a pool of one is enough for relay and consumers', async () => {
    const narrow = new Database({ url: test_.url, applicationName: 'narrow', poolSize: 1, acquireTimeoutMs: 500 })
    try {
      const consumer = recorder('test.recorder', (e, tx) => effect('test.recorder', tx, e))
      const fails = recorder('test.fails', () => {
        throw new Error('never')
      })
      await narrow.transaction(testActor, (tx) => publish(tx, [event(newId(), 1), event(newId(), 2)]))
      await settle(relayOf(narrow), deliveryOf(narrow, consumer, machine), deliveryOf(narrow, fails, machine))
      expect(await effects()).toEqual([1, 2])
      expect((await aside()).map((e) => e.reason)).toEqual(['Error: never', 'Error: never'])
    } finally {
      await narrow.close()
    }
  })

  test('that dies between the handler and the commit has one effect in the end', async () => {
    let dies = 2
    const consumer = recorder('test.recorder', async (e, tx) => {
      await effect('test.recorder', tx, e)
      if (e.payload.n === 2 && dies-- > 0) await tx.run`select pg_terminate_backend(pg_backend_pid())`
    })
    await published(event(newId(), 1), event(newId(), 2), event(newId(), 3))
    const pass = delivery(consumer)
    await letPass(10_000, 1_000, pass)
    expect(await effects()).toEqual([1, 2, 3])
    expect(await aside()).toEqual([])
  })

  test('by four workers at once hands each event over once, also where some fail at times', async () => {
    const aggregates = Array.from({ length: 20 }, () => newId())
    const events = Array.from({ length: 600 }, (_, n) => event(aggregates[n % 20] as string, n))
    const failed = new Set<number>()
    const order = new Map<string, number[]>()
    const flaky = recorder('test.recorder', async (e, tx) => {
      await effect('test.recorder', tx, e)
      if (e.payload.n % 37 === 5 && !failed.has(e.payload.n)) {
        failed.add(e.payload.n)
        throw new Error('the first time fails')
      }
    })
    await published(...events)
    const workers = Array.from({ length: 4 }, () => delivery(flaky, 20))
    for (let round = 0; round < 40; round++) {
      await Promise.all(workers.map((worker) => settle(worker)))
      machine.advance(1_000)
    }
    expect(await effects()).toEqual(Array.from({ length: 600 }, (_, n) => n))
    const { rows } = await test_.admin.query(
      'select e.aggregate_id, f.n from public.effect f join platform.event e on e.id = f.event_id order by f.xmin::text::bigint, f.ctid',
    )
    for (const row of rows) order.set(row.aggregate_id, [...(order.get(row.aggregate_id) ?? []), row.n])
    for (const numbers of order.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
  })

  test('to a slow consumer keeps its transactions short', async () => {
    const slow = recorder('test.slow', () => machine.advance(400))
    await published(...Array.from({ length: 10 }, (_, n) => event(newId(), n)))
    const pass = delivery(slow)
    const perPass: number[] = []
    await pass.runOnce() // registers
    for (let done = await pass.runOnce(); done > 0; done = await pass.runOnce()) perPass.push(done)
    expect(perPass).toEqual([3, 3, 3, 1])
  })

  test('tells the handler whose name it works in, and bounds it to the organization of the event', async () => {
    const organization = newId<'organization'>()
    const actors: unknown[] = []
    const seen: unknown[] = []
    const curious = consumer('test.curious', {
      on: [happened],
      describe: 'Looks around.',
      from: 'beginning',
      handle: async (ctx, tx) => {
        actors.push(ctx)
        seen.push((await tx.one<{ all: number }>`select count(*)::int as all from platform.event`).all)
      },
    })
    await published(event(newId(), 1, newId()))
    await published(event(newId(), 2, organization))
    await settle(deliveryOf(test_.database, curious, machine, 1))
    expect(actors.at(-1)).toEqual({
      actor: { kind: 'system', as: 'test.curious', organizationIds: [organization] },
      now: bankClock.now(),
    })
    expect(seen).toEqual([1, 1])
  })

  test('starts a new consumer at the present end, or where it asks for it at the beginning', async () => {
    await published(event(newId(), 1))
    const fromNow = recorder('test.from_now')
    const late = { ...fromNow, from: 'now' as const }
    const historian = recorder('test.historian')
    const passes = [delivery(late), delivery(historian)]
    await settle(...passes)
    await published(event(newId(), 2))
    await settle(...passes)
    expect(numbersOf(fromNow.seen)).toEqual([2])
    expect(numbersOf(historian.seen)).toEqual([1, 2])
  })

  test('passes over what the consumer does not listen to, in steps', async () => {
    const rare = defineEvent('test.rare.v1', happened.schema, { aggregate: 'thing', describe: 'Seldom.' })
    const listener = consumer('test.listener', { on: [rare], describe: 'Listens.', from: 'beginning', handle: async () => {} })
    await published(...Array.from({ length: 300 }, (_, n) => event(newId(), n)))
    await settle(delivery(listener))
    expect(await report()).toMatchObject([{ name: 'test.listener', lag: 0n, lagSeconds: 0 }])
  })
})

describe('20,000 events and three consumers', () => {
  test('of which one fails for ten minutes and one is slow: the others are level, nothing is parked, order is kept, then all are level', async () => {
    const things = Array.from({ length: 4_000 }, () => newId())
    const events = Array.from({ length: 20_000 }, (_, n) => event(things[(n * 7) % 4_000] as string, n))
    let isDown = true
    const level = recorder('test.level')
    const fails = recorder('test.fails', () => {
      if (isDown) throw new Error('unreachable')
    })
    const slow = recorder('test.slow', () => machine.advance(20)) // fifty a second
    for (let n = 0; n < events.length; n += 2_000) await published(...events.slice(n, n + 2_000))
    const [levelPass, failsPass, slowPass] = [delivery(level, 100), delivery(fails, 100), delivery(slow, 100)]

    await settle(levelPass) // takes no machine time at all: whatever the others do, it waits for none of it
    const downUntil = machine.now().getTime() + 10 * MINUTE
    while (machine.now().getTime() < downUntil) {
      const done = (await failsPass.runOnce()) + (await slowPass.runOnce())
      if (done === 0) machine.advance(1_000)
    }
    const [failing, ok, behind] = await report()
    expect(ok).toMatchObject({ name: 'test.level', lag: 0n, setAside: 0, parked: 0 })
    expect(failing).toMatchObject({ name: 'test.fails', parked: 0, lastError: 'Error: unreachable' })
    expect(failing?.lag).toBeGreaterThan(19_000n) // and has not been led through the archive for nothing
    expect(behind).toMatchObject({ name: 'test.slow', lag: 0n, parked: 0, setAside: 0 })

    isDown = false
    await letPass(5 * MINUTE, 10_000, failsPass, slowPass)
    for (const { lag, setAside, parked, failingSince } of await report())
      expect({ lag, setAside, parked, failingSince }).toEqual({ lag: 0n, setAside: 0, parked: 0, failingSince: null })
    for (const { seen } of [level, fails, slow]) {
      expect(seen).toHaveLength(20_000)
      for (const events of Map.groupBy(seen, (e) => e.aggregateId).values())
        expect(numbersOf(events)).toEqual(numbersOf(events).toSorted((a, b) => Number(a) - Number(b)))
    }
  })
})

describe('workers of two releases side by side', () => {
  const added = defineEvent('test.added.v1', happened.schema, { aggregate: 'thing', describe: 'New in this release.' })
  const release = (...on: (typeof happened | typeof added)[]) => {
    const seen: unknown[] = []
    const made = consumer('test.grown', {
      on,
      describe: 'Grew.',
      from: 'beginning',
      handle: async (_, __, e) => void seen.push(e.payload.n),
    })
    return { seen, pass: deliveryOf(test_.database, made, machine) }
  }
  const addedEvent = (n: number) => added.of({ thing: newId(), n }, { organizationId: null, occurredAt: bankClock.now() })

  test('the one that knows fewer events stands back, and none is stepped over', async () => {
    const before = release(happened)
    await settle(before.pass)
    const after = release(happened, added)
    await settle(after.pass)
    await published(event(newId(), 1), addedEvent(2))
    await settle(before.pass)
    expect(before.seen).toEqual([])
    await settle(after.pass, before.pass)
    expect(after.seen).toEqual([1, 2])
  })

  test('when the newer has gone, or needs an event no more, the other takes over after two minutes', async () => {
    const wide = release(happened, added)
    await settle(wide.pass)
    const narrow = release(happened)
    await published(event(newId(), 1), addedEvent(2))
    await letPass(MINUTE, 10_000, narrow.pass)
    expect(narrow.seen).toEqual([])
    await letPass(2 * MINUTE, 10_000, narrow.pass)
    expect(narrow.seen).toEqual([1])
    await settle(narrow.pass)
    expect(await report()).toMatchObject([{ types: ['test.happened.v1'], lag: 0n }])
  })
})
