import type { Page, PageRange } from '../../../platform/http/list.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as store from '../store.ts'

/** One page of the organization's labels, oldest first. */
export async function pageOfLabels(tx: Tx, organizationId: Id<'organization'>, range: PageRange): Promise<Page<store.Label>> {
  const [rows, { count }] = await Promise.all([
    store.listLabels(tx, organizationId, range),
    store.countLabels(tx, organizationId),
  ])
  return { rows, count }
}

/** The organization's labels by their names; of two of one name, the later. */
export const labelsByName = async (tx: Tx, organizationId: Id<'organization'>): Promise<Map<string, Id<'label'>>> =>
  new Map(
    (await store.listLabels(tx, organizationId, { limit: LABELS_MAX, offset: 0 })).map(({ id, name }) => [
      name,
      id as Id<'label'>,
    ]),
  )

/** More than anybody has. */
const LABELS_MAX = 10_000

/** The organization's labels with these ids; others are left out. */
export const findLabels = async (
  tx: Tx,
  organizationId: Id<'organization'>,
  ids: readonly string[],
): Promise<Map<string, store.Label>> =>
  ids.length === 0
    ? new Map()
    : new Map((await store.findLabels(tx, organizationId, [...new Set(ids)])).map((label) => [label.id, label]))
