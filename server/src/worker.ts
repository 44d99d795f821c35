import type { Clock } from './platform/clock.ts'
import { pruneIdempotency } from './platform/idempotency.ts'
import type { Logger } from './platform/logging.ts'
import type { ModuleParts, World } from './platform/module.ts'
import { type Consumer, OutboxRelay, outboxLagSeconds, parkedEvents, pruneOutbox } from './platform/outbox.ts'
import type { Database } from './platform/postgres/database.ts'

/** Who takes what the modules publish. Audit, webhooks and notifications will stand here; an event without a consumer just leaves. */
const CONSUMERS: readonly Consumer[] = []

export type Worker = {
  /** Lets the pass in hand finish, then ends. */
  stop(): Promise<void>
}

/** How long a loop rests when its pass found nothing to do. */
const IDLE_MS = 200
/** After a failure (database or rail away) loops come back slower, up to this. */
const BACKOFF_MS_MAX = 5_000
const LAG_MS = 1_000
const HOUSEKEEPING_MS = 60_000
/** How long published events stay readable for whoever looks for a cause. */
const OUTBOX_KEPT_MS = 7 * 24 * 3_600_000

/** Runs what moves by itself: the outbox relay, the modules' passes, housekeeping. Any number of workers may run side by side. */
export async function startWorker(world: World, parts: readonly ModuleParts[]): Promise<Worker> {
  const { database, clock, logger } = world
  const relay = new OutboxRelay({ database, clock, consumers: CONSUMERS })
  let lagSeconds = 0
  world.metrics.gauge('partita_outbox_lag_seconds', 'Age of the oldest event that has not left.', () => lagSeconds)
  let parked = 0
  world.metrics.gauge('partita_outbox_parked', 'Events that were given up on after too many failures.', () => parked)
  const measureLag = async () => {
    await database.read('system', async (tx) => {
      lagSeconds = await outboxLagSeconds(tx, clock.now())
      parked = await parkedEvents(tx)
    })
    return 0
  }

  const stopping = new AbortController()
  const loop = (name: string, pass: () => Promise<number>, idleMs = IDLE_MS) =>
    runLoop(name, pass, idleMs, logger, stopping.signal)
  const loops = [
    loop('outbox relay', () => relay.runOnce()),
    loop('outbox lag', measureLag, LAG_MS),
    loop('housekeeping', () => keepHouse(database, clock), HOUSEKEEPING_MS),
    ...parts.flatMap(({ passes = [] }) => passes).map((pass) => loop(pass.name, () => pass.run())),
  ]
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

/** One pass after another: at once while there is work, after a rest when there is none. One that fails is logged once per failure and tried again. */
async function runLoop(
  name: string,
  pass: () => Promise<number>,
  idleMs: number,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    try {
      const done = await pass()
      if (failures > 0) logger.info('a worker loop works again', { 'event.action': name })
      failures = 0
      if (done === 0) await rest(idleMs, signal)
    } catch (error) {
      failures++
      // A rail that is away is said once, not five times a second.
      if (failures === 1) logger.error('a worker loop failed and will try again', error, { 'event.action': name })
      await rest(Math.min(BACKOFF_MS_MAX, IDLE_MS * 2 ** Math.min(failures, 6)), signal)
    }
  }
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve() // during the pass: the event has been and does not come again
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done, { once: true })
  })
}

async function keepHouse(database: Database, clock: Clock): Promise<number> {
  const now = clock.now()
  const pruned = await database.transaction('system', async (tx) => {
    const keys = await pruneIdempotency(tx, now)
    return keys + (await pruneOutbox(tx, new Date(now.getTime() - OUTBOX_KEPT_MS)))
  })
  return pruned >= 5_000 ? pruned : 0 // a full batch: go on at once, else rest
}
