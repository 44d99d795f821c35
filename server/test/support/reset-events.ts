import type pg from 'pg'

/** Empties the outbox, the archive and every consumer. The archive refuses that of everybody, so its guard is put aside meanwhile. */
export async function resetEvents(admin: pg.Pool): Promise<void> {
  await admin.query(`
    set session_replication_role = replica;
    truncate platform.outbox, platform.event, platform.consumer, platform.set_aside_event, platform.skipped_event, platform.event_gap;
    update platform.event_head set position = 0, archived_at = null;
    set session_replication_role = origin`)
}
