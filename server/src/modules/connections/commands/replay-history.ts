import type { Actor } from '../../../platform/actor.ts'
import type { Clock } from '../../../platform/clock.ts'
import { derivedId, type Id } from '../../../platform/ids.ts'
import { type Currency, money } from '../../../platform/money.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import { bookOf, DEFAULT_BOOK } from '../../accounts/index.ts'
import {
  type BookId,
  type LedgerAccountId,
  type OpenAccountsRefusal,
  openBook,
  type Posted,
  PostingLane,
  type PostingRefusal,
  type TransferOperation,
} from '../../ledger/index.ts'
import { openExternalBook } from './open-external-account.ts'
import { OPENING_CODE, openContra, openReplayAccounts, type ReplayAccount } from './replay-accounts.ts'
import { compareRows, type Mismatch } from './replay-comparison.ts'
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
  /** Rows that this run posted, openings not counted. A row of zero moves nothing and shares the fate of the rows beside it in its account. */
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
/** Accounts are dealt out to this many streams. Each waits for its own answers, so an account's rows keep their order even when a connection is lost. */
const STREAMS = 4

/**
 * Posts a history row by row and compares the ledger's balance with the source's after each. A replay that was interrupted goes on where it
 * was: what stands there is compared with the balance it had then, and the rest is posted. Every movement has a key of its own, so two
 * replays at once post it once.
 */
export async function replayHistory(
  { actor, database }: { readonly actor: Actor; readonly database: Database },
  history: ReplayHistory,
): Promise<Result<ReplayReport, ReplayRefusal>> {
  const opened = await database.transaction(actor, (tx) => openAll(tx, history))
  if (!opened.ok) return refuse({ reason: opened.refusal, row: undefined })
  const { contras, accounts } = opened.value
  const run = new Run(history)
  const byBook = Map.groupBy(accounts, (account) => account.bookId)
  await Promise.all(
    [...byBook].map(async ([bookId, own]) => {
      const lane = new PostingLane({ database, bookId, now: () => history.clock.now(), batchMax: 2 * OPERATIONS_PER_SUBMIT })
      const streams = streamsOf(history.rows, own, contras.get(bookId) as LedgerAccountId, run)
      await Promise.all(streams.map((stream) => run.post(stream, lane)))
      await lane.close()
    }),
  )
  if (run.refusal) return refuse(run.refusal)
  const mismatches = accounts.flatMap(({ rows, balance, opening }) =>
    compareRows(rows, run.balances, balance + opening, history.toleranceMinor),
  )
  mismatches.sort((a, b) => a.row - b.row)
  return ok({
    rows: history.rows.length,
    accounts: accounts.length,
    posted: run.posted,
    alreadyPosted: run.alreadyPosted,
    mismatches,
  })
}

type Opened = {
  /** By book. */
  readonly contras: ReadonlyMap<BookId, LedgerAccountId>
  readonly accounts: readonly ReplayAccount[]
}

async function openAll(tx: Tx, history: ReplayHistory): Promise<Result<Opened, OpenAccountsRefusal>> {
  const { currency, organization, toleranceMinor } = history
  const now = history.clock.now()
  const bookId = await openExternalBook(tx, organization?.id ?? 'bank', now)
  const earlierBookId = organization ? await bookOf(tx, organization.id, now) : await openBook(tx, { code: DEFAULT_BOOK, now })
  const books = { bookId, earlierBookId, owner: organization?.slug ?? 'bank', currency, toleranceMinor }
  const accounts = await openReplayAccounts(tx, books, history.rows, now)
  if (!accounts.ok) return accounts
  const contras = new Map<BookId, LedgerAccountId>()
  for (const used of new Set(accounts.value.map((account) => account.bookId))) {
    const contra = await openContra(tx, used, books, now)
    if (!contra.ok) return contra
    contras.set(used, contra.value)
  }
  return ok({ contras, accounts: accounts.value })
}

