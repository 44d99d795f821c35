import type { Tx } from '../postgres/database.ts'
import type { ArchivedEvent } from './definition.ts'

/** A consumer's place in the archive, and how it does. */
export type ConsumerRow = {
  readonly name: string
  readonly types: readonly string[]
  readonly position: bigint
  readonly attempts: number
  readonly retryAt: Date | null
  readonly failingSince: Date | null
  readonly lastError: string | null
  readonly seenAt: Date
}

/** An event that a consumer could not handle, or that waits behind one. */
export type SetAsideEvent = {
  readonly position: bigint
  readonly eventId: string
  readonly aggregateId: string
  readonly attempts: number
  readonly firstFailedAt: Date | null
  readonly retryAt: Date | null
  readonly parkedAt: Date | null
  readonly reason: string | null
}

export const findConsumer = (tx: Tx, name: string) => tx.maybe<ConsumerRow>`
  select name, types, position, attempts, retry_at as "retryAt", failing_since as "failingSince", last_error as "lastError", seen_at as "seenAt"
    from platform.consumer
   where name = ${name}`

export const allConsumers = (tx: Tx) => tx.rows<ConsumerRow>`
  select name, types, position, attempts, retry_at as "retryAt", failing_since as "failingSince", last_error as "lastError", seen_at as "seenAt"
    from platform.consumer
   order by name`

/** Does nothing when another process was faster. */
export const insertConsumer = (tx: Tx, name: string, types: readonly string[], position: bigint, now: Date) => tx.run`
  insert into platform.consumer (name, types, position, seen_at) values (${name}, ${types}, ${position}, ${now}) on conflict do nothing`

/** @param seen the `seen_at` that the decision was made on: of two processes that decide the same, one does it. */
export const claimConsumer = (tx: Tx, name: string, types: readonly string[], seen: Date, now: Date) => tx.run`
  update platform.consumer set types = ${types}, seen_at = ${now}
   where name = ${name} and seen_at = ${seen}`

/** Locks a consumer for the rest of the transaction: one works for it at a time. @returns its position, or undefined when another is at it. */
export const lockConsumer = async (tx: Tx, name: string): Promise<bigint | undefined> =>
  (
    await tx.maybe<{ position: bigint }>`
      select position from platform.consumer where name = ${name} for update skip locked`
  )?.position

/** The same for a person, who waits until he gets it. */
export const awaitConsumer = (tx: Tx, name: string) => tx.maybe<ConsumerRow>`
  select name, types, position, attempts, retry_at as "retryAt", failing_since as "failingSince", last_error as "lastError", seen_at as "seenAt"
    from platform.consumer
   where name = ${name}
     for update`

/** Everything up to `position` is handled or set aside. */
export const moveConsumer = (tx: Tx, name: string, position: bigint) => tx.run`
  update platform.consumer set position = ${position} where name = ${name}`

/**
 * The consumer works (again). What failed while it did not is due at once: it was not the events' fault.
 */
export async function noteSuccess(tx: Tx, name: string, now: Date): Promise<void> {
  const recovered = await tx.maybe<{ failing_since: Date }>`
    update platform.consumer c
       set attempts = 0, retry_at = null, failing_since = null, last_error = null
      from (select name, failing_since from platform.consumer where name = ${name}) was
     where c.name = was.name and was.failing_since is not null
    returning was.failing_since`
  if (!recovered) return
  await tx.run`
    update platform.set_aside_event
       set retry_at = ${now}
     where consumer = ${name} and retry_at > ${now} and first_failed_at >= ${recovered.failing_since}`
}

/** The consumer failed as a whole and is left alone until `retryAt`. */
export const noteRest = (
  tx: Tx,
  name: string,
  failure: { retryAt: Date; attempts: number; since: Date; error: string },
) => tx.run`
  update platform.consumer
     set attempts = ${failure.attempts}, retry_at = ${failure.retryAt}, last_error = ${failure.error},
         failing_since = coalesce(failing_since, ${failure.since})
   where name = ${name}`

/** Aggregates of which an event is set aside already: what comes after waits behind it. */
export const aggregatesAside = async (tx: Tx, consumer: string, aggregateIds: readonly string[]): Promise<Set<string>> =>
  new Set(
    (
      await tx.rows<{ aggregate_id: string }>`
        select distinct aggregate_id from platform.set_aside_event
         where consumer = ${consumer} and aggregate_id = any(${aggregateIds}::uuid[])`
    ).map((row) => row.aggregate_id),
  )

/** Sets events aside that wait behind an earlier one of their aggregate. */
export const insertWaiting = (tx: Tx, consumer: string, events: readonly ArchivedEvent[]) => tx.run`
  insert into platform.set_aside_event (consumer, position, event_id, aggregate_id)
  select ${consumer}, * from unnest(${events.map((e) => e.position)}::bigint[], ${events.map((e) => e.id)}::uuid[],
                                    ${events.map((e) => e.aggregateId)}::uuid[])`

export type AsideFailure = {
  readonly now: Date
  readonly retryAt: Date | null
  readonly parkedAt: Date | null
  readonly reason: string
}

/** Sets the first event of an aggregate aside. */
export const insertFailed = (tx: Tx, consumer: string, event: ArchivedEvent, failure: AsideFailure) => tx.run`
  insert into platform.set_aside_event (consumer, position, event_id, aggregate_id, attempts, first_failed_at, retry_at, parked_at, reason)
  values (${consumer}, ${event.position}, ${event.id}, ${event.aggregateId}, 1, ${failure.now}, ${failure.retryAt}, ${failure.parkedAt}, ${failure.reason})`

