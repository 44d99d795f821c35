import type { Clock } from './clock.ts'
import { type Id, newId } from './ids.ts'
import type { Database, Tx } from './postgres/database.ts'

/** A published fact: past tense and versioned, such as `payments.internal_transfer_completed.v1`. Amounts in it are decimal strings. */
export type OutboxEvent = {
  readonly id: Id<'event'>
  /** The module it comes from; one topic per module. */
  readonly topic: string
  readonly type: string
  /** Whose history it belongs to: events of one aggregate arrive in the order they were committed. */
  readonly aggregateId: string
  readonly organizationId: string | null
  readonly payload: Readonly<Record<string, unknown>>
  readonly occurredAt: Date
}

export type NewEvent = Omit<OutboxEvent, 'id'>

/** Writes facts in the transaction that made them true, in one statement: they leave if, and only if, it commits. */
export async function publish(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  await tx.run`
    insert into platform.outbox (id, topic, type, aggregate_id, organization_id, payload, occurred_at)
    select * from unnest(
      ${events.map(() => newId<'event'>())}::uuid[], ${events.map((e) => e.topic)}::text[], ${events.map((e) => e.type)}::text[],
      ${events.map((e) => e.aggregateId)}::uuid[], ${events.map((e) => e.organizationId)}::uuid[],
      ${events.map((e) => JSON.stringify(e.payload))}::jsonb[], ${events.map((e) => e.occurredAt)}::timestamptz[])`
}

/** Takes events on behalf of the rest of the bank. Each is handled once, in a transaction that also remembers that it was. */
export interface Consumer {
  readonly name: string
  readonly types: readonly string[]
  handle(tx: Tx, event: OutboxEvent): Promise<void>
}

export type RelayOptions = {
  readonly database: Database
  readonly clock: Clock
  readonly consumers: readonly Consumer[]
  /** Aggregates taken per pass, default 500. */
  readonly batchSize?: number
  /** Failed deliveries after which an event is parked with its reason, default 8. A parked event holds back its own aggregate only. */
  readonly attemptsMax?: number
}

/**
 * Hands the outbox to its consumers: at least once, in order per aggregate, by any number of relays side by side.
 *
 * It takes the *heads*: unpublished events with no earlier unpublished event of the same aggregate, `for update skip locked`. Whoever
 * holds a head owns its aggregate, since the next event is no head before this one is published. It never remembers a position: a
 * lower position may be committed after a higher one, and a reader of `position > last` would lose it (17 % of 4,000 events with
 * 16 writers; outbox.db.test.ts keeps that reader as a failing control).
 */
export class OutboxRelay {
  readonly #options: RelayOptions

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** One pass. @returns how many events were published; 0 means that nothing is waiting, or that others hold what is. */
  async runOnce(): Promise<number> {
    const { database, clock } = this.#options
    return database.transaction('system', async (tx) => {
      const events = await takeBatch(tx, this.#options.batchSize ?? 500)
      if (events.length === 0) return 0
      const published: string[] = []
      const stuck = new Set<string>()
      for (const event of events) {
        if (stuck.has(event.aggregateId)) continue
        const failure = await this.#deliver(event)
        if (failure === undefined) published.push(event.id)
        else {
          stuck.add(event.aggregateId)
          await recordFailure(tx, event.id, failure, this.#options.attemptsMax ?? 8)
        }
      }
      await tx.run`update platform.outbox set published_at = ${clock.now()} where id = any(${published}::uuid[])`
      return published.length
    })
  }

  async #deliver(event: OutboxEvent): Promise<string | undefined> {
    try {
      for (const consumer of this.#options.consumers) {
        if (consumer.types.includes(event.type)) await handleOnce(this.#options, consumer, event)
      }
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}

/** The consumer's effect and the memory of it in one commit: a second delivery of the same event does nothing. */
export async function handleOnce(
  options: { database: Database; clock: Clock },
  consumer: Consumer,
  event: OutboxEvent,
): Promise<boolean> {
  return options.database.transaction('system', async (tx) => {
    const isFirst = await tx.run`
      insert into platform.handled_event (consumer, event_id, handled_at) values (${consumer.name}, ${event.id}, ${options.clock.now()})
      on conflict do nothing`
    if (isFirst === 0) return false
    await consumer.handle(tx, event)
    return true
  })
}

/** Locks up to `limit` heads and reads them with what follows in the same aggregates, in order. */
async function takeBatch(tx: Tx, limit: number): Promise<OutboxEvent[]> {
  const heads = await tx.rows<{ aggregate_id: string }>`
    select o.aggregate_id
      from platform.outbox o
     where o.published_at is null and o.parked_reason is null
       and not exists (
         select 1 from platform.outbox earlier
          where earlier.aggregate_id = o.aggregate_id and earlier.position < o.position and earlier.published_at is null)
     order by o.position
     limit ${limit}
       for update skip locked`
  if (heads.length === 0) return []
  return tx.rows<OutboxEvent>`
    select id, topic, type, aggregate_id as "aggregateId", organization_id as "organizationId", payload, occurred_at as "occurredAt"
      from platform.outbox
     where aggregate_id = any(${heads.map((h) => h.aggregate_id)}::uuid[]) and published_at is null and parked_reason is null
     order by position
     limit ${limit * 4}`
}

const recordFailure = (tx: Tx, id: string, reason: string, attemptsMax: number) => tx.run`
  update platform.outbox
     set attempts = attempts + 1, parked_reason = case when attempts + 1 >= ${attemptsMax} then ${reason} end
   where id = ${id}`

/** Seconds since the oldest event that still waits, 0 when none does: for `/metrics`. */
export async function outboxLagSeconds(tx: Tx, now: Date): Promise<number> {
  const row = await tx.maybe<{ occurred_at: Date }>`
    select occurred_at from platform.outbox where published_at is null and parked_reason is null order by position limit 1`
  return row ? Math.max(0, (now.getTime() - row.occurred_at.getTime()) / 1_000) : 0
}

/** How many events were given up on: somebody has to look at their reasons. */
export const parkedEvents = async (tx: Tx): Promise<number> =>
  (
    await tx.one<{ parked: number }>`
    select count(*)::int as parked from platform.outbox where published_at is null and parked_reason is not null`
  ).parked

/** Forgets what was published, and what was handled, before `before`; at most `limit` rows of each a call, so that it never holds long. */
export async function pruneOutbox(tx: Tx, before: Date, limit = 5_000): Promise<number> {
  // The oldest by position are the oldest to have left, or nearly: looking further would read the whole table for nothing. What has not
  // left is passed over, or enough parked events at the front would keep everything behind them for ever.
  const events = await tx.run`
    delete from platform.outbox
     where published_at < ${before} and position in (
       select position from platform.outbox where published_at is not null order by position limit ${limit})`
  const handled = await tx.run`
    delete from platform.handled_event where ctid in (select ctid from platform.handled_event where handled_at < ${before} limit ${limit})`
  return events + handled
}
