/** Team's door: organizations and their members. */
import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { Membership, Organization } from './domain/organization.ts'
import * as store from './store.ts'

export { type FoundOrganization, foundOrganization, type NewMember } from './commands/found-organization.ts'
export { type Membership, type Organization, ROLES, type Role } from './domain/organization.ts'
export { credentialsOfApiKeys, type PermissionsOf } from './queries/actors.ts'

/** The organization with this id, if the scope may see it. */
export const findOrganization = (tx: Tx, id: Id<'organization'>): Promise<Organization | undefined> =>
  store.findOrganization(tx, id)

/** The organization that has this slug (system scope, or its own). */
export const findOrganizationBySlug = async (tx: Tx, slug: string): Promise<Id<'organization'> | undefined> =>
  (await store.findOrganizationId(tx, slug))?.id

/** The organization's owner: whom its API key acts for. */
export const ownerOf = async (tx: Tx, organizationId: Id<'organization'>): Promise<Membership['id'] | undefined> =>
  (await store.findOwner(tx, organizationId))?.id
