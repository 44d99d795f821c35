import { ibanChecks } from './account.ts'
import { equalDecimals, isNegative, isZero, negateDecimal, sumDecimals } from './decimal.ts'
import type { ProblemList } from './problems.ts'
import type { Decimal, ParsedEntry, ParsedStatement } from './types.ts'

/** Completes a statement with its totals and the answer to "does it add up", and names what does not. */
export function completed(
  statement: Omit<ParsedStatement, 'totals' | 'reconciles' | 'break'>,
  problems: ProblemList,
): ParsedStatement {
  const { entries, opening, closing, currency, line } = statement
  const amounts = entries.map((entry) => entry.amount)
  const booked = sumDecimals(entries.filter((entry) => entry.status === 'BOOK').map((entry) => entry.amount))
  let reconciles: boolean | null = null
  let missing: Decimal | null = null
  if (opening !== null && closing !== null) {
    const difference = sumDecimals([closing, negateDecimal(opening), negateDecimal(booked)])
    reconciles = isZero(difference)
    if (!reconciles) {
      missing = difference
      const message = `opening ${opening} plus entries ${booked} is not closing ${closing}: ${isNegative(difference) ? negateDecimal(difference) : difference} ${currency} too ${isNegative(difference) ? 'much' : 'little'} in the entries`
      problems.add('does_not_reconcile', line, message)
    }
  }
  for (const entry of entries) {
    if (entry.currency !== currency)
      problems.add('currency_mismatch', entry.line, `entry in ${entry.currency} on an account in ${currency}`)
  }
  if (statement.account.iban && !ibanChecks(statement.account.iban)) {
    problems.add('iban_invalid', line, `the check digits of ${statement.account.iban} do not hold`)
  }
  return {
    ...statement,
    totals: {
      entries: entries.length,
      details: entries.reduce((count, entry) => count + entry.details.length, 0),
      credit: sumDecimals(amounts.filter((amount) => !isNegative(amount))),
      debit: negateDecimal(sumDecimals(amounts.filter(isNegative))),
    },
    reconciles,
    break: missing,
  }
}

/** Control totals that a file carries about one side of its entries. */
export type StatedTotals = Readonly<{
  count: string | undefined
  sum: Decimal | undefined
  what: 'entries' | 'credits' | 'debits'
  line: number
}>

/** Names stated control totals that the entries do not meet: the sign of a lost, added or altered line. */
export function checkTotals(stated: StatedTotals, entries: readonly ParsedEntry[], problems: ProblemList): void {
  const counted = entries.filter((entry) => stated.what === 'entries' || isNegative(entry.amount) === (stated.what === 'debits'))
  // An entry of zero has lost its side, so the sides cannot be counted beside one.
  const countable = stated.what === 'entries' || entries.every((entry) => !isZero(entry.amount))
  if (
    countable &&
    stated.count !== undefined &&
    /^\d{1,15}$/.test(stated.count) &&
    BigInt(stated.count) !== BigInt(counted.length)
  ) {
    problems.add('totals_differ', stated.line, `the file announces ${stated.count} ${stated.what} and holds ${counted.length}`)
  }
  if (stated.sum === undefined) return
  const sum = sumDecimals(counted.map((entry) => (isNegative(entry.amount) ? negateDecimal(entry.amount) : entry.amount)))
  if (!equalDecimals(sum, stated.sum))
    problems.add('totals_differ', stated.line, `the file announces ${stated.what} of ${stated.sum} and they add up to ${sum}`)
}
