import { Type } from 'typebox'
import { fixedClock } from '../../src/platform/clock.ts'
import { type Consumer, type ConsumerName, consumer } from '../../src/platform/events/consumer.ts'
import { type ArchivedEvent, defineEvent, type NewEvent, Uuid } from '../../src/platform/events/definition.ts'
import { Delivery } from '../../src/platform/events/delivery.ts'
import { EventRelay } from '../../src/platform/events/relay.ts'
import type { Id } from '../../src/platform/ids.ts'
import { silentLogger } from '../../src/platform/logging.ts'
import type { Database, Tx } from '../../src/platform/postgres/database.ts'

/** The bank's clock, which stands still. */
export const bankClock = fixedClock('2026-03-02T09:00:00Z')

export const happened = defineEvent('test.happened.v1', Type.Object({ thing: Uuid('what it happened to'), n: Type.Integer() }), {
  aggregate: 'thing',
  describe: 'Something happened.',
})

export const event = (thing: string, n: number, organizationId: Id<'organization'> | null = null): NewEvent =>
  happened.of({ thing, n }, { organizationId, occurredAt: bankClock.now() })

/** A consumer that remembers what it saw, once committed or not; `handle` may do more, or throw. */
export function recorder(
  name: ConsumerName = 'test.recorder',
  handle: (event: ArchivedEvent & { payload: { n: number } }, tx: Tx) => unknown = () => {},
): Consumer & { seen: ArchivedEvent[] } {
  const seen: ArchivedEvent[] = []
  const made = consumer(name, {
    on: [happened],
    describe: 'Remembers what it saw.',
    from: 'beginning',
    handle: async (_, tx, e) => {
      await handle(e, tx)
      seen.push(e)
    },
  })
  return { ...made, seen }
}

export const numbersOf = (events: readonly ArchivedEvent[]): unknown[] => events.map((e) => e.payload.n)

export const relayOf = (database: Database, batchSize = 50) => new EventRelay({ database, clock: bankClock, batchSize })

export const deliveryOf = (database: Database, to: Consumer, machine = fixedClock('2026-11-28T09:00:00Z'), batchMax = 50) =>
  new Delivery({ database, consumer: to, clock: bankClock, machine, logger: silentLogger, batchMax })

/** Runs passes until each says that it has nothing to do. @returns how much was done in all. */
export async function settle(...passes: readonly { runOnce(): Promise<number> }[]): Promise<number> {
  let total = 0
  for (let idle = 0, turn = 0; idle < passes.length; turn++) {
    const done = (await passes[turn % passes.length]?.runOnce()) ?? 0
    total += done
    idle = done > 0 ? 0 : idle + 1
  }
  return total
}
