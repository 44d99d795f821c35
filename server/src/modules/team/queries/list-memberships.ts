import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { Membership } from '../domain/organization.ts'
import * as store from '../store.ts'

/** One page of the organization's members, in the order they joined, and how many there are. */
export async function listMemberships(
  tx: Tx,
  organizationId: Id<'organization'>,
  page: { limit: number; offset: number },
): Promise<{ memberships: Membership[]; count: bigint }> {
  const { count } = await store.countMemberships(tx, organizationId)
  return { memberships: await store.listMemberships(tx, organizationId, page), count }
}
