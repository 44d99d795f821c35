import { addDays, type LocalDate } from '../../../platform/clock.ts'
import {
  AccountBooks,
  type AccountFacts,
  type CarriedBalance,
  type CarryChange,
  type LedgerAnswer,
  type ReachedBalance,
} from './account-books.ts'
import { compareWithBooks, type KnownEntry } from './duplicate-entries.ts'
import {
  countsLater,
  gapAfter,
  gapBefore,
  type ImportProblem,
  notBooked,
  notCarried,
  type UnbookedEntry,
  unbookedEntry,
} from './import-problems.ts'
import type { Statement, StatementBalances, StatementEntry } from './statement.ts'

/** What one statement changes in the books. */
export type StatementPlan = {
  /** The opening balance carried forward, before the entries; undefined where it follows from what the books have. */
  readonly opening: CarryChange | undefined
  /** The entries that the books lack, in the statement's order. */
  readonly toBook: readonly StatementEntry[]
  /** Carried balances that the entries change, after them. */
  readonly corrections: readonly CarryChange[]
  /** How many of its entries are in the books already. */
  readonly duplicates: number
  /** Those of them that may say more of a booking than is known. */
  readonly known: readonly KnownEntry[]
  readonly unbooked: readonly UnbookedEntry[]
  readonly problems: readonly ImportProblem[]
}

/** What the statements of one account in a file change. */
export type AccountPlan = {
  /** One for each, in order. */
  readonly statements: readonly StatementPlan[]
  /** The carried balances as they are then, where they have changed. */
  readonly carried: readonly CarriedBalance[]
  readonly reached: ReachedBalance | undefined
  /** Where not only the end of the feed has changed: its balances are reckoned again from `base`, the one before the day `from`. */
  readonly restate: { readonly from: LocalDate; readonly base: bigint; readonly carried: readonly CarriedBalance[] } | undefined
}

/**
 * Plans the statements of one account, one after another, without touching anything: the same facts give the same plan.
 *
 * The balance before the earliest statement is carried forward from nothing. Later statements go on from where the last one ended; where
 * one does not, entries are missing between them (or the last one did not add up), and the difference is carried forward as well, so that
 * the balance stays the bank's. Entries that come to light later and count before a carried balance are taken out of it: so any order of
 * the files ends in the same books.
 */
export function planStatements(facts: AccountFacts, statements: readonly Statement[]): AccountPlan {
  const books = new AccountBooks(facts)
  const plans = statements.map((statement) => planStatement(books, statement))
  const before = new Set(facts.carried)
  const from = books.restateFrom
  return {
    statements: plans,
    carried: books.carried.filter((balance) => !before.has(balance)),
    reached: books.reached,
    restate: from === undefined ? undefined : { from, base: books.balanceBefore(from), carried: carriedAfter(books, from) },
  }
}

const carriedAfter = (books: AccountBooks, day: LocalDate): CarriedBalance[] =>
  books.carried.filter((balance) => balance.day > day && balance.carriedMinor !== 0n)

function planStatement(books: AccountBooks, statement: Statement): StatementPlan {
  const isRepeat = books.statements.has(statement.name)
  books.statements.add(statement.name)
  const { duplicates, known, missing } = compareWithBooks(books, statement, isRepeat)
  const draft = new Draft(statement, duplicates, known)
  // The very statement again, with nothing that the books lack, changes nothing, whatever its balances look like beside later ones.
  if (missing.length > 0 || !isRepeat) planChanges(books, statement, missing, draft)
  return draft
}

class Draft implements StatementPlan {
  opening: CarryChange | undefined
  readonly toBook: StatementEntry[] = []
  readonly corrections: CarryChange[] = []
  duplicates: number
  readonly known: KnownEntry[]
  readonly unbooked: UnbookedEntry[]
  readonly problems: ImportProblem[]

  constructor({ unbooked }: Statement, duplicates: number, known: readonly KnownEntry[]) {
    this.duplicates = duplicates
    this.known = [...known]
    this.unbooked = [...unbooked]
    this.problems = unbooked.map(notBooked)
  }

  leaveOut(entry: StatementEntry, code: UnbookedEntry['code']): void {
    const unbooked = unbookedEntry(entry.source, code)
    this.unbooked.push(unbooked)
    this.problems.push(notBooked(unbooked))
  }
}

function planChanges(books: AccountBooks, statement: Statement, missing: readonly StatementEntry[], draft: Draft): void {
  const { balances, line, currency } = statement
  draft.problems.push(...(balances?.problems ?? []))
  const lacksEntries = missing.length > 0
  const isEarlier = balances !== undefined && planOpening(books, statement, balances, lacksEntries, draft)

  const days = missing.map((entry) => entry.day)
  const since = days.reduce(earlier, undefined)
  if (since !== undefined && !(isAscending(days) && !books.hasEntryFrom(since))) books.restateSince(since)
  planEntries(books, missing, draft)

  const from = isEarlier ? earlier(since, balances?.day) : since
  if (from !== undefined) {
    for (const [day, gap] of planCorrections(books, from, draft)) draft.problems.push(gapBefore(line, day, gap, currency))
  }
  const surplus = balances ? planClosing(books, balances, lacksEntries, isEarlier, draft) : 0n
  if (surplus !== 0n) draft.problems.push(gapAfter(line, surplus, currency))
}

