import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { BankAccount } from '../domain/bank-account.ts'
import * as store from '../store.ts'

/** One page of the organization's accounts, the main one first, with the ledger's balances, and how many there are. */
export async function listBankAccounts(
  tx: Tx,
  organizationId: Id<'organization'>,
  page: { withExternal: boolean; limit: number; offset: number },
): Promise<{ accounts: BankAccount[]; count: bigint }> {
  const [rows, { count }, own] = await Promise.all([
    store.listAccounts(tx, { organizationId, only: null, ...page }),
    store.countAccounts(tx, organizationId, page.withExternal),
    store.ownBalances(tx, organizationId),
  ])
  return { accounts: withBalances(rows, own), count }
}

/** All of the organization's accounts: at most a few dozen, so there are no pages. */
export async function allBankAccounts(tx: Tx, organizationId: Id<'organization'>, withExternal: boolean): Promise<BankAccount[]> {
  const [rows, own] = await Promise.all([
    store.listAccounts(tx, { organizationId, only: null, withExternal, limit: ACCOUNTS_MAX, offset: 0 }),
    store.ownBalances(tx, organizationId),
  ])
  return withBalances(rows, own)
}

const ACCOUNTS_MAX = 1_000

/** One account of the organization, connected ones included; undefined when it has none with this id. */
export async function findBankAccount(
  tx: Tx,
  organizationId: Id<'organization'>,
  id: Id<'bank_account'>,
): Promise<BankAccount | undefined> {
  const [rows, own] = await Promise.all([
    store.listAccounts(tx, { organizationId, only: id, withExternal: true, limit: 1, offset: 0 }),
    store.ownBalances(tx, organizationId),
  ])
  return withBalances(rows, own)[0]
}

function withBalances(rows: readonly store.StoredAccount[], own: Awaited<ReturnType<typeof store.ownBalances>>): BankAccount[] {
  const inLedger = new Map(own.map((account) => [account.ledgerAccountId, account]))
  return rows.map(({ ledgerAccountId, statedBalanceMinor, ...row }) => {
    const account = ledgerAccountId === null ? undefined : inLedger.get(ledgerAccountId)
    const stated = statedBalanceMinor ?? 0n
    return {
      ...row,
      balanceMinor: account?.balance ?? stated,
      authorizedBalanceMinor: account ? account.balance - account.held : stated,
    }
  })
}
