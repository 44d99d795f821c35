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
  const [{ accounts, count }, changes] = await Promise.all([
    listBankAccounts(tx, organizationId, page),
    store.lastChanges(tx, organizationId),
  ])
  return { rows: withFeeds(accounts, changes), count }
}

export async function allAccounts(tx: Tx, organizationId: Id<'organization'>, withExternal: boolean): Promise<BankAccount[]> {
  const [accounts, changes] = await Promise.all([
    allBankAccounts(tx, organizationId, withExternal),
    store.lastChanges(tx, organizationId),
  ])
  return withFeeds(accounts, changes)
}

export async function findAccount(
  tx: Tx,
  organizationId: Id<'organization'>,
  id: Id<'bank_account'>,
): Promise<BankAccount | undefined> {
  const [account, changes] = await Promise.all([findBankAccount(tx, organizationId, id), store.lastChanges(tx, organizationId)])
  return account && withFeeds([account], changes)[0]
}

function withFeeds(accounts: readonly BankAccount[], changes: Awaited<ReturnType<typeof store.lastChanges>>): BankAccount[] {
  const changedAt = new Map(changes.map((change) => [change.bankAccountId, change.updatedAt]))
  return accounts.map((account) => {
    const changed = changedAt.get(account.id)
    return changed && changed > account.updatedAt ? { ...account, updatedAt: changed } : account
  })
}
