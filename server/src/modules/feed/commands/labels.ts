import { type Id, newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as store from '../store.ts'

/** Adds a label, in a list of its own or under a parent (system scope). */
export async function createLabel(
  tx: Tx,
  label: { organizationId: Id<'organization'>; name: string; parentId: Id<'label'> | null; now: Date },
): Promise<Id<'label'>> {
  const id = newId<'label'>()
  await store.insertLabel(tx, { id, organizationId: label.organizationId, name: label.name, parentId: label.parentId }, label.now)
  return id
}

/** Puts labels on transactions of the same organization (system scope). A link that is there already stays. */
export async function linkLabels(
  tx: Tx,
  organizationId: Id<'organization'>,
  links: readonly { readonly transactionId: Id<'transaction'>; readonly labelId: Id<'label'> }[],
): Promise<void> {
  if (links.length > 0) await store.linkLabels(tx, organizationId, links)
}
