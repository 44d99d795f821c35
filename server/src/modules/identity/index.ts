/** Identity's door: who is calling. Today that is an organization's API key; people, sessions and OAuth clients come here. */
import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { hashOf } from './commands/issue-api-key.ts'
import * as store from './store.ts'

export { issueApiKey, revokeApiKey } from './commands/issue-api-key.ts'

/** A live key. Whether its member may still act is team's to say. */
export type ApiKey = store.ApiKeyRow

/** The live keys whose secrets have these SHA-256, in no order (system scope: the organization is not known yet). */
export const findApiKeys = (tx: Tx, secretsSha256: readonly Buffer[]): Promise<ApiKey[]> => store.findLiveKeys(tx, secretsSha256)

/** Whether `secret` is the organization's live key: for a program that kept it and wants to know if it still holds (system scope). */
export async function isLiveApiKey(tx: Tx, organizationId: Id<'organization'>, secret: string): Promise<boolean> {
  return (await store.findLiveKeys(tx, [hashOf(secret)]))[0]?.organizationId === organizationId
}
