import type { Clock } from '../../../platform/clock.ts'
import { derivedId, type Id } from '../../../platform/ids.ts'
import { type Currency, money } from '../../../platform/money.ts'
import type { Database } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import {
  type BookId,
  type LedgerAccountId,
  type OpenAccountsRefusal,
  openAccounts,
  openBook,
  type Posted,
  PostingLane,
  type PostingRefusal,
  type TransferOperation,
} from '../../ledger/index.ts'
import { bookOf, DEFAULT_BOOK } from './open-bank-account.ts'
import { compareRows, type Mismatch, openingOf } from './replay-comparison.ts'
import type { ReplayRow } from './replay-file.ts'

export type ReplayHistory = {
  readonly rows: readonly ReplayRow[]
  readonly currency: Currency
  /** How far the source's balance may be from ours, in minor units: its own rounding. */
  readonly toleranceMinor: bigint
  /** Whose history it is; undefined: the bank's own. */
  readonly organization: { readonly id: Id<'organization'>; readonly slug: string } | undefined
  readonly clock: Clock
  /** Called after every commit with how many rows are through. */
  readonly onProgress?: (rows: number) => void
}

export type ReplayReport = {
  readonly rows: number
  readonly accounts: number
  /** Rows that this run posted. Rows of zero have nothing to post, and openings are not counted. */
  readonly posted: number
  /** Rows that stood in the ledger already. */
  readonly alreadyPosted: number
  /** In the file's order; amounts in minor units. */
  readonly mismatches: readonly Mismatch[]
}

export type ReplayRefusal = {
  readonly reason: PostingRefusal | OpenAccountsRefusal
  /** The row that the ledger refused; undefined when an account could not be opened. */
  readonly row: ReplayRow | undefined
}

const OPERATIONS_PER_SUBMIT = 1_000
const OPEN_PER_CALL = 1_000
/** Accounts are dealt out to this many streams. Each waits for its own answers, so an account's rows keep their order even when a connection is lost. */
const STREAMS = 4

/**
 * Posts a history row by row and compares the ledger's balance with the source's after each. Every row has a key of its own, so a
 * replay that was interrupted goes on where it was: what stands there is answered with the balance it had then, and compared again.
 */
export async function replayHistory(database: Database, history: ReplayHistory): Promise<Result<ReplayReport, ReplayRefusal>> {
  const opened = await openReplayAccounts(database, history)
  if (!opened.ok) return refuse({ reason: opened.refusal, row: undefined })
  const { bookId, contra, accounts } = opened.value
  const lane = new PostingLane({ database, bookId, now: () => history.clock.now(), batchMax: 2 * OPERATIONS_PER_SUBMIT })
  const run = new Run(history, lane)
  const streams: Posting[][] = Array.from({ length: STREAMS }, () => [])
  const ordinals = new Map<string, number>()
  const places = new Map([...accounts.keys()].map((name, index) => [name, index % STREAMS]))
  for (const [name, account] of accounts) {
    const opening = account.isNew ? openingOf(account.rows, history.toleranceMinor) : 0n
    if (opening !== 0n) streams[places.get(name) ?? 0]?.push(openingPosting(history, name, opening, account.id, contra))
  }
  for (const row of history.rows) {
    const ordinal = ordinals.get(row.account) ?? 0
    ordinals.set(row.account, ordinal + 1)
    const account = accounts.get(row.account)
    if (account && row.amount.minor !== 0n)
      streams[places.get(row.account) ?? 0]?.push({ row, operation: rowOperation(history, row, ordinal, account.id, contra) })
  }
  await Promise.all(streams.map((stream) => run.post(stream)))
  await lane.close()
  if (run.refusal) return refuse(run.refusal)
  const mismatches = [...accounts.values()].flatMap(({ rows, balance, isNew }) => {
    const start = isNew ? openingOf(rows, history.toleranceMinor) : balance
    return compareRows(rows, run.balances, start, history.toleranceMinor)
  })
  mismatches.sort((a, b) => a.row - b.row)
  return ok({
    rows: history.rows.length,
    accounts: accounts.size,
    posted: run.posted,
    alreadyPosted: run.alreadyPosted,
    mismatches,
  })
}

/** `row` is undefined for an opening. */
type Posting = { readonly row: ReplayRow | undefined; readonly operation: TransferOperation }

class Run {
  readonly balances = new Map<number, bigint>()
  posted = 0
  alreadyPosted = 0
  refusal: ReplayRefusal | undefined
  readonly #history: ReplayHistory
  readonly #lane: PostingLane

  constructor(history: ReplayHistory, lane: PostingLane) {
    this.#history = history
    this.#lane = lane
  }