function planEntries(books: AccountBooks, missing: readonly StatementEntry[], draft: Draft): void {
  for (const entry of missing) {
    const answer = books.book(entry)
    // Another statement counts the entry on another day: the ledger knows its key, and one entry is booked once.
    if (answer === 'booked') {
      draft.duplicates++
      draft.known.push(entry)
    } else if (answer) draft.leaveOut(entry, answer)
    else draft.toBook.push(entry)
  }
  for (const entry of missing) books.noteDay(entry.day)
  const late = draft.toBook.filter(({ day, source }) => day !== source.bookingDate)
  const [first] = late
  if (first) draft.problems.push(countsLater(first.source, first.day, late.length))
}

/**
 * Carries the opening balance forward where it does not follow from the entries before.
 * @returns whether the statement counts before what was known.
 */
function planOpening(
  books: AccountBooks,
  { line, currency, statedOpeningText }: Statement,
  balances: StatementBalances,
  lacksEntries: boolean,
  draft: Draft,
): boolean {
  const { day, opening } = balances
  if (opening === undefined) return false
  const [first] = books.carried
  const isEarlier = first !== undefined && (day < first.day || precedesCarried(books, balances))
  const gap = !first || isEarlier ? 0n : gapTo(books, balances, opening, lacksEntries)
  if (first && !isEarlier && gap === 0n) return isEarlier
  const before = books.balanceBefore(day)
  const carried = gap === 0n ? books.carry(day, opening - before, opening) : books.carry(day, gap, before + gap)
  if (isRefused(carried)) draft.problems.push(notCarried(line, problemOf(carried), `the opening balance ${statedOpeningText}`))
  else {
    draft.opening = carried
    if (gap !== 0n) draft.problems.push(gapBefore(line, day, gap, currency))
  }
  return isEarlier
}

/**
 * Two statements of one day, in the wrong order: this one ends where the books were made to begin. One that also begins where they end may
 * be the next of a day that comes back to its opening, and is taken for it.
 */
function precedesCarried(books: AccountBooks, { day, opening, closing }: StatementBalances): boolean {
  if (opening === books.reached?.minor) return false
  const same = books.carriedOn(day)
  return same !== undefined && same.balanceMinor !== opening && same.balanceMinor === closing
}

/** What is missing between the books and an opening balance. */
function gapTo(books: AccountBooks, { day }: StatementBalances, opening: bigint, lacksEntries: boolean): bigint {
  const { reached } = books
  if (!reached) return 0n
  if (day > reached.day) return opening - books.balanceBefore(day)
  if (!lacksEntries) return 0n
  if (day < reached.day) return books.hasEntryOn(day) ? 0n : opening - books.balanceBefore(day)
  return opening === reached.minor || books.balanceBefore(day) === opening ? 0n : opening - reached.minor
}

/** After entries or a balance from `since` on: takes them out of what was carried forward for later days. @returns the gaps still open. */
function planCorrections(books: AccountBooks, since: LocalDate, draft: Draft): Map<LocalDate, bigint> {
  const gaps = new Map<LocalDate, bigint>()
  const later = books.carried.filter((balance) => balance.day > since)
  if (later.length === 0) return gaps
  const balances = books.balancesBefore(later.map((balance) => balance.day))
  let corrected = 0n
  for (const [index, { day, balanceMinor }] of later.entries()) {
    const difference = balanceMinor - (balances[index] as bigint) - corrected
    if (difference === 0n) continue
    books.restateSince(since)
    const change = books.carry(day, difference, balanceMinor)
    // A refused correction leaves the balance off by what was refused; the period is closed, and its entries were refused before.
    if (isRefused(change)) continue
    corrected += difference
    draft.corrections.push(change)
    if (change.carriedMinor !== 0n) gaps.set(day, change.carriedMinor)
  }
  return gaps
}

/**
 * Remembers where a statement ended, when it is the latest one.
 *
 * @returns what the books have beside it, where its days were covered whole before: a corrected statement lacks entries of the first one.
 * They stay, and the balance is carried to the bank's on the day after.
 */
function planClosing(
  books: AccountBooks,
  { day, end, opening, closing, booked }: StatementBalances,
  lacksEntries: boolean,
  isEarlier: boolean,
  draft: Draft,
): bigint {
  if (closing === undefined) return 0n
  const addsUp = opening !== undefined && opening + booked === closing
  const isCorrected = books.covers(end)
  if (addsUp && !isCorrected) books.addCompletePeriod({ from: day, to: end })
  const { reached } = books
  const isKnown = reached !== undefined && !lacksEntries && opening !== reached.minor
  if (reached && (end < reached.day || (end === reached.day && (isEarlier || isKnown)))) return 0n
  books.reached = { minor: opening === undefined ? closing : opening + booked, day: end }
  const next = addDays(end, 1)
  if (!addsUp || books.hasEntryFrom(next) || !(isCorrected || books.carriedOn(next))) return 0n
  const surplus = closing - books.balanceMinor
  if (surplus === 0n) return 0n
  const change = books.carry(next, surplus, closing)
  if (isRefused(change)) return 0n
  draft.corrections.push(change)
  return surplus
}

const isRefused = (change: CarryChange | LedgerAnswer): change is LedgerAnswer => typeof change === 'string'

const problemOf = (answer: LedgerAnswer): UnbookedEntry['code'] => (answer === 'booked' ? 'amount_too_large' : answer)

const isAscending = (days: readonly LocalDate[]): boolean =>
  days.every((day, index) => index === 0 || day >= (days[index - 1] as LocalDate))

const earlier = (a: LocalDate | undefined, b: LocalDate | undefined): LocalDate | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a
