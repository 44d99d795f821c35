import {
  entryIdentities,
  type ParsedEntry,
  type ParsedStatement,
  type ParsedStatementFile,
  toMinor,
} from '../../../formats/statements/index.ts'
import { assert } from '../../../platform/assert.ts'
import { addDays, type LocalDate } from '../../../platform/clock.ts'
import { derivedId, type Id, newId } from '../../../platform/ids.ts'
import {
  type Currency,
  currency,
  formatDecimal,
  isCurrency,
  type Money,
  money,
  parseDecimal,
  subtract,
} from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { AMOUNT_MAX, BATCH_MAX, balanceAsOf, type Operation, type PostingRefusal, post } from '../../ledger/index.ts'
import { type NewTransaction, sepaAccount } from '../domain/transaction.ts'
import * as store from '../store.ts'
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
  /** The statement does not begin where the one before it ended. */
  balance_gap: 'the opening balance differs from the closing balance before it',
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
 * that is older than what is known moves the opening balance back, so that the present balance stays right. Nothing is balanced by
 * force: where a statement does not add up, or does not begin where the last one ended, the break is recorded and named.
 */
export async function importStatementFile(tx: Tx, order: ImportOrder): Promise<ImportOutcome> {
  const { file } = order
  const fileId = newId<'imported_file'>()
  const identities = entryIdentities(file)
  const problems: ImportProblem[] = [...file.problems]
  const books = new StatementBooks(tx, order, problems)
  const statements: store.ImportedStatement[] = []
  for (const [index, statement] of file.statements.entries()) {
    const booked = await books.book(statement, identities[index] ?? [])
    statements.push({ id: newId<'imported_statement'>(), fileId, organizationId: order.organizationId, ...booked })
  }
  await store.insertImportedFile(tx, {
    id: fileId,
    organizationId: order.organizationId,
    name: order.fileName,
    format: file.format,
    problems,
    importedAt: order.now,
  })
  await store.insertImportedStatements(tx, statements)
  const isPartly = statements.some((statement) => statement.unbooked.length > 0)
  return { status: isPartly ? 'partly' : 'imported', added: books.added, duplicates: books.duplicates, problems }
}

type Booked = Omit<store.ImportedStatement, 'id' | 'fileId' | 'organizationId'>
type Bookable = { readonly entry: ParsedEntry; readonly operation: Operation; readonly amount: Money }

class StatementBooks {
  readonly #tx: Tx
  readonly #order: ImportOrder
  readonly #problems: ImportProblem[]
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
    const account = await openExternalAccount(this.#tx, this.#order, statement.account, code)
    await this.#bookOpening(statement, account, code)
    const unbooked = await this.#bookEntries(statement, identities, account, code)
    return {
      bankAccountId: account.id,
      identification: statement.identification,
      sequenceNumber: statement.sequenceNumber,
      fromDate: firstDay(statement),
      toDate: lastDay(statement),
      opening: statement.opening,
      closing: statement.closing,
      credit: statement.totals.credit,
      debit: statement.totals.debit,
      entries: statement.totals.entries,
      details: statement.totals.details,
      reconciles: statement.reconciles,
      breakAmount: statement.break,
      unbooked,
    }
  }