  /** Posts in order, one submission at a time; stops when any stream was refused. */
  async post(stream: readonly Posting[]): Promise<void> {
    for (let start = 0; start < stream.length && !this.refusal; start += OPERATIONS_PER_SUBMIT) {
      const part = stream.slice(start, start + OPERATIONS_PER_SUBMIT)
      const outcomes = await this.#lane.submit(part.map((posting) => posting.operation))
      for (const [index, outcome] of outcomes.entries()) {
        const row = part[index]?.row
        if (!outcome.ok) this.refusal ??= { reason: outcome.refusal, row }
        else if (row) this.#take(row, outcome.value)
      }
      this.#history.onProgress?.(this.posted + this.alreadyPosted)
    }
  }

  #take(row: ReplayRow, answer: Posted): void {
    if (answer.replayed) this.alreadyPosted++
    else this.posted++
    const balance = row.amount.minor > 0n ? answer.creditBalance : answer.debitBalance
    if (balance !== null) this.balances.set(row.row, balance)
  }
}

const ownerOf = (history: ReplayHistory): string => history.organization?.slug ?? 'bank'

function rowOperation(
  history: ReplayHistory,
  row: ReplayRow,
  ordinal: number,
  account: LedgerAccountId,
  contra: LedgerAccountId,
): TransferOperation {
  const { date, amount, balanceAfter, text } = row
  const parts = [ownerOf(history), row.account, amount.currency, ordinal, date, amount.minor, balanceAfter.minor, text] as const
  return {
    ...movement(amount.currency, amount.minor, account, contra),
    key: derivedId('ledger_operation', 'replay', ...parts),
    code: 'replay',
    effectiveAt: noonOf(date),
  }
}

function openingPosting(
  history: ReplayHistory,
  account: string,
  minor: bigint,
  id: LedgerAccountId,
  contra: LedgerAccountId,
): Posting {
  const key = derivedId('ledger_operation', 'replay opening', ownerOf(history), account, history.currency)
  const first = history.rows.find((row) => row.account === account)
  return {
    row: undefined,
    operation: {
      ...movement(history.currency, minor, id, contra),
      key,
      code: 'replay.opening',
      ...(first && { effectiveAt: noonOf(first.date) }),
    },
  }
}

const noonOf = (date: string): Date => new Date(`${date}T12:00:00.000Z`)

const movement = (currency: Currency, minor: bigint, account: LedgerAccountId, contra: LedgerAccountId) =>
  ({
    kind: 'transfer',
    debit: minor > 0n ? contra : account,
    credit: minor > 0n ? account : contra,
    amount: money(currency, minor > 0n ? minor : -minor),
  }) as const

type ReplayAccount = {
  readonly id: LedgerAccountId
  readonly rows: readonly ReplayRow[]
  /** Before this run. */
  readonly balance: bigint
  /** Nothing was ever posted to it. An opening comes before everything else, so an account that is not new has its opening. */
  readonly isNew: boolean
}

type Opened = { readonly bookId: BookId; readonly contra: LedgerAccountId; readonly accounts: ReadonlyMap<string, ReplayAccount> }

/** Opens the accounts of the file, which may be overdrawn as they were at the source, and the one that stands for everybody else. */
async function openReplayAccounts(database: Database, history: ReplayHistory): Promise<Result<Opened, OpenAccountsRefusal>> {
  const { currency, organization } = history
  const owner = ownerOf(history)
  const now = history.clock.now()
  const contraCode = `REPLAYC:${owner}:${currency}`
  const byAccount = Map.groupBy(history.rows, (row) => row.account)
  return database.transaction('system', async (tx) => {
    const bookId = organization ? await bookOf(tx, organization.id, now) : await openBook(tx, { code: DEFAULT_BOOK, now })
    const contra = derivedId('ledger_account', bookId, contraCode)
    const accounts = new Map<string, ReplayAccount>()
    const names = [...byAccount.keys()]
    for (let start = 0; start < names.length; start += OPEN_PER_CALL) {
      const part = names.slice(start, start + OPEN_PER_CALL).map((name) => {
        const code = `REPLAY:${owner}:${name}:${currency}`
        return { name, id: derivedId('ledger_account', bookId, code), code, currency, normalSide: 'credit' as const, floor: null }
      })
      const other = { id: contra, code: contraCode, currency, normalSide: 'debit' as const, floor: null }
      const opened = await openAccounts(tx, bookId, [other, ...part], now)
      if (!opened.ok) return opened
      const standing = new Map(opened.value.map((account) => [account.id, account]))
      for (const { name, id } of part) {
        const { balance = 0n, version = 0n } = standing.get(id) ?? {}
        accounts.set(name, { id, rows: byAccount.get(name) ?? [], balance, isNew: version === 0n })
      }
    }
    return ok({ bookId, contra, accounts })
  })
}
