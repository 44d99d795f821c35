import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'

export type ApiKeyRow = {
  readonly id: Id<'api_key'>
  readonly organizationId: Id<'organization'>
  readonly membershipId: Id<'membership'>
  readonly login: string
  readonly prefix: string
  readonly secretSha256: Buffer
}

/** The live keys whose secrets have these SHA-256. */
export const findLiveKeys = (tx: Tx, secretsSha256: readonly Buffer[]) => tx.rows<ApiKeyRow>`
  select id, organization_id as "organizationId", membership_id as "membershipId", login, prefix, secret_sha256 as "secretSha256"
    from identity.api_key
   where secret_sha256 = any(${secretsSha256}::bytea[]) and revoked_at is null`

/** @returns how many live keys there were: none or one. */
export const revokeLiveKey = (tx: Tx, organizationId: string, revokedAt: Date) => tx.run`
  update identity.api_key set revoked_at = greatest(${revokedAt}, created_at)
   where organization_id = ${organizationId} and revoked_at is null`

/** @returns 0 when the secret has been a key's before. */
export const insertKey = (tx: Tx, key: ApiKeyRow, createdAt: Date) => tx.run`
  insert into identity.api_key (id, organization_id, membership_id, login, prefix, secret_sha256, created_at)
  values (${key.id}, ${key.organizationId}, ${key.membershipId}, ${key.login}, ${key.prefix}, ${key.secretSha256}, ${createdAt})
  on conflict (secret_sha256) do nothing`
