import {
  entryIdentities,
  type ParsedEntry,
  type ParsedStatement,
  type ParsedStatementFile,
  toMinor,
} from '../../../formats/statements/index.ts'
import { assert } from '../../../platform/assert.ts'
import type { LocalDate } from '../../../platform/clock.ts'
import { derivedId, type Id, newId } from '../../../platform/ids.ts'
import { type Currency, currency, formatDecimal, isCurrency, type Money, money, parseDecimal } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { bookingsBetween, type NewTransaction, recordTransactions, sepaAccount } from '../../feed/index.ts'
import { AMOUNT_MAX, BATCH_MAX, type Operation, type PostingRefusal, post } from '../../ledger/index.ts'
import { bookingsAmong, sameBookings } from '../domain/same-bookings.ts'
import { countingDay, noonOf, type StatementSpan, spanOf } from '../domain/statement-span.ts'
import * as store from '../store.ts'
import { CarriedBalances, sidesOf, type ToldBalances } from './carried-balances.ts'
import { type ExternalAccount, openExternalAccount } from './open-external-account.ts'

export type ImportOrder = {
  readonly organizationId: Id<'organization'>
  readonly organizationSlug: string
  /** As the user named it. */
  readonly fileName: string
  readonly file: Extract<ParsedStatementFile, { ok: true }>
  readonly now: Date
  readonly onProgress?: (entriesDone: number) => void
}

/** A problem of the file: the reader's codes, and those of `IMPORT_PROBLEMS`. */
export type ImportProblem = { readonly line: number; readonly code: string; readonly message: string }

/** What import itself finds, beyond what the reader of the format said. */
export const IMPORT_PROBLEMS = {
  /** The currency has fewer decimals than the amount: not booked, kept exactly with the statement. */
  amount_has_more_decimals: 'the currency cannot hold this amount',
  amount_too_large: 'the amount is larger than the ledger keeps',
  /** The entry is in another currency than its account: not booked. */
  entry_currency_differs: 'the entry is in another currency than its account',
  /** The books are closed for the entry's date: not booked. */
  period_closed: 'the books are closed for this date',
  /** The statement does not begin where the bookings before it ended: some are missing, or the statement before does not add up. */
  balance_gap: 'the statement does not begin with the balance that the bookings before it come to',
} as const

export type ImportOutcome = {
  readonly status: 'imported' | 'partly'
  readonly added: number
  readonly duplicates: number
  readonly problems: readonly ImportProblem[]
}

/**
 * Takes a statement file into the organization's books (system scope, the caller's transaction): per account a ledger account with the
 * bank's own balance, an entry for every booking, a feed row with the running balance, and the statement itself as it was given.
 *
 * An entry that is there already, from this file or another, is not added again; two equal bookings of one file are two. A statement
 * that comes in another format is known by its bookings, and in whatever order statements come, the books end the same. Nothing is
 * balanced by force: where a statement does not add up, or does not begin where the last one ended, the break is recorded and named.
 */
export async function importStatementFile(tx: Tx, order: ImportOrder): Promise<ImportOutcome> {
  const { file } = order
  const fileId = newId<'imported_file'>()
  const identities = entryIdentities(file)
  const problems: ImportProblem[] = [...file.problems]
  const books = new StatementBooks(tx, order, problems)
  const rows: store.ImportedStatement[] = []
  for (const [index, statement] of file.statements.entries()) {
    const booked = await books.book(statement, identities[index] ?? [])
    rows.push({ id: newId<'imported_statement'>(), fileId, organizationId: order.organizationId, ...booked })
  }
  await books.finish()
  await store.insertImportedFile(tx, {
    id: fileId,
    organizationId: order.organizationId,
    name: order.fileName,
    format: file.format,
    problems,
    importedAt: order.now,
  })
  await store.insertImportedStatements(tx, rows)
  const isPartly = rows.some((statement) => statement.unbooked.length > 0)
  return { status: isPartly ? 'partly' : 'imported', added: books.added, duplicates: books.duplicates, problems }
}

type Booked = Omit<store.ImportedStatement, 'id' | 'fileId' | 'organizationId'>
type Bookable = {
  readonly entry: ParsedEntry
  readonly identity: string
  readonly key: Operation['key']
  readonly amount: Money
  readonly day: LocalDate
}

type Sorted = { readonly known: number; readonly news: readonly Bookable[] }

/** What one statement is booked from. */
type Work = {
  readonly statement: ParsedStatement
  readonly account: ExternalAccount
  readonly code: Currency
  readonly span: StatementSpan
  readonly carried: CarriedBalances
  readonly unbooked: store.UnbookedEntry[]
}

