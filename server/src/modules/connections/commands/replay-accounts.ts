import { derivedId } from '../../../platform/ids.ts'
import type { Currency } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import {
  type Account,
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
  readonly rows: readonly ReplayRow[]
  /** Before this run. */
  readonly balance: bigint
  /** The account's movements that stand there, oldest first. */
  readonly standing: readonly PostedMovement[]
  /** How many of them come before the file's first; the file's own may be among them too. */
  readonly place: number
  /** What the account had before its first row, which is still to be posted; 0n when it had nothing, or stands there. */
  readonly opening: bigint
}

export type ReplayBook = {
  readonly bookId: BookId
  /** Organization slug, or `bank`. */
  readonly owner: string
  readonly currency: Currency
  readonly toleranceMinor: bigint
}

export const OPENING_CODE = 'replay.opening'
const OPEN_PER_CALL = 1_000

/** The account that stands for everybody else. */
export async function openContra(tx: Tx, book: ReplayBook, now: Date): Promise<Result<LedgerAccountId, OpenAccountsRefusal>> {
  const account = newAccount(book, `REPLAYC:${book.owner}:${book.currency}`, 'debit')
  const opened = await openAccounts(tx, book.bookId, [account], now)
  return opened.ok ? ok(account.id) : opened
}

/**
 * Opens the accounts of the file, which may be overdrawn as they were at the source. A history that contradicts what stands under its
 * account's name is another bank's, or a corrected one: it gets an account of its own, since the books of the first cannot be rewritten.
 */
export async function openReplayAccounts(
  tx: Tx,
  book: ReplayBook,
  rows: readonly ReplayRow[],
  now: Date,
): Promise<Result<ReplayAccount[], OpenAccountsRefusal>> {
  const accounts: ReplayAccount[] = []
  let open = [...Map.groupBy(rows, (row) => row.account)]
  const isMidway = startsMidway(
    open.map(([, own]) => own),
    book.toleranceMinor,
  )
  for (let copy = 1; open.length > 0; copy++) {
    const others: typeof open = []
    for (let start = 0; start < open.length; start += OPEN_PER_CALL) {
      const part = open.slice(start, start + OPEN_PER_CALL)
      const wanted = part.map(([name]) => newAccount(book, codeOf(book, name, copy), 'credit'))
      const opened = await openAccounts(tx, book.bookId, wanted, now)
      if (!opened.ok) return refuse(opened.refusal)
      const balances = new Map(opened.value.map((account) => [account.id, account.balance]))
      const posted = await postedTo(tx, opened.value)
      for (const [index, [name, own]] of part.entries()) {
        const id = (wanted[index] as NewAccount).id
        const standing = posted.get(id)
        const place = standing ? placeOf(own, standing, book.toleranceMinor) : 0
        if (place === undefined) others.push([name, own])
        else {
          const opening = standing ? 0n : openingOf(own, book.toleranceMinor, isMidway)
          accounts.push({
            name,
            id,
            rows: own,
            balance: balances.get(id) ?? 0n,
            standing: standing?.movements ?? [],
            place,
            opening,
          })
        }
      }
    }
    open = others
  }
  return ok(accounts)
}

const codeOf = (book: ReplayBook, name: string, copy: number): string =>
  `REPLAY:${book.owner}:${name}:${book.currency}${copy === 1 ? '' : `:${copy}`}`

function newAccount(book: ReplayBook, code: string, normalSide: 'debit' | 'credit'): NewAccount {
  const id = derivedId('ledger_account', book.bookId, code)
  return { id, code, currency: book.currency, normalSide, floor: null }
}

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
