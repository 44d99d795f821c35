import { assert } from '../../platform/assert.ts'
import { derivedId } from '../../platform/ids.ts'
import { EUR } from '../../platform/money.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { type BookId, balancesOf, type LedgerAccountId, openAccounts } from '../ledger/index.ts'

/**
 * The bank's own accounts that payments run over, once per book (sepa.md §12): the nostro at the settlement bank, the clearing accounts
 * that must come back to zero, and the suspense account for receipts whose owner we cannot find.
 */
const CODES = {
  nostro: { code: 'NOSTRO:EUR', normalSide: 'debit' },
  clearingOut: { code: 'CLR:SCT:OUT', normalSide: 'credit' },
  clearingIn: { code: 'CLR:SCT:IN', normalSide: 'credit' },
  suspense: { code: 'SUSP:IN', normalSide: 'credit' },
} as const

export type SettlementAccounts = Readonly<Record<keyof typeof CODES, LedgerAccountId>>

/** Their ids, which follow from book and code, so that nobody has to look them up. */
export function settlementAccounts(bookId: BookId): SettlementAccounts {
  const idOf = (code: string) => derivedId('ledger_account', bookId, code)
  return {
    nostro: idOf(CODES.nostro.code),
    clearingOut: idOf(CODES.clearingOut.code),
    clearingIn: idOf(CODES.clearingIn.code),
    suspense: idOf(CODES.suspense.code),
  }
}

/**
 * Opens them in a book; repeated, nothing happens. Where they are open no lock is taken, so that it does not matter whether the book's own is
 * held: openers of one book take turns, and would stand crosswise with those who post.
 */
export async function openSettlementAccounts(tx: Tx, bookId: BookId, now: Date): Promise<SettlementAccounts> {
  const ids = settlementAccounts(bookId)
  if ((await balancesOf(tx, Object.values(ids))).length === Object.keys(CODES).length) return ids
  const wanted = (Object.keys(CODES) as (keyof typeof CODES)[]).map((name) => ({
    id: ids[name],
    ...CODES[name],
    currency: EUR,
    floor: null,
  }))
  const opened = await openAccounts(tx, bookId, wanted, now)
  assert(opened.ok, 'settlement accounts were opened by somebody else')
  return ids
}
