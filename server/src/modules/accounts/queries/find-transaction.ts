import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as store from '../store.ts'

/** One transaction of the organization; undefined when it has none with this id. */
export async function findTransaction(
  tx: Tx,
  organizationId: Id<'organization'>,
  id: Id<'transaction'>,
): Promise<store.StoredTransaction | undefined> {
  return (await store.findTransactions(tx, organizationId, [id]))[0]
}