/** Everything to be posted, in the file's order, dealt out by account; openings first. What stands there already is told to the run. */
function streamsOf(
  rows: readonly ReplayRow[],
  accounts: readonly ReplayAccount[],
  contra: LedgerAccountId,
  run: Run,
): Posting[][] {
  const streams: Posting[][] = Array.from({ length: STREAMS }, () => [])
  const targets = new Map<string, { account: ReplayAccount; stream: Posting[]; ordinal: number }>()
  for (const [index, account] of accounts.entries()) {
    const stream = streams[index % STREAMS] as Posting[]
    targets.set(account.name, { account, stream, ordinal: account.place })
    if (account.opening !== 0n) stream.push(openingPosting(account, contra))
  }
  for (const row of rows) {
    const target = targets.get(row.account)
    if (!target) continue
    if (row.amount.minor === 0n) {
      const { earlier, place } = target.account
      run.count(earlier.length > place && target.ordinal <= earlier.length)
      continue
    }
    const ordinal = target.ordinal++
    const stands = target.account.earlier[ordinal]
    if (stands) run.confirm(row, stands.balanceAfter)
    else target.stream.push({ row, operation: rowOperation(row, ordinal, target.account.id, contra) })
  }
  return streams
}

/** `row` is undefined for an opening. */
type Posting = { readonly row: ReplayRow | undefined; readonly operation: TransferOperation }

class Run {
  readonly balances = new Map<number, bigint>()
  posted = 0
  alreadyPosted = 0
  refusal: ReplayRefusal | undefined
  readonly #history: ReplayHistory

  constructor(history: ReplayHistory) {
    this.#history = history
  }

  /** A row that was posted before, by this command or an earlier release of it. */
  confirm(row: ReplayRow, balanceAfter: bigint): void {
    this.count(true)
    this.balances.set(row.row, balanceAfter)
  }

  /** Posts in order, one submission at a time; stops when any stream was refused. */
  async post(stream: readonly Posting[], lane: PostingLane): Promise<void> {
    for (let start = 0; start < stream.length && !this.refusal; start += OPERATIONS_PER_SUBMIT) {
      const part = stream.slice(start, start + OPERATIONS_PER_SUBMIT)
      const outcomes = await lane.submit(part.map((posting) => posting.operation))
      for (const [index, outcome] of outcomes.entries()) {
        const row = part[index]?.row
        if (!outcome.ok) this.refusal ??= { reason: outcome.refusal, row }
        else if (row) this.#take(row, outcome.value)
      }
      this.#history.onProgress?.(this.posted + this.alreadyPosted)
    }
  }

  count(stoodBefore: boolean): void {
    if (stoodBefore) this.alreadyPosted++
    else this.posted++
  }

  #take(row: ReplayRow, answer: Posted): void {
    this.count(answer.replayed)
    const balance = row.amount.minor > 0n ? answer.creditBalance : answer.debitBalance
    if (balance !== null) this.balances.set(row.row, balance)
  }
}

/** The key is the movement's place in its account's history: told twice at once, it is posted once. */
function rowOperation(row: ReplayRow, ordinal: number, account: LedgerAccountId, contra: LedgerAccountId): TransferOperation {
  const { currency, minor } = row.amount
  return {
    ...movement(currency, minor, account, contra),
    key: derivedId('ledger_operation', 'replay', account, ordinal, row.date, minor),
    code: 'replay',
    effectiveAt: noonOf(row.date),
  }
}

function openingPosting({ id, opening, rows }: ReplayAccount, contra: LedgerAccountId): Posting {
  const first = rows[0] as ReplayRow
  const operation = {
    ...movement(first.amount.currency, opening, id, contra),
    key: derivedId('ledger_operation', OPENING_CODE, id),
    code: OPENING_CODE,
    effectiveAt: noonOf(first.date),
  }
  return { row: undefined, operation }
}

const noonOf = (date: string): Date => new Date(`${date}T12:00:00.000Z`)

const movement = (currency: Currency, minor: bigint, account: LedgerAccountId, contra: LedgerAccountId) =>
  ({
    kind: 'transfer',
    debit: minor > 0n ? contra : account,
    credit: minor > 0n ? account : contra,
    amount: money(currency, minor > 0n ? minor : -minor),
  }) as const
