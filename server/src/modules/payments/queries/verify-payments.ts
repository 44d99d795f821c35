import type { Id } from '../../../platform/ids.ts'
import type { Proof } from '../../../platform/module.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { type BookId, balancesOf, findHolds } from '../../ledger/index.ts'
import { troubledMessages } from '../message-store.ts'
import { holdKeyOf } from '../postings.ts'
import { settlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'

const EXAMPLES_MAX = 5
const PAGE = 500

/**
 * Proves that payments and money agree: every open transfer has its hold, the clearing account for outgoing transfers is exactly what
 * is under way and not yet settled, the one for incoming transfers is empty, suspense is what waits there; and names what waits for a
 * person: messages of the rail that could not be read or applied or that contradict our books, returns that the rail refused.
 */
export async function verifyPayments(tx: Tx): Promise<Proof[]> {
  return [await checkHolds(tx), await checkOpenItems(tx), await checkMessages(tx), await checkReturns(tx)]
}

async function checkHolds(tx: Tx): Promise<Proof> {
  const wrong: string[] = []
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const page = await store.openTransfersPage(tx, after, PAGE)
    const holds = await holdsOf(tx, page)
    for (const transfer of page) {
      const hold = holds.get(holdKeyOf(transfer.id))
      const isRight = hold?.status === 'pending' && hold.amount === transfer.amountMinor
      if (!isRight) wrong.push(`credit transfer ${transfer.id} is ${transfer.status}, its hold is ${hold?.status ?? 'missing'}`)
    }
    const last = page.at(-1)
    if (!last) break
    after = last.id
  }
  return check('open credit transfers hold their amount', wrong)
}

async function holdsOf(tx: Tx, transfers: readonly { id: Id<'credit_transfer'>; bookId: BookId }[]) {
  const books = Map.groupBy(transfers, (transfer) => transfer.bookId)
  const found = new Map<string, Awaited<ReturnType<typeof findHolds>>[number]>()
  for (const [bookId, ofBook] of books) {
    const keys = ofBook.map((transfer) => holdKeyOf(transfer.id))
    for (const hold of await findHolds(tx, bookId, keys)) found.set(hold.id, hold)
  }
  return found
}

async function checkOpenItems(tx: Tx): Promise<Proof> {
  const wrong: string[] = []
  for (const expected of await store.openItemsByBook(tx)) {
    const accounts = settlementAccounts(expected.bookId as BookId)
    const { clearingOut, clearingIn, suspense } = accounts
    const balances = new Map((await balancesOf(tx, [clearingOut, clearingIn, suspense])).map((a) => [a.id, a.balance]))
    for (const [code, id, minor] of [
      ['CLR:SCT:OUT', clearingOut, expected.clearingMinor],
      ['CLR:SCT:IN', clearingIn, 0n],
      ['SUSP:IN', suspense, expected.suspendedMinor],
    ] as const) {
      const actual = balances.get(id) ?? 0n
      if (actual !== minor) wrong.push(`book ${expected.bookId}: ${code} is ${actual}, its open items are ${minor}`)
    }
  }
  return check('clearing and suspense accounts are their open items', wrong)
}

async function checkMessages(tx: Tx): Promise<Proof> {
  const troubled = await troubledMessages(tx, EXAMPLES_MAX)
  const examples = troubled.examples.map((m) => `${m.messageName} ${m.name}: ${m.outcome}`)
  return { name: 'messages of the rail were read and applied', violations: Number(troubled.count), examples, isWarning: true }
}

async function checkReturns(tx: Tx): Promise<Proof> {
  const refused = await store.refusedReturns(tx)
  const examples = refused.map((r) => `incoming transfer ${r.id}, ${r.amountMinor} cents: ${r.statusReasonCode ?? 'no reason'}`)
  return {
    name: 'returns were taken by the rail',
    violations: refused.length,
    examples: examples.slice(0, EXAMPLES_MAX),
    isWarning: true,
  }
}

const check = (name: string, wrong: readonly string[]): Proof => ({
  name,
  violations: wrong.length,
  examples: wrong.slice(0, EXAMPLES_MAX),
  isWarning: false,
})
