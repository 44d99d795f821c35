import { assert } from '../../../platform/assert.ts'
import { addDays, type LocalDate } from '../../../platform/clock.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { bookingsBetween, latestBookingDay } from '../../feed/index.ts'
import { type Account, AMOUNT_MAX, balancesOf, findClosedUntil, movementsAfter, TOTAL_MAX } from '../../ledger/index.ts'
import type { ExternalAccount } from '../commands/open-external-account.ts'
import { statementName } from '../commands/read-statement.ts'
import type { AccountFacts, BookedEntry, LedgerLimits, Period } from '../domain/account-books.ts'
import type { Statement } from '../domain/statement.ts'
import { countsOn, eveOf, noonOf } from '../domain/statement-span.ts'
import * as store from '../store.ts'

/**
 * What the books know of an account that matters to these statements, in a number of statements that does not grow with them. The caller
 * holds the organization's accounts (`connectAccount` does), so nobody else books what is planned from it.
 */
export async function factsOf(tx: Tx, account: ExternalAccount, statements: readonly Statement[]): Promise<AccountFacts> {
  const [own, contra] = await balancesOf(tx, [account.ledgerAccountId, account.contraAccountId])
  assert(own && contra, 'a connected account without its ledger accounts')
  const earlier = await store.findStatements(tx, account.id)
  const latestDay = await latestBookingDay(tx, account.id)
  const periods = periodsOf(statements)
  const [first] = periods
  const carried = await store.findCarried(tx, account.id)
  // The next statement of a long history has nothing after its first day, and need not look.
  const isLatest = !first || ((latestDay ?? '') < first.from && !carried.some((balance) => balance.day > first.from))
  const movements = isLatest ? [] : await movementsAfter(tx, account.ledgerAccountId, eveOf(first.from))
  return {
    ledgerAccountId: account.ledgerAccountId,
    balanceMinor: own.balance,
    latestDay,
    entries: await entriesOf(
      tx,
      account.id,
      periods.filter(({ from }) => latestDay !== undefined && from <= latestDay),
    ),
    movements: movements.map(({ effectiveAt, minor }) => ({ day: countsOn(effectiveAt), minor })),
    carried,
    reached: await store.findReached(tx, account.id),
    completePeriods: earlier
      .filter(({ reconciles }) => reconciles)
      .map(({ fromDate, toDate }) => ({ from: fromDate, to: toDate })),
    statements: new Set(earlier.map(statementName)),
    limits: { ...roomOf(own, contra), amountMax: AMOUNT_MAX, closedUntil: await findClosedUntil(tx, account.bookId) },
    ledgerAnswers: new Map(),
  }
}

/** What is credited to one is debited from the other. */
const roomOf = (own: Account, contra: Account): Pick<LedgerLimits, 'creditRoom' | 'debitRoom'> => ({
  creditRoom: TOTAL_MAX - larger(own.credits, contra.debits),
  debitRoom: TOTAL_MAX - larger(own.debits, contra.credits),
})

const larger = (a: bigint, b: bigint): bigint => [a, b].reduce((most, one) => (one > most ? one : most))

async function entriesOf(tx: Tx, accountId: Id<'bank_account'>, periods: readonly Period[]): Promise<BookedEntry[]> {
  const entries: BookedEntry[] = []
  for (const { from, to } of periods) {
    for (const { ledgerKey, day, signedMinor } of await bookingsBetween(tx, accountId, noonOf(from), noonOf(to))) {
      entries.push({ key: ledgerKey, day, signedMinor })
    }
  }
  return entries
}

/** Statements further apart than this are asked for one by one, so that what lies between them is not read. */
const APART_DAYS = 40

/** The days of the statements, earliest first, those that are close together as one. */
function periodsOf(statements: readonly Statement[]): Period[] {
  const days = statements.flatMap(({ span, entries }) => {
    const all = [...(span.day === null ? [] : [span.day]), ...entries.map((entry) => entry.day)]
    return all.length === 0 ? [] : [{ from: all.reduce(least), to: all.reduce(greatest) }]
  })
  days.sort((a, b) => (a.from < b.from ? -1 : 1))
  const periods: { from: LocalDate; to: LocalDate }[] = []
  for (const { from, to } of days) {
    const last = periods.at(-1)
    if (last && from <= addDays(last.to, APART_DAYS)) last.to = greatest(last.to, to)
    else periods.push({ from, to })
  }
  return periods
}

const least = (a: LocalDate, b: LocalDate): LocalDate => (a < b ? a : b)
const greatest = (a: LocalDate, b: LocalDate): LocalDate => (a > b ? a : b)
