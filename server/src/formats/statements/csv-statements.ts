import { counterpartyOf, ibanShaped } from './account.ts'
import type { OwnFacts } from './csv-own.ts'
import { equalDecimals, negateDecimal, sumDecimals } from './decimal.ts'
import type { ProblemList } from './problems.ts'
import { completed } from './statement.ts'
import type {
  Counterparty,
  Decimal,
  EntryStatus,
  InstructedAmount,
  ParsedEntry,
  ParsedStatement,
  StatementBalance,
} from './types.ts'
import { NO_REFERENCES } from './types.ts'

/** One row of a CSV file, understood. */
export type ReadRow = Readonly<{
  account: string
  currency: string
  amount: Decimal
  balance: Decimal | null
  status: EntryStatus
  date: string
  valueDate: string | null
  remittance: string
  additionalInformation: string
  reference: string | null
  endToEndId: string | null
  mandateId: string | null
  creditorId: string | null
  creditorReference: string | null
  transactionCode: string | null
  counterparty: Counterparty
  ultimateParty: string | null
  instructed: InstructedAmount | null
  /** Of the bank, above zero; null when there is none. */
  fee: Decimal | null
  /** No booking date: the value date stands in. */
  dateAssumed: boolean
  /** What our own files say beside. */
  own: OwnFacts | undefined
  /** What its key is made of: the texts of the columns that were known first. */
  key: Readonly<{
    reference: string | null
    endToEndId: string | null
    mandateId: string | null
    counterparty: Counterparty
    remittance: string
    additionalInformation: string
    transactionCode: string | null
    hasValueDate: boolean
  }>
  line: number
}>

export const isCurrencyText = (text: string): boolean => /^[A-Z]{3}$/.test(text)

/**
 * One statement per account and currency, oldest entry first, with balances when the table has them.
 * @param oldestFirst the order is known; otherwise it is found.
 */
export function statementsOf(rows: readonly ReadRow[], oldestFirst: boolean, problems: ProblemList): ParsedStatement[] {
  const groups = new Map<string, ReadRow[]>()
  for (const row of rows) {
    const key = `${ibanShaped(row.account) ?? row.account} ${row.currency}`
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return [...groups.values()].map((group) =>
    statementOf(oldestFirst || !isNewestFirst(group) ? group : [...group].reverse(), problems),
  )
}

function statementOf(rows: readonly ReadRow[], problems: ProblemList): ParsedStatement {
  const booked = rows.filter((row) => row.status === 'BOOK')
  const [first] = booked
  const last = booked.at(-1)
  const printed = (rows[0] as ReadRow).account
  const iban = ibanShaped(printed)
  const opening = first?.balance == null ? null : sumDecimals([first.balance, negateDecimal(first.amount)])
  const closing = last?.balance ?? null
  nameBreaks(booked, problems)
  const dates = rows.map((row) => row.date).sort()
  const currency = (rows[0] as ReadRow).currency
  const line = Math.min(rows[0]?.line ?? 1, rows.at(-1)?.line ?? 1)
  const balance = (type: string, amount: Decimal | null, row: ReadRow | undefined): StatementBalance[] =>
    amount === null || !row ? [] : [{ type, amount, currency, date: row.date, line: row.line }]
  return completed(
    {
      account: { id: iban ?? printed, iban, bankCode: null, bic: null, holder: null },
      currency,
      identification: null,
      sequenceNumber: null,
      from: dates[0] ?? null,
      to: dates.at(-1) ?? null,
      balances: [...balance('OPBD', opening, first), ...balance('CLBD', closing, last)],
      opening,
      closing,
      entries: rows.map(entryOf),
      line,
    },
    problems,
  )
}

/** By the running balance where there is one, else by the dates. */
function isNewestFirst(rows: readonly ReadRow[]): boolean {
  const booked = rows.filter((row) => row.status === 'BOOK' && row.balance !== null)
  const links = (ordered: readonly ReadRow[]) => ordered.filter((row, index) => follows(ordered[index - 1], row)).length
  const forwards = links(booked)
  const backwards = links([...booked].reverse())
  if (forwards !== backwards) return backwards > forwards
  return (rows[0]?.date ?? '') > (rows.at(-1)?.date ?? '')
}

const follows = (before: ReadRow | undefined, row: ReadRow): boolean =>
  before?.balance != null && row.balance !== null && equalDecimals(sumDecimals([before.balance, row.amount]), row.balance)

function nameBreaks(booked: readonly ReadRow[], problems: ProblemList): void {
  for (const [index, row] of booked.entries()) {
    const before = booked[index - 1]
    if (before?.balance == null || row.balance === null || follows(before, row)) continue
    problems.add(
      'does_not_reconcile',
      row.line,
      `balance ${before.balance} and amount ${row.amount} do not give balance ${row.balance}`,
    )
  }
}

const entryOf = (row: ReadRow): ParsedEntry => ({
  amount: row.amount,
  currency: row.currency,
  status: row.status,
  reversal: false,
  bookingDate: row.date,
  bookingDateAssumed: row.dateAssumed,
  valueDate: row.valueDate,
  references: {
    ...NO_REFERENCES,
    accountServicerReference: row.reference,
    endToEndId: row.endToEndId,
    mandateId: row.mandateId,
    creditorId: row.creditorId,
    creditorReference: row.creditorReference,
  },
  counterparty: counterpartyOf(
    row.counterparty.name,
    row.counterparty.iban ?? row.counterparty.account ?? row.own?.counterpartyAccount,
    row.counterparty.bic,
  ),
  ultimateParty: row.ultimateParty,
  instructed: row.instructed,
  purpose: row.own?.purpose ?? null,
  remittance: row.remittance,
  additionalInformation: row.additionalInformation,
  bankTransactionCode: row.transactionCode,
  charges: row.own?.charges ?? (row.fee === null ? [] : [{ amount: row.fee, currency: row.currency, included: true }]),
  details: row.own?.details ?? [],
  key: {
    valueDate: row.key.hasValueDate ? row.valueDate : null,
    references: {
      ...NO_REFERENCES,
      accountServicerReference: row.key.reference,
      endToEndId: row.key.endToEndId,
      mandateId: row.key.mandateId,
    },
    counterparty: counterpartyOf(
      row.key.counterparty.name,
      row.key.counterparty.iban ?? row.key.counterparty.account,
      row.key.counterparty.bic,
    ),
    remittance: row.key.remittance,
    additionalInformation: row.key.additionalInformation,
    bankTransactionCode: row.key.transactionCode,
  },
  line: row.line,
})
