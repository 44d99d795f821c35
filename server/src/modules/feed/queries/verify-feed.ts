import { Findings } from '../../../platform/findings.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { type LedgerLink, ledgerLinksAfter, namesOf } from '../../accounts/index.ts'
import { balancesOf, type EntryOf, entriesMissing } from '../../ledger/index.ts'
import * as store from '../verify-store.ts'

const PAGE = 500
const ENTRIES_PAGE = 5_000
const FIRST = '00000000-0000-0000-0000-000000000000'

/**
 * Proves that feeds and money agree: each completed movement is the ledger's entry that it names, by amount, side and account, and the
 * ledger's balance is one that the feed has told. An account whose feed doesn't add up to its
 * balance got money that its owner cannot see: a warning. The counts that lists are answered with are those of the feed's rows. (Feeds are
 * not proven by their order: two movements may settle in the same millisecond.) System scope.
 */
export async function verifyFeed(tx: Tx): Promise<Findings[]> {
  return [await checkEntries(tx), ...(await checkBalances(tx)), await checkCounts(tx)]
}

async function checkEntries(tx: Tx): Promise<Findings> {
  const shown = new Findings('feeds_show_entries_of_the_ledger')
  const accounts = await allLedgerLinks(tx)
  for (let after = FIRST; ; ) {
    const page = await store.namedEntriesAfter(tx, after, ENTRIES_PAGE)
    const last = page.at(-1)
    if (!last) return shown
    after = last.ledgerKey
    for (const [bookId, rows] of Map.groupBy(page, (row) => accounts.get(row.bankAccountId)?.bookId)) {
      const wrong = bookId === undefined ? rows : await withoutEntry(tx, bookId, rows, accounts)
      for (const { bankAccountId, ledgerKey, side, amountMinor } of wrong) {
        const slug = accounts.get(bankAccountId)?.slug ?? bankAccountId
        shown.add(`${slug}: no entry ${ledgerKey} is a ${side} of ${amountMinor} on its account`)
      }
    }
  }
}

async function allLedgerLinks(tx: Tx): Promise<Map<string, LedgerLink>> {
  const links = new Map<string, LedgerLink>()
  for (let after = FIRST; ; ) {
    const page = await ledgerLinksAfter(tx, after, PAGE)
    for (const link of page) links.set(link.id, link)
    const last = page.at(-1)
    if (!last) return links
    after = last.id
  }
}

async function withoutEntry(
  tx: Tx,
  bookId: LedgerLink['bookId'],
  rows: readonly store.NamedEntry[],
  accounts: ReadonlyMap<string, LedgerLink>,
): Promise<readonly store.NamedEntry[]> {
  const rowOf = new Map<string, store.NamedEntry>()
  const wanted = rows.flatMap((row): EntryOf[] => {
    const accountId = accounts.get(row.bankAccountId)?.ledgerAccountId
    if (!accountId) return []
    rowOf.set(`${row.ledgerKey} ${accountId}`, row)
    return [{ key: row.ledgerKey, accountId, side: row.side, amount: row.amountMinor }]
  })
  const missing = await entriesMissing(tx, bookId, wanted)
  return missing.flatMap(({ key, accountId }) => rowOf.get(`${key} ${accountId}`) ?? [])
}

async function checkBalances(tx: Tx): Promise<Findings[]> {
  const told = new Findings('feeds_tell_the_ledger_balance')
  const sums = new Findings('feeds_add_up_to_the_ledger_balance', true)
  for (let after = FIRST; ; ) {
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
