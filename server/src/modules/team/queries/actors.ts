import type { MemberActor } from '../../../platform/actor.ts'
import { systemActor } from '../../../platform/actor.ts'
import type { Credential } from '../../../platform/http/authentication.ts'
import type { Database } from '../../../platform/postgres/database.ts'
import { type ApiKey, findApiKeys } from '../../identity/index.ts'
import * as store from '../store.ts'

/** What a role allows: every permission that some module declared for it. */
export type PermissionsOf = (role: string) => ReadonlySet<string>

/** The organization is what the secret is to tell, so this alone looks at all of them. */
const AUTHENTICATION = systemActor('team.authentication')

/**
 * The members that these secrets speak for, in their order: identity knows the keys, we know whether their members may still act. The key
 * of a member who was revoked, or who has not joined yet, is as dead as a wrong one.
 */
export async function credentialsOfApiKeys(
  database: Database,
  secretsSha256: readonly Buffer[],
  permissionsOf: PermissionsOf,
): Promise<(Credential | undefined)[]> {
  const { keys, members } = await database.read(
    AUTHENTICATION,
    async (tx) => {
      const found = await findApiKeys(tx, secretsSha256)
      const ids = found.map(({ membershipId }) => membershipId)
      return { keys: found, members: ids.length > 0 ? await store.findActiveMembers(tx, ids) : [] }
    },
    { pool: 'credentials' },
  )
  const memberOf = new Map(members.map((member) => [member.id, member]))
  const credentials = new Map<string, Credential>()
  for (const key of keys) {
    const member = memberOf.get(key.membershipId)
    if (member?.organizationId !== key.organizationId) continue
    const { login, secretSha256 } = key
    credentials.set(secretSha256.toString('hex'), { login, secretSha256, actor: actorOf(key, member.role, permissionsOf) })
  }
  return secretsSha256.map((secret) => credentials.get(secret.toString('hex')))
}

/** A key has all scopes: the contract gives it none of its own. */
const actorOf = (key: ApiKey, role: string, permissionsOf: PermissionsOf): MemberActor => ({
  kind: 'member',
  organizationId: key.organizationId,
  membershipId: key.membershipId,
  role,
  permissions: permissionsOf(role),
  credential: { kind: 'api_key', id: key.id, label: key.prefix },
  scopes: 'all',
  accounts: 'all',
  sca: undefined,
  requestId: undefined,
  address: undefined,
})