class StatementBooks {
  readonly #tx: Tx
  readonly #order: ImportOrder
  readonly #problems: ImportProblem[]
  readonly #accounts = new Map<string, ExternalAccount>()
  readonly #carried = new Map<string, CarriedBalances>()
  /** The file's statements so far, by `nameOf`. */
  readonly #names = new Set<string>()
  added = 0
  duplicates = 0
  #done = 0

  constructor(tx: Tx, order: ImportOrder, problems: ImportProblem[]) {
    this.#tx = tx
    this.#order = order
    this.#problems = problems
  }

  async book(statement: ParsedStatement, identities: readonly string[]): Promise<Booked> {
    const code = isCurrency(statement.currency) ? currency(statement.currency) : currency('XXX')
    const account = await this.#accountOf(statement, code)
    const span = spanOf(statement)
    const work = { statement, account, code, span, carried: await this.#carriedOf(account, code), unbooked: [] }
    const bookable = this.#bookable(work, identities)
    const isToldAgain = await this.#isToldAgain(work)
    const { known, news } = await this.#sorted(work, bookable, isToldAgain)
    // The very statement again, with nothing that is not in the books, changes nothing, whatever its balances look like beside later ones.
    if (news.length > 0 || !isToldAgain) await this.#post(work, news, bookable)
    this.#names.add(nameOf(account, statement))
    this.duplicates += known
    this.#progress(known)
    return {
      bankAccountId: account.id,
      identification: statement.identification,
      sequenceNumber: statement.sequenceNumber,
      fromDate: span.day,
      toDate: span.end,
      opening: statement.opening,
      closing: statement.closing,
      credit: statement.totals.credit,
      debit: statement.totals.debit,
      entries: statement.totals.entries,
      details: statement.totals.details,
      reconciles: statement.reconciles,
      breakAmount: statement.break,
      unbooked: work.unbooked,
    }
  }

  /** Puts the feed's balances right where statements came in another order than their days. */
  async finish(): Promise<void> {
    for (const carried of this.#carried.values()) await carried.finish()
  }

  async #accountOf({ account }: ParsedStatement, code: Currency): Promise<ExternalAccount> {
    const name = JSON.stringify([account.iban ?? [account.bankCode, account.id], code])
    const known = this.#accounts.get(name)
    if (known) return known
    const opened = await openExternalAccount(this.#tx, this.#order, account, code)
    this.#accounts.set(name, opened)
    return opened
  }

  async #carriedOf(account: ExternalAccount, code: Currency): Promise<CarriedBalances> {
    const known = this.#carried.get(account.id)
    if (known) return known
    const { organizationId, now } = this.#order
    const carried = await CarriedBalances.of({ tx: this.#tx, account, organizationId, currency: code, now })
    this.#carried.set(account.id, carried)
    return carried
  }

  #bookable({ statement, account, code, span, unbooked }: Work, identities: readonly string[]): Bookable[] {
    const bookable: Bookable[] = []
    for (const [index, entry] of statement.entries.entries()) {
      if (entry.status !== 'BOOK') continue
      const amount =
        entry.currency === statement.currency
          ? toMinor(code, entry.amount)
          : ({ ok: false, refusal: 'entry_currency_differs' } as const)
      if (!amount.ok) this.#leaveOut(unbooked, entry, amount.refusal)
      else if (amount.value.minor !== 0n) {
        const identity = identities[index] ?? ''
        const day = countingDay(entry.bookingDate, span)
        bookable.push({ entry, identity, key: keyOf(account, identity), amount: amount.value, day })
      }
    }
    return bookable
  }

  /**
   * Parts a statement's bookings into those that stand in the books already and the others. They stand there under the same key, or, where
   * the statement is complete for its days, as the same days and amounts.
   */
  async #sorted(
    { statement, account, code, span, carried }: Work,
    bookable: readonly Bookable[],
    isToldAgain: boolean,
  ): Promise<Sorted> {
    const days = bookable.map((booking) => booking.day).sort()
    const [first] = days
    const last = days.at(-1)
    if (first === undefined || last === undefined || !carried.hasBookingFrom(first)) return { known: 0, news: bookable }
    const inBooks = await bookingsBetween(this.#tx, account.id, noonOf(first), noonOf(last))
    const keys = new Set<string>(inBooks.map((booking) => booking.reference))
    const known = bookable.filter((booking) => keys.has(booking.key))
    const news = bookable.filter((booking) => !keys.has(booking.key))
    const opening = statement.reconciles === true && span.day !== null ? this.#minorOf(statement.opening, code) : undefined
    const mayGoOn = opening !== undefined && span.day !== null && !isToldAgain && sumOf(known) !== 0n
    if (mayGoOn && (await carried.endsAt(span.day, opening))) {
      // Two pages of a day in two files, with equal bookings: the balances tell that they are others.
      return { known: 0, news: bookable.map((booking) => (keys.has(booking.key) ? anew(booking, account, keys) : booking)) }
    }
    const told = new Set<string>(bookable.map((booking) => booking.key))
    const untold = inBooks.filter((booking) => !told.has(booking.reference))
    if (untold.length === 0 || news.length === 0) return { known: known.length, news }
    const isComplete = opening !== undefined && span.day !== null && (await carried.opensAt(span.day, opening))
    const bookings = news.map(({ day, amount }) => ({ day, signedMinor: amount.minor }))
    const same = new Set(
      isComplete
        ? sameBookings(bookings, untold)
        : statement.reconciles === null
          ? bookingsAmong(bookings, untold, (day) => carried.covers(day))
          : [],
    )
    return { known: known.length + same.size, news: news.filter((_, position) => !same.has(position)) }
  }

  /** Where a day has come back to the balance that a page began with, that page looks like the next one, but for its name. */
  async #isToldAgain({ statement, account, span }: Work): Promise<boolean> {
    if (this.#names.has(nameOf(account, statement))) return true
    return store.isStatementKnown(this.#tx, {
      ...statement,
      bankAccountId: account.id,
      fromDate: span.day,
      toDate: span.end,
    })
  }

  async #post(work: Work, news: readonly Bookable[], bookable: readonly Bookable[]): Promise<void> {
    const { statement, code, carried } = work
    const told = this.#told(work, bookable)
    const hasNews = news.length > 0
    const opened = told ? await this.#open(work, told, hasNews) : undefined
    const days = news.map((booking) => booking.day)
    const since = days.reduce(earlier, undefined as LocalDate | undefined)
    const isInOrder =
      since === undefined ||
      (days.every((day, index) => index === 0 || day >= (days[index - 1] as LocalDate)) && !carried.hasBookingFrom(since))
    for (let start = 0; start < news.length; start += BATCH_MAX) {
      await this.#postBatch(news.slice(start, start + BATCH_MAX), work)
    }
    for (const day of days) carried.noteBooking(day)
    if (since !== undefined && !isInOrder) carried.markStale(since)
    const from = opened?.isEarlier ? earlier(since, told?.day) : since
    for (const [day, gap] of from === undefined ? [] : await carried.hold(from)) this.#noteGap(statement, day, gap, code)
    const beside = told ? await carried.close(told, { hasNews, isEarlier: opened?.isEarlier ?? false }) : 0n
    if (beside !== 0n) {
      const amount = `${formatDecimal(money(code, beside))} ${code}`
      this.#note(
        statement.line,
        'balance_gap',
        `the books have bookings of these days that the statement lacks: ${amount} carried forward`,
      )
    }
  }

  async #open({ statement, carried, code }: Work, told: ToldBalances, hasNews: boolean) {
    const opened = await carried.open(told, hasNews)
    if (opened.refusal) {
      const problem = problemOf(opened.refusal)
      const message = `${IMPORT_PROBLEMS[problem]}: the opening balance ${statement.opening} is not carried forward`
      this.#note(statement.line, problem, message)
    } else if (opened.gap !== 0n) this.#noteGap(statement, told.day, opened.gap, code)
    return opened
  }

  #noteGap(statement: ParsedStatement, day: LocalDate, gap: bigint, code: Currency): void {
    const amount = `${formatDecimal(money(code, gap))} ${code}`
    this.#note(statement.line, 'balance_gap', `${IMPORT_PROBLEMS.balance_gap}: ${amount} carried forward on ${day}`)
  }

  #told({ statement, code, span }: Work, bookable: readonly Bookable[]): ToldBalances | undefined {
    if (span.day === null || span.end === null) return undefined
    const booked = sumOf(bookable)
    const closing = this.#readBalance(statement, statement.closing, code)
    // Where only the closing balance is told, as in OFX, the bookings lead back to what was there before them.
    const before = closing !== undefined && isBookable(closing - booked) ? closing - booked : undefined
    const opening = statement.opening === null ? before : this.#readBalance(statement, statement.opening, code)
    return { day: span.day, end: span.end, opening, closing, booked }
  }

  /** A balance that the ledger can hold. One that it cannot is named, and then nothing is reckoned from it. */
  #readBalance(statement: ParsedStatement, text: string | null, code: Currency): bigint | undefined {
    if (text === null) return undefined
    const balance = toMinor(code, text)
    if (balance.ok && isBookable(balance.value.minor)) return balance.value.minor
    const problem = balance.ok ? 'amount_too_large' : balance.refusal
    this.#note(statement.line, problem, `${IMPORT_PROBLEMS[problem]}: balance ${text} ${code} is not carried forward`)
    return undefined
  }

  #minorOf(text: string | null, code: Currency): bigint | undefined {
    return text === null ? undefined : parseDecimal(code, text)?.minor
  }

  async #postBatch(batch: readonly Bookable[], { account, unbooked }: Work): Promise<void> {
    const operations = batch.map(
      ({ key, amount, day }): Operation => ({
        kind: 'transfer',
        key,
        ...sidesOf(account, amount),
        effectiveAt: noonOf(day),
        code: 'external.entry',
      }),
    )
    const outcomes = await post(this.#tx, account.bookId, operations, this.#order.now)
    const rows: NewTransaction[] = []
    for (const [index, outcome] of outcomes.entries()) {
      const booking = batch[index] as Bookable
      // The key is the booking's identity. Under another content it is one that the first release booked on another day of the same statement.
      const isKnown = outcome.ok ? outcome.value.replayed : outcome.refusal === 'key_reused_with_other_content'
      if (isKnown) this.duplicates++
      else if (!outcome.ok) this.#leaveOut(unbooked, booking.entry, problemOf(outcome.refusal))
      else {
        this.added++
        const balance = booking.amount.minor > 0n ? outcome.value.creditBalance : outcome.value.debitBalance
        rows.push(feedRow(booking, balance, account, this.#order))
      }
    }
    await recordTransactions(this.#tx, rows)
    this.#progress(batch.length)
  }

  #progress(entries: number): void {
    this.#done += entries
    this.#order.onProgress?.(this.#done)
  }

  #leaveOut(unbooked: store.UnbookedEntry[], entry: ParsedEntry, code: keyof typeof IMPORT_PROBLEMS): void {
    unbooked.push({ line: entry.line, code, amount: entry.amount, currency: entry.currency, bookingDate: entry.bookingDate })
    this.#note(entry.line, code, `${IMPORT_PROBLEMS[code]}: ${entry.amount} ${entry.currency} is not booked`)
  }

  #note(line: number, code: string, message: string): void {
    this.#problems.push({ line, code, message })
  }
}

