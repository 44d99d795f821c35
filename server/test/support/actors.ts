import { type MemberActor, type SystemActor, systemActor } from '../../src/platform/actor.ts'
import { type Id, newId } from '../../src/platform/ids.ts'

/** A test that looks at, or prepares, rows of all organizations. */
export const testActor: SystemActor = systemActor('test.all')

/** An owner with every right, for tests of what a member's transaction may see. */
export const asMember = (organizationId: Id<'organization'>): MemberActor => ({
  kind: 'member',
  organizationId,
  membershipId: newId<'membership'>(),
  role: 'owner',
  permissions: new Set(),
  credential: { kind: 'api_key', id: newId(), label: 'test' },
  scopes: 'all',
  accounts: 'all',
  sca: undefined,
  requestId: undefined,
  address: undefined,
})
