import { Findings } from '../../../platform/findings.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { balancesOf } from '../../ledger/index.ts'
import { ledgerCodeOf } from '../domain/bank-account.ts'
import * as store from '../store.ts'

const PAGE = 500

/** Proves that every bank account's ledger account is there, in its book, currency and under its code (system scope). */
export async function verifyAccounts(tx: Tx): Promise<Findings[]> {
  const linked = new Findings('bank_accounts_have_their_ledger_account')
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const page = await store.ledgerLinksAfter(tx, after, PAGE)
    const last = page.at(-1)
    if (!last) return [linked]
    after = last.id
    const ledgerIds = page.map((account) => account.ledgerAccountId)
    const inLedger = new Map((await balancesOf(tx, ledgerIds)).map((account) => [account.id, account]))
    for (const { slug, ledgerAccountId, bookId, currency, iban, isExternal } of page) {
      const account = inLedger.get(ledgerAccountId)
      const isRight =
        account?.bookId === bookId && account.currency === currency && (isExternal || account.code === ledgerCodeOf(iban ?? ''))
      if (!isRight)
        linked.add(`${slug}: ${account ? `${account.code} in ${account.currency}, book ${account.bookId}` : 'not in the ledger'}`)
    }
  }
}