/** What a refusal of the ledger says about the file. @throws Bug on one that no file can cause. */
function problemOf(refusal: PostingRefusal): 'period_closed' | 'amount_too_large' {
  if (refusal === 'period_closed') return refusal
  assert(refusal === 'amount_out_of_range' || refusal === 'account_total_out_of_range', `a booking was refused: ${refusal}`)
  return 'amount_too_large'
}

function feedRow(
  { entry, key, amount, day }: Bookable,
  balance: bigint | null,
  account: ExternalAccount,
  order: ImportOrder,
): NewTransaction {
  const isCredit = amount.minor > 0n
  const { name, iban, bic } = entry.counterparty
  return {
    id: newId<'transaction'>(),
    organizationId: order.organizationId,
    bankAccountId: account.id,
    status: 'completed',
    side: isCredit ? 'credit' : 'debit',
    operationType: isCredit ? 'income' : 'transfer',
    amount: money(amount.currency, isCredit ? amount.minor : -amount.minor),
    settledBalanceMinor: balance,
    label: name || entry.remittance || entry.additionalInformation || entry.bankTransactionCode || 'Entry',
    reference: entry.remittance || entry.additionalInformation || null,
    category: isCredit ? 'other_income' : 'other_expense',
    initiatorId: null,
    subjectType: iban ? (isCredit ? 'Income' : 'Transfer') : 'Other',
    counterparty: iban ? sepaAccount(iban, bic ?? '') : null,
    isExternal: true,
    ledgerReference: key,
    emittedAt: noonOf(entry.bookingDate),
    settledAt: noonOf(day),
    recordedAt: order.now,
  }
}

