import { systemClock } from '../clock.ts'
import type { World } from '../module.ts'
import { chore, type Pass } from '../passes/pass.ts'
import { type ConsumerReport, type DeliveryReport, deliveryReport } from './administration.ts'
import { ARCHIVED } from './archive.ts'
import type { Consumer } from './consumer.ts'
import { Delivery } from './delivery.ts'
import { PUBLISHED } from './outbox.ts'
import { EventRelay } from './relay.ts'

// A wake brings both at once; this is for a wake that was lost, and for what is due again.
const RELAY_MS = 200
const CONSUMER_MS = 1_000
const MEASURE_MS = 1_000

/** The relay, and one pass per consumer. */
export function eventPasses(world: World, consumers: readonly Consumer[]): Pass[] {
  const { database, clock, logger } = world
  const relay = new EventRelay({ database, clock })
  const deliveries = consumers.map((consumer) => new Delivery({ database, consumer, clock, machine: systemClock, logger }))
  return [
    chore({
      name: 'events.relay',
      describe: 'Moves published events from the outbox to the archive',
      everyMs: RELAY_MS,
      wakes: [PUBLISHED],
      run: () => relay.runOnce(),
    }),
    measuring(world),
    ...deliveries.map((delivery, index) =>
      chore({
        name: delivery.name,
        describe: consumers[index]?.describe ?? '',
        everyMs: CONSUMER_MS,
        wakes: [ARCHIVED],
        run: () => delivery.runOnce(),
      }),
    ),
  ]
}

/** Looks at the outbox and at every consumer once a second, for `/metrics`. */
function measuring({ database, clock, metrics }: World): Pass {
  let report: DeliveryReport | undefined
  const outbox = (name: string, help: string, read: (report: DeliveryReport) => number) =>
    metrics.gauge(name, help, () => (report ? read(report) : 0))
  const perConsumer = (name: string, help: string, read: (consumer: ConsumerReport) => number) =>
    metrics.series('gauge', name, help, 'consumer', () => new Map(report?.consumers.map((c) => [c.name, read(c)])))
  outbox('partita_outbox_lag_seconds', 'Age of the oldest event that has not left.', (r) => r.outbox.lagSeconds)
  outbox('partita_outbox_waiting', 'Events that have not left.', (r) => r.outbox.waiting)
  perConsumer('partita_consumer_lag', 'Events of the archive that a consumer has not come to.', (c) => Number(c.lag))
  perConsumer('partita_consumer_lag_seconds', 'Age of the oldest of them.', (c) => c.lagSeconds)
  perConsumer('partita_consumer_set_aside', 'Events that failed and will be tried again, and those that wait behind them.', (c) => c.setAside) // biome-ignore format: a table
  perConsumer('partita_consumer_parked', 'Events that wait for a person.', (c) => c.parked)
  perConsumer('partita_consumer_failing', 'Whether a consumer fails as a whole.', (c) => (c.failingSince ? 1 : 0))
  return chore({
    name: 'events.measure',
    describe: 'Measures how far the outbox and the consumers lag behind',
    everyMs: MEASURE_MS,
    run: async ({ actor }) => {
      report = await database.read(actor, (tx) => deliveryReport(tx, clock.now()))
      return 0
    },
  })
}