  /** Brings the opening balance into the books when it is news, and notices a gap to what came before. */
  async #bookOpening(statement: ParsedStatement, account: ExternalAccount, code: Currency): Promise<void> {
    const closing = this.#readBalance(statement, statement.closing, code)
    let opening =
      statement.opening === null ? openingBefore(closing, statement) : this.#readBalance(statement, statement.opening, code)
    const from = firstDay(statement)
    const to = lastDay(statement)
    const history = await store.findHistory(this.#tx, account.id)
    if (opening && from) {
      const knownFrom = history?.openingDate
      if (!knownFrom || history.openingMinor === null) {
        const booked = await balanceAsOf(this.#tx, account.ledgerAccountId, { effective: startOf(from) })
        if (!(await this.#adjustOpening(statement, account, subtract(opening, money(code, booked)), from))) opening = undefined
      } else if (from < knownFrom) {
        const change = subtract(opening, money(code, history.openingMinor))
        if (!(await this.#adjustOpening(statement, account, change, from))) opening = undefined
      } else if (
        history.closingDate &&
        history.closingMinor !== null &&
        from >= history.closingDate &&
        opening.minor !== history.closingMinor
      ) {
        const before = formatDecimal(money(code, history.closingMinor))
        this.#note(statement.line, 'balance_gap', `${IMPORT_PROBLEMS.balance_gap}: ${before} became ${statement.opening}`)
      }
    }
    const carried = opening
    const isEarlier =
      carried !== undefined &&
      from !== null &&
      (!history?.openingDate || history.openingMinor === null || from < history.openingDate)
    const isLater = closing !== undefined && to !== null && (!history?.closingDate || to >= history.closingDate)
    await store.saveHistory(this.#tx, {
      bankAccountId: account.id,
      organizationId: this.#order.organizationId,
      openingMinor: isEarlier ? carried.minor : (history?.openingMinor ?? null),
      openingDate: isEarlier ? from : (history?.openingDate ?? null),
      closingMinor: isLater ? closing.minor : (history?.closingMinor ?? null),
      closingDate: isLater ? to : (history?.closingDate ?? null),
    })
  }

  /** A balance that the ledger can hold. One that it cannot is named, and then nothing is reckoned from it. */
  #readBalance(statement: ParsedStatement, text: string | null, code: Currency): Money | undefined {
    if (text === null) return undefined
    const balance = toMinor(code, text)
    if (balance.ok && isBookable(balance.value.minor)) return balance.value
    const problem = balance.ok ? 'amount_too_large' : balance.refusal
    this.#note(statement.line, problem, `${IMPORT_PROBLEMS[problem]}: balance ${text} ${code} is not carried forward`)
    return undefined
  }

  /** @returns false, and the problem is named, when the ledger does not take the balance that is carried forward. */
  async #adjustOpening(statement: ParsedStatement, account: ExternalAccount, amount: Money, from: LocalDate): Promise<boolean> {
    if (amount.minor === 0n) return true
    const key = derivedId('ledger_operation', account.ledgerAccountId, 'opening', from, amount.minor)
    const operation = this.#operation(account, key, amount, startOf(from), 'external.opening')
    const [outcome] = await post(this.#tx, account.bookId, [operation], this.#order.now)
    assert(outcome, 'the ledger left a balance unanswered')
    if (outcome.ok) return true
    const problem = problemOf(outcome.refusal)
    this.#note(
      statement.line,
      problem,
      `${IMPORT_PROBLEMS[problem]}: the opening balance ${statement.opening} is not carried forward`,
    )
    return false
  }

  async #bookEntries(
    statement: ParsedStatement,
    identities: readonly string[],
    account: ExternalAccount,
    code: Currency,
  ): Promise<store.UnbookedEntry[]> {
    const unbooked: store.UnbookedEntry[] = []
    const bookable: Bookable[] = []
    for (const [index, entry] of statement.entries.entries()) {
      if (entry.status !== 'BOOK') continue
      const amount =
        entry.currency === statement.currency
          ? toMinor(code, entry.amount)
          : ({ ok: false, refusal: 'entry_currency_differs' } as const)
      if (!amount.ok) this.#leaveOut(unbooked, entry, amount.refusal)
      else if (amount.value.minor !== 0n) {
        const key = derivedId('ledger_operation', account.ledgerAccountId, 'entry', identities[index] ?? '')
        const operation = this.#operation(account, key, amount.value, noonOf(entry.bookingDate), 'external.entry')
        bookable.push({ entry, operation, amount: amount.value })
      }
    }
    for (let start = 0; start < bookable.length; start += BATCH_MAX) {
      await this.#postBatch(bookable.slice(start, start + BATCH_MAX), account, unbooked)
    }
    return unbooked
  }

  async #postBatch(batch: readonly Bookable[], account: ExternalAccount, unbooked: store.UnbookedEntry[]): Promise<void> {
    const outcomes = await post(
      this.#tx,
      account.bookId,
      batch.map((b) => b.operation),
      this.#order.now,
    )
    const rows: NewTransaction[] = []
    for (const [index, outcome] of outcomes.entries()) {
      const { entry, operation, amount } = batch[index] as Bookable
      if (!outcome.ok) {
        this.#leaveOut(unbooked, entry, problemOf(outcome.refusal))
      } else if (outcome.value.replayed) this.duplicates++
      else {
        this.added++
        const balance = amount.minor > 0n ? outcome.value.creditBalance : outcome.value.debitBalance
        rows.push(feedRow(entry, operation.key, amount, balance, account, this.#order))
      }
    }
    if (rows.length > 0) await store.insertTransactions(this.#tx, rows)
    this.#done += batch.length
    this.#order.onProgress?.(this.#done)
  }

  #operation(account: ExternalAccount, key: Operation['key'], amount: Money, effectiveAt: Date, code: string): Operation {
    const isCredit = amount.minor > 0n
    const sides = isCredit
      ? { debit: account.contraAccountId, credit: account.ledgerAccountId }
      : { debit: account.ledgerAccountId, credit: account.contraAccountId }
    const size = money(amount.currency, isCredit ? amount.minor : -amount.minor)
    return { kind: 'transfer', key, ...sides, amount: size, effectiveAt, code }
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
  entry: ParsedEntry,
  key: Operation['key'],
  amount: Money,
  balance: bigint | null,
  account: ExternalAccount,
  order: ImportOrder,
): NewTransaction {
  const isCredit = amount.minor > 0n
  const { name, iban, bic } = entry.counterparty
  const at = noonOf(entry.bookingDate)
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
    emittedAt: at,
    settledAt: at,
    recordedAt: order.now,
  }
}

/** Where only the closing balance is told, as in OFX, the entries lead back to what was there before them. */
function openingBefore(closing: Money | undefined, statement: ParsedStatement): Money | undefined {
  if (!closing) return undefined
  let minor = closing.minor
  for (const entry of statement.entries) {
    const amount = entry.currency === closing.currency ? parseDecimal(closing.currency, entry.amount) : undefined
    // What is too large to be booked is no part of the balance either.
    if (entry.status === 'BOOK' && amount && isBookable(amount.minor)) minor -= amount.minor
  }
  return isBookable(minor) ? money(closing.currency, minor) : undefined
}

const isBookable = (minor: bigint): boolean => minor <= AMOUNT_MAX && minor >= -AMOUNT_MAX

/** The first day of the statement: as it says, else the day after its opening balance's, else its first booking. */
function firstDay(statement: ParsedStatement): LocalDate | null {
  const days = statement.entries.map((entry) => entry.bookingDate)
  const earliest = days.reduce<LocalDate | null>((first, day) => (first === null || day < first ? day : first), statement.from)
  return earliest ?? statement.balances[0]?.date ?? statement.to
}

function lastDay(statement: ParsedStatement): LocalDate | null {
  const days = statement.entries.map((entry) => entry.bookingDate)
  return (
    days.reduce<LocalDate | null>((last, day) => (last === null || day > last ? day : last), statement.to) ??
    statement.balances.at(-1)?.date ??
    null
  )
}

// Bookings count at noon of their day; a balance carried forward counts on the evening before, earlier than the banking day's
// start in Central European time and later than every booking of the day before.
const startOf = (date: LocalDate): Date => new Date(`${addDays(date, -1)}T18:00:00.000Z`)
const noonOf = (date: LocalDate): Date => new Date(`${date}T12:00:00.000Z`)