/** It failed again, or for the first time after it has waited. */
export const updateFailed = (tx: Tx, consumer: string, position: bigint, failure: AsideFailure) => tx.run`
  update platform.set_aside_event
     set attempts = attempts + 1, first_failed_at = coalesce(first_failed_at, ${failure.now}), retry_at = ${failure.retryAt},
         parked_at = ${failure.parkedAt}, reason = ${failure.reason}
   where consumer = ${consumer} and position = ${position}`

/** Those whose time has come, the longest due first. Only the first event of an aggregate has a time. */
export const dueAside = (tx: Tx, consumer: string, now: Date, limit: number) => tx.rows<SetAsideEvent>`
  select position, event_id as "eventId", aggregate_id as "aggregateId", attempts, first_failed_at as "firstFailedAt", retry_at as "retryAt",
         parked_at as "parkedAt", reason
    from platform.set_aside_event
   where consumer = ${consumer} and retry_at <= ${now}
   order by retry_at, position
   limit ${limit}`

/** One that is still due, locked: a person may have skipped or parked it meanwhile. */
export const lockDue = (tx: Tx, consumer: string, position: bigint, now: Date) => tx.maybe<SetAsideEvent>`
  select position, event_id as "eventId", aggregate_id as "aggregateId", attempts, first_failed_at as "firstFailedAt", retry_at as "retryAt",
         parked_at as "parkedAt", reason
    from platform.set_aside_event
   where consumer = ${consumer} and position = ${position} and retry_at <= ${now}
     for update`

export const findAside = (tx: Tx, consumer: string, eventId: string) => tx.maybe<SetAsideEvent>`
  select position, event_id as "eventId", aggregate_id as "aggregateId", attempts, first_failed_at as "firstFailedAt", retry_at as "retryAt",
         parked_at as "parkedAt", reason
    from platform.set_aside_event
   where consumer = ${consumer} and event_id = ${eventId}
   order by position
   limit 1`

/** The same with whose it is and what the archive says of it. */
export type SetAsideReport = SetAsideEvent & {
  readonly consumer: string
  readonly type: string
  readonly organizationId: string | null
  readonly occurredAt: Date
}

/** What consumers have set aside: parked ones first, then those that are tried again, then those that wait. */
export const allAside = (tx: Tx, limit: number) => tx.rows<SetAsideReport>`
  select s.consumer, s.position, s.event_id as "eventId", e.type, s.aggregate_id as "aggregateId", e.organization_id as "organizationId",
         e.occurred_at as "occurredAt", s.attempts, s.first_failed_at as "firstFailedAt", s.retry_at as "retryAt", s.parked_at as "parkedAt", s.reason
    from platform.set_aside_event s join platform.event e using (position)
   order by s.parked_at is null, s.retry_at is null, s.consumer, s.position
   limit ${limit}`

export const countAside = (tx: Tx) => tx.rows<{ consumer: string; waiting: number; parked: number }>`
  select consumer, count(*) filter (where parked_at is null)::int as waiting, count(*) filter (where parked_at is not null)::int as parked
    from platform.set_aside_event
   group by consumer`

/** Takes an event out, handled or skipped; the next of its aggregate has its turn. */
export async function removeAside(tx: Tx, consumer: string, event: SetAsideEvent, now: Date): Promise<void> {
  await tx.run`delete from platform.set_aside_event where consumer = ${consumer} and position = ${event.position}`
  await tx.run`
    update platform.set_aside_event
       set retry_at = ${now}
     where consumer = ${consumer} and position = (
       select min(position) from platform.set_aside_event where consumer = ${consumer} and aggregate_id = ${event.aggregateId})`
}

/** Makes events due at once that have failed, parked ones too, with a new day's patience. @returns how many. */
export const makeDue = (tx: Tx, consumer: string, eventId: string | undefined, now: Date) => tx.run`
  update platform.set_aside_event
     set retry_at = ${now}, parked_at = null, attempts = 0, first_failed_at = null
   where consumer = ${consumer} and event_id = coalesce(${eventId ?? null}::uuid, event_id) and (retry_at is not null or parked_at is not null)`

export const insertSkipped = (
  tx: Tx,
  consumer: string,
  event: SetAsideEvent,
  skipped: { reason: string; by: string; now: Date },
) => tx.run`
  insert into platform.skipped_event (consumer, position, event_id, attempts, failure, reason, skipped_by, skipped_at)
  values (${consumer}, ${event.position}, ${event.eventId}, ${event.attempts}, ${event.reason}, ${skipped.reason}, ${skipped.by}, ${skipped.now})`

/** Goes back: what stands at `position` or above comes again, so nothing of it stays set aside. */
export async function moveBack(tx: Tx, consumer: string, position: bigint): Promise<void> {
  await tx.run`delete from platform.set_aside_event where consumer = ${consumer} and position >= ${position}`
  await tx.run`
    update platform.consumer set position = ${position - 1n}, attempts = 0, retry_at = null, failing_since = null, last_error = null
     where name = ${consumer}`
}

/** Wakes a consumer that rests as a whole. */
export const endRest = (tx: Tx, consumer: string) => tx.run`
  update platform.consumer set retry_at = null where name = ${consumer}`
