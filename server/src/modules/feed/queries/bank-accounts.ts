import type { Page } from '../../../platform/http/list.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { allBankAccounts, type BankAccount, findBankAccount, listBankAccounts } from '../../accounts/index.ts'
import * as store from '../store.ts'

/**
 * Accounts as their owner reads them: `updatedAt` is the later of the account's own last change and its feed's. Here are read those of
 * the accounts' door, by the same names.
 */
export async function pageOfAccounts(
  tx: Tx,
  organizationId: Id<'organization'>,
  page: { withExternal: boolean; limit: number; offset: number },
): Promise<Page<BankAccount>> {
  const { accounts, count } = await listBankAccounts(tx, organizationId, page)
  return { rows: await withFeeds(tx, accounts), count }
}

export const allAccounts = async (tx: Tx, organizationId: Id<'organization'>, withExternal: boolean): Promise<BankAccount[]> =>
  withFeeds(tx, await allBankAccounts(tx, organizationId, withExternal))

export async function findAccount(
  tx: Tx,
  organizationId: Id<'organization'>,
  id: Id<'bank_account'>,
): Promise<BankAccount | undefined> {
  const account = await findBankAccount(tx, organizationId, id)
  return account && (await withFeeds(tx, [account]))[0]
}

async function withFeeds(tx: Tx, accounts: readonly BankAccount[]): Promise<BankAccount[]> {
  const ids = accounts.map((account) => account.id)
  const changes = new Map((await store.lastChanges(tx, ids)).map((change) => [change.bankAccountId, change.updatedAt]))
  return accounts.map((account) => {
    const changed = changes.get(account.id)
    return changed && changed > account.updatedAt ? { ...account, updatedAt: changed } : account
  })
}
