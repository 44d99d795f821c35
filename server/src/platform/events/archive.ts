import type { Id } from '../ids.ts'
import type { Tx } from '../postgres/database.ts'
import type { EventColumns } from './columns.ts'
import type { ArchivedEvent } from './definition.ts'

/** The consumers' wake-up: something stands in the archive that was not there before. */
export const ARCHIVED = 'events.archived'

/** What an organization's cursor reader gets. */
export type EventPage = {
  readonly events: readonly ArchivedEvent[]
  /** To be asked for next: the last event's position, or the one that was asked with when there is none above it. */
  readonly position: bigint
  /**
   * For an organization that is older than the archive: some of what happened to it before is missing. From `position` on, and for all that
   * was archived at `time` or later, nothing is. Undefined: everything since it was opened is there.
   */
  readonly completeFrom: { readonly position: bigint; readonly time: Date } | undefined
}

/**
 * The events of one organization above `position`, in the order they were committed in: the cursor over all that happened to it. Start with
 * 0 and go on with the page's own position; nothing is lost on the way, whatever is being written meanwhile.
 *
 * @param limit events per page, at most 1,000.
 */
export async function eventsSince(tx: Tx, organizationId: Id<'organization'>, position: bigint, limit = 100): Promise<EventPage> {
  const events = await tx.rows<ArchivedEvent>`
    select position, id, topic, type, aggregate_id as "aggregateId", organization_id as "organizationId", payload,
           occurred_at as "occurredAt", archived_at as "archivedAt"
      from platform.event
     where organization_id = ${organizationId} and position > ${position}
     order by position
     limit ${Math.min(limit, PAGE_MAX)}`
  const gap = await tx.maybe<{ position: bigint; time: Date }>`
    select complete_from_position as position, complete_from as time from platform.event_gap where organization_id = ${organizationId}`
  return { events, position: events.at(-1)?.position ?? position, completeFrom: gap }
}

const PAGE_MAX = 1_000

/** The position of the newest event. */
export const headOf = async (tx: Tx): Promise<bigint> =>
  (await tx.one<{ position: bigint }>`select position from platform.event_head`).position

export const eventAt = (tx: Tx, position: bigint) => tx.maybe<ArchivedEvent>`
  select position, id, topic, type, aggregate_id as "aggregateId", organization_id as "organizationId", payload,
         occurred_at as "occurredAt", archived_at as "archivedAt"
    from platform.event
   where position = ${position}`

/** Events of these types above `from` and up to `to`, in order. */
export const eventsBetween = (tx: Tx, types: readonly string[], from: bigint, to: bigint, limit: number) =>
  tx.rows<ArchivedEvent>`
  select position, id, topic, type, aggregate_id as "aggregateId", organization_id as "organizationId", payload,
         occurred_at as "occurredAt", archived_at as "archivedAt"
    from platform.event
   where position > ${from} and position <= ${to} and type = any(${types})
   order by position
   limit ${limit}`

/** When the first event above `position` was archived: how far behind somebody is who has read up to there. */
export const nextArchivedAt = async (tx: Tx, position: bigint): Promise<Date | undefined> =>
  (
    await tx.maybe<{ archived_at: Date }>`
      select archived_at from platform.event where position > ${position} order by position limit 1`
  )?.archived_at

/**
 * The first position that was archived at `time` or later, or one above the newest. `archived_at` never falls as the position rises, so it
 * is found by halving: thirty reads for a thousand million events, and no index that every insert would pay for.
 */
export async function positionAt(tx: Tx, time: Date): Promise<bigint> {
  let low = 1n
  let high = (await headOf(tx)) + 1n
  while (low < high) {
    const middle = (low + high) / 2n
    const archivedAt = await nextArchivedAt(tx, middle - 1n)
    if (archivedAt && archivedAt.getTime() >= time.getTime()) high = middle
    else low = middle + 1n
  }
  return low
}

/** As `platform.prepare_event_partition` has it. */
const PARTITION_SIZE = 10_000_000n
/** An outbox that has grown beyond is left to the relay: looking whether some organizations wait in it is to cost nothing. */
const OUTBOX_BYTES_MAX = 4 * 1024 * 1024

/**
 * Writes events behind the head and moves it, as the relay does, in the caller's transaction: nobody else gets the head before its commit,
 * so positions become visible in their order. Inside an aggregate, too: whatever was published of it before has been committed, since the
 * caller holds the aggregate, and none of it waits in the outbox, which is looked at with the head in hand.
 *
 * @returns false when somebody else has the head, for whom no book is to wait; when something of these organizations waits; or when the
 *   relay has a partition to make: then nothing is written.
 */
export async function archiveAtOnce(tx: Tx, column: EventColumns, now: Date): Promise<boolean> {
  const head = await tx.maybe<{
    position: bigint
  }>`select position from platform.event_head where position > 0 for update skip locked`
  if (!head) return false
  const last = head.position + BigInt(column.count)
  if (head.position / PARTITION_SIZE !== last / PARTITION_SIZE) return false
  const moved = await tx.run`
    with free as (
      select greatest(${now}::timestamptz, archived_at) as archived_at
        from platform.event_head
       where pg_relation_size('platform.outbox') <= ${OUTBOX_BYTES_MAX}
         and (select position from platform.outbox order by position limit 1) is null),
    placed as (
      insert into platform.event (position, id, topic, type, aggregate_id, organization_id, payload, occurred_at, archived_at)
      select ${head.position}::bigint + place, id, topic, type, aggregate_id, organization_id, payload::jsonb, occurred_at, archived_at
        from free, unnest(${column.ids}::uuid[], ${column.topics}::text[], ${column.types}::text[], ${column.aggregateIds}::uuid[],
                          ${column.organizationIds}::uuid[], ${column.payloads}::text[], ${column.occurredAt}::timestamptz[])
                     with ordinality as e(id, topic, type, aggregate_id, organization_id, payload, occurred_at, place))
    update platform.event_head set position = ${last}, archived_at = free.archived_at from free`
  return moved === 1
}
