import fc from 'fast-check'
import { afterAll, beforeAll, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { deliveryOf, event, recorder, relayOf, settle } from '../../../test/support/events.ts'
import { resetEvents } from '../../../test/support/reset-events.ts'
import { fixedClock } from '../clock.ts'
import { Failure } from '../errors.ts'
import { newId } from '../ids.ts'
import type { Tx } from '../postgres/database.ts'
import type { ArchivedEvent, NewEvent } from './definition.ts'
import { publish } from './outbox.ts'

const DAY = 24 * 3_600_000

let test_: TestDatabase
beforeAll(async () => {
  test_ = await createTestDatabase()
  await test_.admin.query(`
    create table public.effect (number bigint generated always as identity, n integer not null, event_id uuid, unique (event_id) deferrable initially deferred);
    grant select, insert on public.effect to partita_system`)
})
afterAll(() => test_.drop())

/** What may go wrong while an event is handled, the first `times` it is tried. */
const HOW = ['throws', 'swallows', 'at commit', 'dies', 'passes by'] as const
type Trouble = { readonly how: (typeof HOW)[number]; readonly times: number }

async function goWrong(how: Trouble['how'], tx: Tx, e: ArchivedEvent): Promise<void> {
  if (how === 'throws') throw new Error('no')
  if (how === 'passes by') throw new Failure('not now', { retryable: true })
  if (how === 'swallows') await tx.run`select 1 / 0`.catch(() => {})
  if (how === 'at commit') await tx.run`insert into public.effect (n, event_id) values (${e.payload.n}, ${e.id})`
  if (how === 'dies') await tx.run`select pg_terminate_backend(pg_backend_pid())`
}

const trouble = fc.option(fc.record({ how: fc.constantFrom(...HOW), times: fc.integer({ min: 1, max: 4 }) }), { freq: 4 })
const story = fc.record({
  events: fc.array(fc.record({ thing: fc.integer({ min: 0, max: 4 }), isUnfit: fc.boolean(), trouble }), {
    minLength: 1,
    maxLength: 40,
  }),
  batchMax: fc.integer({ min: 1, max: 12 }),
  workers: fc.integer({ min: 1, max: 3 }),
})

test('whatever goes wrong, each event has one effect in the end, in order per aggregate, but for what stands behind one that cannot fit', async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ events, batchMax, workers }) => {
      await resetEvents(test_.admin)
      await test_.admin.query('truncate public.effect')
      const things = Array.from({ length: 5 }, () => newId())
      const isUnfit = (index: number) => events[index]?.isUnfit === true && index % 5 === 0
      const published = events.map(({ thing }, n): NewEvent => {
        const made = event(things[thing] as string, n)
        return isUnfit(n) ? ({ ...made, payload: { ...made.payload, n: 'none' } } as NewEvent) : made
      })
      const left = new Map(events.map(({ trouble: t }, n) => [n, t?.times ?? 0]))
      const consumer = recorder('test.recorder', async (e, tx) => {
        await tx.run`insert into public.effect (n, event_id) values (${e.payload.n}, ${e.id})`
        const times = left.get(e.payload.n) ?? 0
        left.set(e.payload.n, times - 1)
        const { how } = events[e.payload.n]?.trouble ?? {}
        if (how && times > 0) await goWrong(how, tx, e)
      })
      await test_.database.transaction(testActor, (tx) => publish(tx, published))
      await settle(relayOf(test_.database))
      const machine = fixedClock('2026-11-28T09:00:00Z')
      const passes = Array.from({ length: workers }, () => deliveryOf(test_.database, consumer, machine, batchMax))
      const expected = things.map((_, thing) => {
        const own = events.flatMap((e, n) => (e.thing === thing ? [n] : []))
        const firstUnfit = own.findIndex(isUnfit)
        return firstUnfit === -1 ? own : own.slice(0, firstUnfit)
      })
      const effects = async () => (await test_.admin.query<{ n: number }>('select n from public.effect order by number')).rows
      for (let round = 0; round < 60 && (await effects()).length < expected.flat().length; round++) {
        await Promise.all(passes.map((pass) => settle(pass)))
        machine.advance(DAY / 400)
      }
      await settle(...passes)
      const rows = await effects()
      expected.forEach((numbers, thing) => {
        const seen = rows.map((row) => row.n).filter((n) => events[n]?.thing === thing)
        if (JSON.stringify(seen) !== JSON.stringify(numbers)) throw new Error(`thing ${thing}: ${seen} instead of ${numbers}`)
      })
    }),
    { numRuns: 20 },
  )
})