const earlier = (a: LocalDate | undefined, b: LocalDate | undefined): LocalDate | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a

const sumOf = (bookings: readonly Bookable[]): bigint =>
  bookings.reduce((sum, { amount: { minor } }) => (isBookable(minor) ? sum + minor : sum), 0n)

const keyOf = (account: ExternalAccount, identity: string): Operation['key'] =>
  derivedId('ledger_operation', account.ledgerAccountId, 'entry', identity)

const nameOf = (
  account: ExternalAccount,
  { identification, sequenceNumber, from, to, opening, closing }: ParsedStatement,
): string => JSON.stringify([account.id, identification, sequenceNumber, from, to, opening, closing])

/** The same booking once more, under the next number among its equals, as one file with both would count it. */
function anew(booking: Bookable, account: ExternalAccount, taken: Set<string>): Bookable {
  const at = booking.identity.lastIndexOf(':')
  for (let ordinal = Number(booking.identity.slice(at + 1)) + 1; ; ordinal++) {
    const identity = `${booking.identity.slice(0, at)}:${ordinal}`
    const key = keyOf(account, identity)
    if (taken.has(key)) continue
    taken.add(key)
    return { ...booking, identity, key }
  }
}

const isBookable = (minor: bigint): boolean => minor <= AMOUNT_MAX && minor >= -AMOUNT_MAX
