import { canonicalDecimal, type ParsedStatement, toMinor } from '../../../formats/statements/index.ts'
import type { LocalDate } from '../../../platform/clock.ts'
import type { Id } from '../../../platform/ids.ts'
import { type Currency, parseDecimal } from '../../../platform/money.ts'
import { AMOUNT_MAX } from '../../ledger/index.ts'
import { type ImportProblem, notCarried, type UnbookedEntry, unbookedEntry } from '../domain/import-problems.ts'
import { entryKey, type Statement, type StatementBalances, type StatementEntry, sumOf } from '../domain/statement.ts'
import { countingDay, type StatementSpan, spanOf } from '../domain/statement-span.ts'

/** The account that the statement is of. */
export type StatementOf = { readonly ledgerAccountId: Id<'ledger_account'>; readonly currency: Currency }

/**
 * A statement as a file has it, in the ledger's terms.
 * @param identities of its entries, in order.
 */
export function readStatement(parsed: ParsedStatement, identities: readonly string[], account: StatementOf): Statement {
  const { currency } = account
  const span = spanOf(parsed)
  const { entries, unbooked } = readEntries(parsed, identities, account, span)
  return {
    line: parsed.line,
    name: statementName({ ...parsed, fromDate: span.day, toDate: span.end }),
    currency,
    span,
    entries,
    reconciles: parsed.reconciles,
    statedOpening: parsed.opening === null ? undefined : parseDecimal(currency, parsed.opening)?.minor,
    statedOpeningText: parsed.opening,
    balances: span.day === null || span.end === null ? undefined : readBalances(parsed, entries, currency, span.day, span.end),
    unbooked,
  }
}

/** What makes two statements of an account the very same one. */
export const statementName = (s: {
  readonly identification: string | null
  readonly sequenceNumber: string | null
  readonly fromDate: LocalDate | null
  readonly toDate: LocalDate | null
  readonly opening: string | null
  readonly closing: string | null
}): string =>
  JSON.stringify([
    s.identification,
    s.sequenceNumber,
    s.fromDate,
    s.toDate,
    s.opening && canonicalDecimal(s.opening),
    s.closing && canonicalDecimal(s.closing),
  ])

function readEntries(
  parsed: ParsedStatement,
  identities: readonly string[],
  { ledgerAccountId, currency }: StatementOf,
  span: StatementSpan,
): { entries: StatementEntry[]; unbooked: UnbookedEntry[] } {
  const entries: StatementEntry[] = []
  const unbooked: UnbookedEntry[] = []
  for (const [index, source] of parsed.entries.entries()) {
    if (source.status !== 'BOOK') continue
    const amount =
      source.currency === parsed.currency
        ? toMinor(currency, source.amount)
        : ({ ok: false, refusal: 'entry_currency_differs' } as const)
    if (!amount.ok) unbooked.push(unbookedEntry(source, amount.refusal))
    else if (amount.value.minor !== 0n) {
      const identity = identities[index] ?? ''
      const signedMinor = amount.value.minor
      entries.push({
        key: entryKey(ledgerAccountId, identity),
        day: countingDay(source.bookingDate, span),
        signedMinor,
        identity,
        isTooLarge: !isBookable(signedMinor),
        source,
      })
    }
  }
  return { entries, unbooked }
}

function readBalances(
  parsed: ParsedStatement,
  entries: readonly StatementEntry[],
  currency: Currency,
  day: LocalDate,
  end: LocalDate,
): StatementBalances {
  const problems: ImportProblem[] = []
  // A balance that the ledger cannot hold is named, and then nothing is reckoned from it.
  const read = (text: string | null): bigint | undefined => {
    if (text === null) return undefined
    const balance = toMinor(currency, text)
    if (balance.ok && isBookable(balance.value.minor)) return balance.value.minor
    problems.push(notCarried(parsed.line, balance.ok ? 'amount_too_large' : balance.refusal, `balance ${text} ${currency}`))
    return undefined
  }
  const booked = sumOf(entries)
  const closing = read(parsed.closing)
  const before = closing !== undefined && isBookable(closing - booked) ? closing - booked : undefined
  const opening = parsed.opening === null ? before : read(parsed.opening)
  return { day, end, opening, closing, booked, problems }
}

const isBookable = (minor: bigint): boolean => minor <= AMOUNT_MAX && minor >= -AMOUNT_MAX
