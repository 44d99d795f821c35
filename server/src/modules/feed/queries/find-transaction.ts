import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { namesOf } from '../../accounts/index.ts'
import * as store from '../store.ts'

/** A transaction with its readable identifier, which begins with its account's. */
export type Transaction = store.StoredTransaction & { readonly slug: string }

/** One transaction of the organization; undefined when it has none with this id. */
export async function findTransaction(
  tx: Tx,
  organizationId: Id<'organization'>,
  id: Id<'transaction'>,
): Promise<Transaction | undefined> {
  return (await findTransactions(tx, organizationId, [id]))[0]
}

/** The organization's transactions with these ids, in the order asked. */
export async function findTransactions(
  tx: Tx,
  organizationId: Id<'organization'>,
  ids: readonly string[],
): Promise<Transaction[]> {
  const found = await store.findTransactions(tx, organizationId, ids)
  const names = await namesOf(
    tx,
    found.map((transaction) => transaction.bankAccountId),
  )
  return found.flatMap((transaction) => {
    const account = names.get(transaction.bankAccountId)
    return account ? { ...transaction, slug: `${account.transactionSlugPrefix}-transaction-${transaction.number}` } : []
  })
}
