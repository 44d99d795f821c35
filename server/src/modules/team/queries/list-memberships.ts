import type { Page, PageRange } from '../../../platform/http/list.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { Membership } from '../domain/organization.ts'
import * as store from '../store.ts'

/** One page of the organization's members, in the order they joined. */
export async function listMemberships(tx: Tx, organizationId: Id<'organization'>, range: PageRange): Promise<Page<Membership>> {
  const [rows, { count }] = await Promise.all([
    store.listMemberships(tx, organizationId, range),
    store.countMemberships(tx, organizationId),
  ])
  return { rows, count }
}
