import { derivedId } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import {
  type Account,
  accountsByCode,
  type BookId,
  entriesOfAccounts,
  type LedgerAccountId,
  type NewAccount,
  type OpenAccountsRefusal,
  openAccounts,
} from '../../ledger/index.ts'
import { openingOf, startsMidway } from './replay-comparison.ts'
import type { ReplayRow } from './replay-file.ts'
import { type PostedMovement, placeOf } from './replay-place.ts'

/** An account of the file and the ledger account that its history stands in. */
export type ReplayAccount = {
  readonly name: string
  readonly id: LedgerAccountId
  readonly bookId: BookId
  readonly rows: readonly ReplayRow[]
  /** Before this run. */
  readonly balance: bigint
  /** The account's movements that stand there, oldest first. */
  readonly earlier: readonly PostedMovement[]
  /** How many of them come before the file's first; the file's own may be among them too. */
  readonly place: number
  /** What the account had before its first row, which is still to be posted; 0n when it had nothing, or stands there. */
  readonly opening: bigint
}

export type ReplayBooks = {
  /** Where histories that are new live. */
  readonly bookId: BookId
  /** Where earlier releases posted them: the ones that stand there go on there. */
  readonly earlierBookId: BookId
  /** Organization slug, or `bank`. */
  readonly owner: string
  readonly currency: Currency
  readonly toleranceMinor: bigint
}

export const OPENING_CODE = 'replay.opening'
const OPEN_PER_CALL = 1_000

/** The account of a book that stands for everybody else. */
export async function openContra(
  tx: Tx,
  bookId: BookId,
  { owner, currency }: ReplayBooks,
  now: Date,
): Promise<Result<LedgerAccountId, OpenAccountsRefusal>> {
  const account = newAccount(bookId, `REPLAYC:${owner}:${currency}`, currency, 'debit')
  const opened = await openAccounts(tx, bookId, [account], now)
  return opened.ok ? ok(account.id) : opened
}

/**
 * Opens the accounts of the file, which may be overdrawn as they were at the source. A history that contradicts what stands under its
 * account's name is another bank's, or a corrected one: it gets an account of its own, since the books of the first cannot be rewritten.
 */
export async function openReplayAccounts(
  tx: Tx,
  books: ReplayBooks,
  rows: readonly ReplayRow[],
  now: Date,
): Promise<Result<ReplayAccount[], OpenAccountsRefusal>> {
  const { toleranceMinor } = books
  const accounts: ReplayAccount[] = []
  let open = [...Map.groupBy(rows, (row) => row.account)]
  const isMidway = startsMidway(
    open.map(([, own]) => own),
    toleranceMinor,
  )
  for (let copy = 1; open.length > 0; copy++) {
    const others: typeof open = []
    for (let start = 0; start < open.length; start += OPEN_PER_CALL) {
      const part = open.slice(start, start + OPEN_PER_CALL)
      const opened = await findOrOpen(
        tx,
        books,
        part.map(([name]) => codeOf(books, name, copy)),
        now,
      )
      if (!opened.ok) return refuse(opened.refusal)
      const posted = await postedTo(tx, opened.value)
      for (const [index, [name, own]] of part.entries()) {
        const { id, bookId, balance } = opened.value[index] as Account
        const before = posted.get(id)
        const place = before ? placeOf(own, before, toleranceMinor) : 0
        if (place === undefined) others.push([name, own])
        else {
          const opening = before ? 0n : openingOf(own, toleranceMinor, isMidway)
          accounts.push({ name, id, bookId, rows: own, balance, earlier: before?.movements ?? [], place, opening })
        }
      }
    }
    open = others
  }
  return ok(accounts)
}

/** @returns one account for each code, in their order. */
async function findOrOpen(
  tx: Tx,
  { bookId, earlierBookId, currency }: ReplayBooks,
  codes: readonly string[],
  now: Date,
): Promise<Result<Account[], OpenAccountsRefusal>> {
  const earlier = new Map((await accountsByCode(tx, earlierBookId, codes)).map((account) => [account.code, account]))
  const wanted = codes.filter((code) => !earlier.has(code)).map((code) => newAccount(bookId, code, currency, 'credit'))
  const opened = await openAccounts(tx, bookId, wanted, now)
  if (!opened.ok) return opened
  const byCode = new Map([...earlier, ...opened.value.map((account) => [account.code, account] as const)])
  return ok(codes.map((code) => byCode.get(code) as Account))
}

const codeOf = ({ owner, currency }: ReplayBooks, name: string, copy: number): string =>
  `REPLAY:${owner}:${name}:${currency}${copy === 1 ? '' : `:${copy}`}`

const newAccount = (bookId: BookId, code: string, currency: Currency, normalSide: 'debit' | 'credit'): NewAccount => ({
  id: derivedId('ledger_account', bookId, code),
  code,
  currency,
  normalSide,
  floor: null,
})

type Posted = { readonly opening: bigint; readonly movements: readonly PostedMovement[] }

/** What stands in the accounts, oldest first; nothing of those that have no entries. */
async function postedTo(tx: Tx, accounts: readonly Account[]): Promise<Map<LedgerAccountId, Posted>> {
  const used = accounts.filter((account) => account.version > 0n).map((account) => account.id)
  const entries = used.length === 0 ? [] : await entriesOfAccounts(tx, used)
  const byAccount = Map.groupBy(entries, (entry) => entry.accountId)
  return new Map(
    [...byAccount].map(([id, own]) => [
      id,
      {
        opening: own[0]?.code === OPENING_CODE ? own[0].balanceAfter : 0n,
        movements: own
          .filter((entry) => entry.code !== OPENING_CODE)
          .map(({ side, amount, balanceAfter, effectiveAt }) => ({
            date: effectiveAt.toISOString().slice(0, 10),
            amountMinor: side === 'credit' ? amount : -amount,
            balanceAfter,
          })),
      },
    ]),
  )
}
