import { hash, randomBytes } from 'node:crypto'
import { type Id, newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as store from '../store.ts'

const SECRET_BYTES = 32
const PREFIX_LENGTH = 8
const SECRET_FORM = /^[0-9a-f]{64}$/

/**
 * Makes an organization's API key and revokes the former one, in the caller's transaction (system scope).
 *
 * @param request `login`: the organization's slug, first half of the credential. `membershipId`: the member the key acts for.
 *   `secret`: an earlier made one to be taken over, 64 hexadecimal digits; absent: a new one of 256 random bits.
 * @returns the secret. It is stored as its SHA-256 only, so this is the one time that it can be shown.
 */
export async function issueApiKey(
  tx: Tx,
  request: {
    readonly organizationId: Id<'organization'>
    readonly membershipId: Id<'membership'>
    readonly login: string
    readonly now: Date
    readonly secret?: string | undefined
  },
): Promise<string> {
  const secret =
    request.secret !== undefined && SECRET_FORM.test(request.secret) ? request.secret : randomBytes(SECRET_BYTES).toString('hex')
  await revokeApiKey(tx, request.organizationId, request.now)
  const { organizationId, membershipId, login } = request
  const key = {
    id: newId<'api_key'>(),
    organizationId,
    membershipId,
    login,
    prefix: secret.slice(0, PREFIX_LENGTH),
    secretSha256: hashOf(secret),
  }
  await store.insertKey(tx, key, request.now)
  return secret
}

/** Revokes the organization's key. @returns false when it had none. Processes that know the key notice within their cache's time. */
export const revokeApiKey = async (tx: Tx, organizationId: Id<'organization'>, now: Date): Promise<boolean> =>
  (await store.revokeLiveKey(tx, organizationId, now)) > 0

/** How a secret is stored and looked up. */
export const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')
