import { pruneIdempotency } from './idempotency.ts'
import type { World } from './module.ts'
import { type Consumer, OutboxRelay, outboxLagSeconds, parkedEvents, pruneOutbox } from './outbox.ts'
import { chore, type Pass } from './passes/pass.ts'

/** Who takes what the modules publish. Audit, webhooks and notifications will stand here; an event without a consumer just leaves. */
const CONSUMERS: readonly Consumer[] = []

const RELAY_MS = 200
const LAG_MS = 1_000
const HOUSEKEEPING_MS = 60_000
/** How long published events stay readable for whoever looks for a cause. */
const OUTBOX_KEPT_MS = 7 * 24 * 3_600_000
/** Rows forgotten in one transaction: a full batch, and there may be more. */
const PRUNED_AT_ONCE = 5_000

/** What the platform does by itself. */
export function housekeeping({ database, clock, metrics }: World): Pass[] {
  const relay = new OutboxRelay({ database, clock, consumers: CONSUMERS })
  let lagSeconds = 0
  metrics.gauge('partita_outbox_lag_seconds', 'Age of the oldest event that has not left.', () => lagSeconds)
  let parked = 0
  metrics.gauge('partita_outbox_parked', 'Events that were given up on after too many failures.', () => parked)
  const untilNotFull = (pruned: number) => (pruned >= PRUNED_AT_ONCE ? pruned : 0)
  return [
    chore({
      name: 'platform.relay_outbox',
      describe: 'Hands published events to their consumers',
      everyMs: RELAY_MS,
      wakes: ['events'],
      run: () => relay.runOnce(),
    }),
    chore({
      name: 'platform.measure_outbox',
      describe: 'Measures how far the outbox lags behind',
      everyMs: LAG_MS,
      run: ({ actor }) =>
        database.read(actor, async (tx) => {
          lagSeconds = await outboxLagSeconds(tx, clock.now())
          parked = await parkedEvents(tx)
          return 0
        }),
    }),
    chore({
      name: 'platform.prune_idempotency_records',
      describe: 'Forgets answers whose keys have run out',
      everyMs: HOUSEKEEPING_MS,
      run: async ({ actor, now }) =>
        untilNotFull(await database.transaction(actor, (tx) => pruneIdempotency(tx, now, PRUNED_AT_ONCE))),
    }),
    chore({
      name: 'platform.prune_outbox',
      describe: 'Forgets events that left a week ago',
      everyMs: HOUSEKEEPING_MS,
      run: async ({ actor, now }) => {
        const before = new Date(now.getTime() - OUTBOX_KEPT_MS)
        return untilNotFull(await database.transaction(actor, (tx) => pruneOutbox(tx, before, PRUNED_AT_ONCE)))
      },
    }),
  ]
}
