import type { Tx } from '../postgres/database.ts'
import { ARCHIVED, archiveAtOnce } from './archive.ts'
import { columnsOf } from './columns.ts'
import type { NewEvent } from './definition.ts'

/** The relay's wake-up: something was published. */
export const PUBLISHED = 'events'

/** Writes facts in the transaction that made them true, in one statement: they leave if, and only if, it commits. */
export async function publish(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  const column = columnsOf(events)
  await tx.run`
    insert into platform.outbox (id, topic, type, aggregate_id, organization_id, payload, occurred_at)
    select id, topic, type, aggregate_id, organization_id, payload::jsonb, occurred_at
      from unnest(${column.ids}::uuid[], ${column.topics}::text[], ${column.types}::text[], ${column.aggregateIds}::uuid[],
                  ${column.organizationIds}::uuid[], ${column.payloads}::text[], ${column.occurredAt}::timestamptz[])
             as e(id, topic, type, aggregate_id, organization_id, payload, occurred_at)`
  tx.wake(PUBLISHED)
}

/**
 * `publish` for who shares commits, as the very last thing before one: the head's row is locked until then. When nothing of these organizations
 * waits in the outbox, their events go straight to the archive, and are written once instead of twice.
 */
export async function publishLast(tx: Tx, events: readonly NewEvent[], now: Date): Promise<void> {
  if (events.length === 0) return
  const isArchived = events.every((event) => event.organizationId !== null) && (await archiveAtOnce(tx, columnsOf(events), now))
  if (isArchived) tx.wake(ARCHIVED)
  else await publish(tx, events)
}

/** What has not left: how many events, and for how long the oldest has waited. */
export async function outboxState(tx: Tx, now: Date): Promise<{ waiting: number; lagSeconds: number }> {
  const { waiting } = await tx.one<{ waiting: number }>`select count(*)::int as waiting from platform.outbox`
  const oldest = await tx.maybe<{ occurred_at: Date }>`select occurred_at from platform.outbox order by position limit 1`
  return { waiting, lagSeconds: oldest ? Math.max(0, (now.getTime() - oldest.occurred_at.getTime()) / 1_000) : 0 }
}
