import { newId } from '../ids.ts'
import type { Tx } from '../postgres/database.ts'
import type { NewEvent } from './definition.ts'

/** The relay's wake-up: something was published. */
export const PUBLISHED = 'events'

/** Writes facts in the transaction that made them true, in one statement: they leave if, and only if, it commits. */
export async function publish(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  await tx.run`
    insert into platform.outbox (id, topic, type, aggregate_id, organization_id, payload, occurred_at)
    select * from unnest(
      ${events.map(() => newId<'event'>())}::uuid[], ${events.map((e) => e.topic)}::text[], ${events.map((e) => e.type)}::text[],
      ${events.map((e) => e.aggregateId)}::uuid[], ${events.map((e) => e.organizationId)}::uuid[],
      ${events.map((e) => JSON.stringify(e.payload))}::jsonb[], ${events.map((e) => e.occurredAt)}::timestamptz[])`
  tx.wake(PUBLISHED)
}

/** What has not left: how many events, and for how long the oldest has waited. */
export async function outboxState(tx: Tx, now: Date): Promise<{ waiting: number; lagSeconds: number }> {
  const { waiting } = await tx.one<{ waiting: number }>`select count(*)::int as waiting from platform.outbox`
  const oldest = await tx.maybe<{ occurred_at: Date }>`select occurred_at from platform.outbox order by position limit 1`
  return { waiting, lagSeconds: oldest ? Math.max(0, (now.getTime() - oldest.occurred_at.getTime()) / 1_000) : 0 }
}
