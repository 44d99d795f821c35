import type { Tx } from '../postgres/database.ts'
import { ok, type Result, refuse } from '../result.ts'
import { headOf, nextArchivedAt } from './archive.ts'
import * as store from './consumer-store.ts'
import { outboxState } from './outbox.ts'

/** How a consumer does. */
export type ConsumerReport = {
  readonly name: string
  readonly types: readonly string[]
  /** Everything up to here was handled or is set aside. */
  readonly position: bigint
  /** Events of the archive, of whatever type, that it has not come to; and for how long the oldest of them stands there. */
  readonly lag: bigint
  readonly lagSeconds: number
  /** Events that wait for another try or behind one that does, and those that wait for a person. */
  readonly setAside: number
  readonly parked: number
  /** When it fails as a whole: since when, until when it rests, and why. Machine's time. */
  readonly failingSince: Date | null
  readonly restsUntil: Date | null
  readonly lastError: string | null
}

export type DeliveryReport = {
  readonly outbox: { readonly waiting: number; readonly lagSeconds: number }
  /** The archive's newest position. */
  readonly head: bigint
  readonly consumers: readonly ConsumerReport[]
}

/** The state of the outbox and of every consumer: for people and for `/metrics`. @param now the bank's. */
export async function deliveryReport(tx: Tx, now: Date): Promise<DeliveryReport> {
  const head = await headOf(tx)
  const aside = new Map((await store.countAside(tx)).map((row) => [row.consumer, row]))
  const consumers: ConsumerReport[] = []
  for (const row of await store.allConsumers(tx)) {
    const oldest = row.position < head ? await nextArchivedAt(tx, row.position) : undefined
    consumers.push({
      name: row.name,
      types: row.types,
      position: row.position,
      lag: head - row.position,
      lagSeconds: oldest ? Math.max(0, (now.getTime() - oldest.getTime()) / 1_000) : 0,
      setAside: aside.get(row.name)?.waiting ?? 0,
      parked: aside.get(row.name)?.parked ?? 0,
      failingSince: row.failingSince,
      restsUntil: row.retryAt,
      lastError: row.lastError,
    })
  }
  return { outbox: await outboxState(tx, now), head, consumers }
}

export type { SetAsideReport } from './consumer-store.ts'

/** What consumers have set aside: those that wait for a person first; at most `limit`. */
export const setAsideEvents = (tx: Tx, limit: number) => store.allAside(tx, limit)

export type EventRefusal =
  | 'consumer_not_found'
  | 'event_not_set_aside'
  | 'event_waits_behind_another'
  | 'position_ahead_of_consumer'

/**
 * Makes an event due at once, or (`eventId` undefined) all that have failed, and wakes the consumer: with a new day's patience, as if they
 * had never failed. @returns how many are due.
 */
export async function retryEvents(
  tx: Tx,
  consumer: string,
  eventId: string | undefined,
  now: Date,
): Promise<Result<number, EventRefusal>> {
  if (!(await store.awaitConsumer(tx, consumer))) return refuse('consumer_not_found')
  if (eventId !== undefined) {
    const event = await store.findAside(tx, consumer, eventId)
    if (!event) return refuse('event_not_set_aside')
    if (!isFirst(event)) return refuse('event_waits_behind_another')
  }
  await store.endRest(tx, consumer)
  tx.wake(consumer)
  return ok(await store.makeDue(tx, consumer, eventId, now))
}

/** Never hands this event to the consumer, for a reason that is kept; what waited behind it goes on. */
export async function skipEvent(
  tx: Tx,
  consumer: string,
  eventId: string,
  skipped: { readonly reason: string; readonly by: string; readonly now: Date },
): Promise<Result<void, EventRefusal>> {
  if (!(await store.awaitConsumer(tx, consumer))) return refuse('consumer_not_found')
  const event = await store.findAside(tx, consumer, eventId)
  if (!event) return refuse('event_not_set_aside')
  if (!isFirst(event)) return refuse('event_waits_behind_another')
  await store.insertSkipped(tx, consumer, event, skipped)
  await store.removeAside(tx, consumer, event, skipped.now)
  tx.wake(consumer)
  return ok(undefined)
}

const isFirst = (event: store.SetAsideEvent): boolean => event.retryAt !== null || event.parkedAt !== null

/** Hands everything from `position` on to the consumer again; it sees events that it has handled before. Only backwards: ahead lies what it has yet to see. */
export async function replayEvents(
  tx: Tx,
  consumer: string,
  position: bigint,
): Promise<Result<{ events: bigint }, EventRefusal>> {
  const row = await store.awaitConsumer(tx, consumer)
  if (!row) return refuse('consumer_not_found')
  if (position > row.position + 1n) return refuse('position_ahead_of_consumer')
  await store.moveBack(tx, consumer, position)
  tx.wake(consumer)
  return ok({ events: row.position - position + 1n })
}
