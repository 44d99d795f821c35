import { Findings } from '../../../platform/findings.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ledgerLinksAfter, namesOf } from '../../accounts/index.ts'
import { balancesOf } from '../../ledger/index.ts'
import * as store from '../verify-store.ts'

const PAGE = 500

/**
 * Proves that feeds and money agree: the ledger's balance is one that the feed has told. An account whose feed doesn't add up to its
 * balance got money that its owner cannot see: a warning. The counts that lists are answered with are those of the feed's rows. (Feeds are
 * not proven by their order: two movements may settle in the same millisecond.) System scope.
 */
export async function verifyFeed(tx: Tx): Promise<Findings[]> {
  return [...(await checkBalances(tx)), await checkCounts(tx)]
}

async function checkBalances(tx: Tx): Promise<Findings[]> {
  const told = new Findings('feeds_tell_the_ledger_balance')
  const sums = new Findings('feeds_add_up_to_the_ledger_balance', true)
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const page = await ledgerLinksAfter(tx, after, PAGE)
    const last = page.at(-1)
    if (!last) return [told, sums]
    after = last.id
    const own = page.filter((account) => !account.isExternal)
    const ledgerIds = own.map((account) => account.ledgerAccountId)
    const inLedger = new Map((await balancesOf(tx, ledgerIds)).map((account) => [account.id, account.balance]))
    const slugs = new Map<string, string>(own.map((account) => [account.id, account.slug]))
    const balances = own.flatMap(({ id, ledgerAccountId }) => {
      const balance = inLedger.get(ledgerAccountId)
      return balance === undefined ? [] : [{ id, balance }]
    })
    for (const feed of await store.compareFeeds(tx, balances)) {
      const text = `${slugs.get(feed.id)}: ${feed.balance} in the ledger`
      if (!feed.isTold) told.add(`${text}, which no completed transaction has as its settled balance`)
      if (feed.sum !== feed.balance) sums.add(`${text}, its completed transactions add up to ${feed.sum}`)
    }
  }
}

async function checkCounts(tx: Tx): Promise<Findings> {
  const counted = new Findings('feed_counts_are_true')
  const miscounted = await store.miscountedFeeds(tx)
  const names = await namesOf(
    tx,
    miscounted.map((feed) => feed.id as Id<'bank_account'>),
  )
  for (const { id, told, actual } of miscounted) {
    counted.add(`${names.get(id)?.slug ?? id}: ${told} counted, ${actual} there`)
  }
  return counted
}
