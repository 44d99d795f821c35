/** Identity's door: who is calling. Today that is an organization's API key; people, sessions and OAuth clients come here. */
import type { Id } from '../../platform/ids.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { hashOf } from './commands/issue-api-key.ts'
import * as store from './store.ts'

export { issueApiKey, revokeApiKey } from './commands/issue-api-key.ts'

/** A live key, as whoever authenticates a request needs it. */
export type ApiKeyCredential = {
  readonly login: string
  readonly secretSha256: Buffer
  readonly principal: {
    readonly organizationId: Id<'organization'>
    readonly membershipId: Id<'membership'>
    readonly credentialId: Id<'api_key'>
    readonly credentialPrefix: string
  }
}

/** The live key whose secret has this SHA-256. The organization is not known yet, so this looks at all of them. */
export async function findApiKeyByHash(database: Database, secretSha256: Buffer): Promise<ApiKeyCredential | undefined> {
  const key = await database.read('system', (tx) => store.findLiveKey(tx, secretSha256))
  if (!key) return undefined
  const { organizationId, membershipId, id: credentialId, prefix: credentialPrefix } = key
  return {
    login: key.login,
    secretSha256: key.secretSha256,
    principal: { organizationId, membershipId, credentialId, credentialPrefix },
  }
}

/** Whether `secret` is the organization's live key: for a program that kept it and wants to know if it still holds (system scope). */
export async function isLiveApiKey(tx: Tx, organizationId: Id<'organization'>, secret: string): Promise<boolean> {
  return (await store.findLiveKey(tx, hashOf(secret)))?.organizationId === organizationId
}
