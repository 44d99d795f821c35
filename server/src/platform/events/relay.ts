import { systemActor } from '../actor.ts'
import type { Clock } from '../clock.ts'
import type { Database, Tx } from '../postgres/database.ts'
import { ARCHIVED } from './archive.ts'
import { PUBLISHED } from './outbox.ts'

const RELAY = systemActor('events.relay')

export type RelayOptions = {
  readonly database: Database
  /** The bank's: `archived_at` is a business time. */
  readonly clock: Clock
  /** Events moved per transaction, default 1,000. */
  readonly batchSize?: number
}

/**
 * Moves what was published from the outbox to the archive and gives each event its position there, as `publishLast` does for what need not wait. Nobody's code runs meanwhile: whoever
 * wants the events reads the archive at his own pace.
 *
 * A position in the *outbox* is taken before its transaction commits, and a lower one may commit after a higher one: a reader of `position >
 * last` would lose it (17 % of 4,000 events with 16 writers; outbox.db.test.ts keeps that reader as a failing control). A position in the
 * *archive* is taken while the head's row is locked until the commit, so they become visible in their order. Inside an aggregate the
 * outbox's order is that of the commits, since whoever changes an aggregate holds its row.
 */
export class EventRelay {
  readonly #options: RelayOptions

  constructor(options: RelayOptions) {
    this.#options = options
  }

  /** One short transaction. @returns how many events were moved; 0 when nothing waits, or another relay is at it. */
  async runOnce(): Promise<number> {
    const { database, clock, batchSize = 1_000 } = this.#options
    if (!(await database.read(RELAY, isWaiting))) return 0 // before any lock: an idle relay writes nothing
    return database.transaction(RELAY, async (tx) => {
      const head = await lockHead(tx)
      if (head === undefined) return 0
      await preparePartitions(tx, head + 1n, head + BigInt(batchSize))
      const moved = await moveToArchive(tx, head, clock.now(), batchSize)
      if (moved === 0) return 0
      tx.wake(ARCHIVED)
      if (moved === batchSize) tx.wake(PUBLISHED)
      return moved
    })
  }
}

const isWaiting = async (tx: Tx): Promise<boolean> => (await tx.rows`select 1 as waiting from platform.outbox limit 1`).length > 0

/** @returns undefined when another relay holds it. */
const lockHead = async (tx: Tx): Promise<bigint | undefined> =>
  (await tx.maybe<{ position: bigint }>`select position from platform.event_head for update skip locked`)?.position

/** A batch is far smaller than a partition, so it touches one or two. */
const preparePartitions = (tx: Tx, first: bigint, last: bigint) => tx.run`
  select platform.prepare_event_partition(${first}), platform.prepare_event_partition(${last})`

/** Deletes the oldest from the outbox, inserts them behind `head` and moves the head, in one statement. @returns how many. */
async function moveToArchive(tx: Tx, head: bigint, now: Date, limit: number): Promise<number> {
  const { moved } = await tx.one<{ moved: number }>`
    with taken as (
      delete from platform.outbox
       where position = any(array(select position from platform.outbox order by position limit ${limit}))
      returning *),
    moved as (
      insert into platform.event (position, id, topic, type, aggregate_id, organization_id, payload, occurred_at, archived_at)
      select ${head}::bigint + row_number() over (order by t.position), t.id, t.topic, t.type, t.aggregate_id, t.organization_id, t.payload,
             t.occurred_at, greatest(${now}::timestamptz, h.archived_at)
        from taken t, platform.event_head h
      returning position, archived_at),
    ahead as (
      update platform.event_head h
         set position = m.position, archived_at = m.archived_at
        from (select max(position) as position, max(archived_at) as archived_at from moved) m
       where m.position is not null)
    select count(*)::int as moved from moved`
  return moved
}
