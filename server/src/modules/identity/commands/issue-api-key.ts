import { hash, randomBytes } from 'node:crypto'
import type { CommandContext } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as store from '../store.ts'

const SECRET_BYTES = 32
const PREFIX_LENGTH = 8
const SECRET_FORM = /^[0-9a-f]{64}$/

export type ApiKeyRequest = {
  readonly organizationId: Id<'organization'>
  /** The member whom the key acts for. */
  readonly membershipId: Id<'membership'>
  /** The organization's slug, first half of the credential. */
  readonly login: string
  /** A secret that the caller made, 64 hexadecimal digits. */
  readonly secret?: string | undefined
}

/**
 * Makes an organization's API key and revokes the former one, in the caller's transaction (system scope).
 *
 * @returns the secret that holds from now on: the one asked for, or 256 new random bits when none was, when it has another form, or when it
 *   has been a key before. It is stored as its SHA-256 only, so this is the one time that it can be shown.
 */
export async function issueApiKey(ctx: CommandContext, tx: Tx, request: ApiKeyRequest): Promise<string> {
  await revokeApiKey(ctx, tx, request)
  const wished = request.secret
  if (wished !== undefined && SECRET_FORM.test(wished) && (await insert(ctx, tx, request, wished))) return wished
  const secret = randomBytes(SECRET_BYTES).toString('hex')
  assert(await insert(ctx, tx, request, secret), 'a random secret came twice')
  return secret
}

async function insert({ now }: CommandContext, tx: Tx, request: ApiKeyRequest, secret: string): Promise<boolean> {
  const { organizationId, membershipId, login } = request
  const prefix = secret.slice(0, PREFIX_LENGTH)
  const key = { id: newId<'api_key'>(), organizationId, membershipId, login, prefix, secretSha256: hashOf(secret) }
  return (await store.insertKey(tx, key, now)) > 0
}

/** Revokes the organization's key. @returns false when it had none. Processes that know the key notice within their cache's time. */
export const revokeApiKey = async (
  { now }: CommandContext,
  tx: Tx,
  { organizationId }: { readonly organizationId: Id<'organization'> },
): Promise<boolean> => (await store.revokeLiveKey(tx, organizationId, now)) > 0

/** How a secret is stored and looked up. */
export const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer')
