import type { Page, PageRange } from '../../../platform/http/list.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as store from '../store.ts'

/** One page of the organization's labels, oldest first. */
export async function pageOfLabels(tx: Tx, organizationId: Id<'organization'>, range: PageRange): Promise<Page<store.Label>> {
  const { count } = await store.countLabels(tx, organizationId)
  return { rows: await store.listLabels(tx, organizationId, range), count }
}

/** The organization's labels with these ids; others are left out. */
export const findLabels = async (
  tx: Tx,
  organizationId: Id<'organization'>,
  ids: readonly string[],
): Promise<Map<string, store.Label>> =>
  ids.length === 0
    ? new Map()
    : new Map((await store.findLabels(tx, organizationId, [...new Set(ids)])).map((label) => [label.id, label]))
