import type { Proof } from '../../../platform/module.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { balancesOf } from '../../ledger/index.ts'
import { ledgerCodeOf } from '../domain/bank-account.ts'
import * as store from '../verify-store.ts'

const EXAMPLES_MAX = 5
const PAGE = 500

/**
 * Proves that bank accounts and ledger agree: every account's ledger account is there, in its book, currency and under its code; the
 * ledger's balance is one that the feed has told. An account whose feed doesn't add up to its balance got money that its owner cannot
 * see: a warning. The counts that lists are answered with are those of the feed's rows. (Feeds are not proven by their order: two movements may settle in the same millisecond.) System scope.
 */
export async function verifyAccounts(tx: Tx): Promise<Proof[]> {
  const linked = new Findings('bank_accounts_have_their_ledger_account')
  const told = new Findings('feeds_tell_the_ledger_balance')
  const sums = new Findings('feeds_add_up_to_the_ledger_balance', true)
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const page = await store.ledgerLinksAfter(tx, after, PAGE)
    const last = page.at(-1)
    if (!last) break
    after = last.id
    const inLedger = new Map(
      (
        await balancesOf(
          tx,
          page.map((account) => account.ledgerAccountId),
        )
      ).map((a) => [a.id, a]),
    )
    const balances = page.flatMap(({ id, ledgerAccountId, isExternal }) => {
      const balance = inLedger.get(ledgerAccountId)?.balance
      return balance === undefined || isExternal ? [] : [{ id, balance }]
    })
    for (const { slug, ledgerAccountId, bookId, currency, iban, isExternal } of page) {
      const account = inLedger.get(ledgerAccountId)
      const isRight =
        account?.bookId === bookId && account.currency === currency && (isExternal || account.code === ledgerCodeOf(iban ?? ''))
      if (!isRight)
        linked.add(`${slug}: ${account ? `${account.code} in ${account.currency}, book ${account.bookId}` : 'not in the ledger'}`)
    }
    for (const feed of await store.compareFeeds(tx, balances)) {
      const text = `${feed.slug}: ${feed.balance} in the ledger`
      if (!feed.isTold) told.add(`${text}, which no completed transaction has as its settled balance`)
      if (feed.sum !== feed.balance) sums.add(`${text}, its completed transactions add up to ${feed.sum}`)
    }
  }
  const counted = new Findings('feed_counts_are_true')
  for (const { slug, told: count, actual, total } of await store.miscountedFeeds(tx, EXAMPLES_MAX)) {
    counted.add(`${slug}: ${count} counted, ${actual} there`)
    counted.violations = Number(total)
  }
  return [linked, told, sums, counted]
}

class Findings implements Proof {
  readonly name: string
  readonly isWarning: boolean
  violations = 0
  readonly examples: string[] = []

  constructor(name: string, isWarning = false) {
    this.name = name
    this.isWarning = isWarning
  }

  add(example: string): void {
    this.violations++
    if (this.examples.length < EXAMPLES_MAX) this.examples.push(example)
  }
}
