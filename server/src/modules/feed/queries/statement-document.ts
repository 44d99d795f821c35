import type {
  EntryFacts,
  StatementDocument,
  StatementDocumentEntry,
  StatementEntryKind,
} from '../../../formats/statements/index.ts'
import { addDays, type LocalDate, localDateOf } from '../../../platform/clock.ts'
import type { Id } from '../../../platform/ids.ts'
import { type Currency, type Money, money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { findAccountsByIban, findStatementAccount } from '../../accounts/index.ts'
import { balanceAsOf } from '../../ledger/index.ts'
import * as store from '../store.ts'

const HOUR_MS = 3_600_000

export type StatementMovement = store.CompletedTransaction

/** What only whoever reads the statements of other banks knows of connected accounts, and stands above the feed: it is handed in. */
export type ToldByBanks = {
  /** What is missing from an account's feed with `from` ≤ settlement < `before`, oldest first. */
  readonly missing: (
    tx: Tx,
    bankAccountId: Id<'bank_account'>,
    span: { readonly from: Date; readonly before: Date },
  ) => Promise<readonly StatementMovement[]>
  /** What the bank said of entries, by their keys; entries that an earlier release imported may be left out. */
  readonly facts: (
    tx: Tx,
    organizationId: Id<'organization'>,
    ledgerKeys: readonly string[],
  ) => Promise<ReadonlyMap<string, EntryFacts>>
}

/**
 * The statement of an account for whole banking days, both included (system scope): opening balance as the ledger knows it, completed
 * movements by settlement, running and closing balance.
 *
 * @param wanted.account IBAN, or the number of a connected account that has none; one of ours goes before a connected one.
 * @param wanted.currency which one, where a bank keeps several under one number; otherwise the one that was connected first.
 * @param told what other banks told; the connections' `toldByBanks`.
 * @returns undefined when there is no such account with a ledger account.
 */
export async function statementDocument(
  tx: Tx,
  wanted: {
    account: string
    organizationId: Id<'organization'> | null
    currency?: Currency
    from: LocalDate
    to: LocalDate
    now: Date
  },
  told: ToldByBanks,
): Promise<StatementDocument | undefined> {
  await tx.run`set transaction isolation level repeatable read`
  const account = await findStatementAccount(tx, { ...wanted, currency: wanted.currency ?? null })
  if (!account?.ledgerAccountId) return undefined
  const { ledgerAccountId } = account
  const start = startOfDay(wanted.from)
  const end = startOfDay(addDays(wanted.to, 1))
  const rows = await store.completedTransactions(tx, account.id, start, end)
  const movements = account.isExternal ? withGaps(rows, await told.missing(tx, account.id, { from: start, before: end })) : rows
  // A connected account's balance was carried forward from its first statement, which is no movement: its statement is reckoned back
  // from the balance at the end, so that a period that holds that day shows the balance as its opening.
  const balanceBefore = (instant: Date) => balanceAsOf(tx, ledgerAccountId, { effective: new Date(instant.getTime() - 1) })
  const before = account.isExternal
    ? (await balanceBefore(end)) - movements.reduce((sum, row) => sum + signed(row), 0n)
    : await balanceBefore(start)
  const opening = money(account.currency, before)
  const isOwn = await ownAccounts(tx, account.organizationId, movements)
  const keys = account.isExternal ? rows.flatMap((row) => row.ledgerKey ?? []) : []
  const inFeed = new Set(rows)
  const facts = await told.facts(tx, account.organizationId, keys)
  const entries: StatementDocumentEntry[] = []
  let closing: Money = opening
  for (const row of movements) {
    const amount = money(account.currency, signed(row))
    closing = money(account.currency, closing.minor + amount.minor)
    const figures = { amount, balanceAfter: closing }
    // What is missing between two statements of a bank is ours to say, and says so.
    const isTold = account.isExternal && inFeed.has(row)
    entries.push(isTold ? toldEntry(row, figures, facts.get(row.ledgerKey ?? '')) : entryOf(row, figures, isOwn(row)))
  }
  return {
    iban: account.iban ?? account.accountNumber ?? '',
    bic: account.bic,
    holderName: account.holderName,
    from: wanted.from,
    to: wanted.to,
    sequenceNumber: sequenceOf(wanted.to),
    opening,
    entries,
    closing,
    createdAt: wanted.now,
  }
}

/** Whether a movement's counterparty is an account of the same organization with us. */
async function ownAccounts(tx: Tx, organizationId: Id<'organization'>, movements: readonly StatementMovement[]) {
  const ours = await findAccountsByIban(
    tx,
    movements.flatMap((row) => row.counterpartyNumber ?? []),
  )
  return (row: StatementMovement) => ours.get(row.counterpartyNumber ?? '')?.organizationId === organizationId
}

const signed = (row: StatementMovement): bigint => (row.side === 'debit' ? -row.amountMinor : row.amountMinor)

/** The movements with what is missing between two statements of the bank. A gap stands after the bookings of its day; sorting keeps equals in order. */
const withGaps = (rows: readonly StatementMovement[], gaps: readonly StatementMovement[]): StatementMovement[] =>
  [...rows, ...gaps].sort((a, b) => a.settledAt.getTime() - b.settledAt.getTime())

type Figures = Pick<StatementDocumentEntry, 'amount' | 'balanceAfter'>

function entryOf(row: StatementMovement, figures: Figures, isBetweenOwn: boolean): StatementDocumentEntry {
  const kind = isBetweenOwn ? 'internal_transfer' : kindOf(row)
  const day = localDateOf(row.settledAt)
  return {
    bookingDate: day,
    valueDate: day,
    ...figures,
    kind,
    reversal: false,
    reference: row.id.replaceAll('-', ''),
    endToEndId: null,
    transactionId: null,
    uetr: null,
    mandateId: null,
    counterpartyName: row.label === '' ? null : row.label,
    counterpartyIban: row.counterpartyFormat === 'IBAN' ? row.counterpartyNumber : null,
    counterpartyBic: row.bankFormat === 'SWIFT_BIC' && row.bank !== '' ? row.bank : null,
    remittanceInformation: row.reference,
    description: DESCRIPTIONS[kind] ?? 'Booking',
  }
}

/** A booking of another bank, in its words. What it did not say stays unsaid: no kind of business, no name, no value date is made of others. */
function toldEntry(row: StatementMovement, figures: Figures, told: EntryFacts | undefined): StatementDocumentEntry {
  const common = { ...figures, kind: null, reference: row.id.replaceAll('-', '') }
  if (!told) return { ...common, ...untoldFacts(row) }
  const { references, counterparty } = told
  return {
    ...common,
    bookingDate: told.bookingDate,
    valueDate: told.valueDate,
    reversal: told.reversal,
    endToEndId: references.endToEndId,
    transactionId: references.transactionId,
    uetr: references.uetr,
    mandateId: references.mandateId,
    counterpartyName: counterparty.name,
    counterpartyIban: counterparty.iban,
    counterpartyBic: counterparty.bic,
    remittanceInformation: told.remittance || null,
    description: told.additionalInformation || null,
    told,
  }
}

/** Of what an earlier release imported only the feed's row is left. Its label was a name, or else a text or a code that stood in for one. */
function untoldFacts(row: StatementMovement) {
  const day = localDateOf(row.settledAt)
  const isName = row.label !== '' && row.label !== row.reference && !(row.reference === null && STANDS_IN.test(row.label))
  return {
    bookingDate: day,
    valueDate: null,
    reversal: false,
    endToEndId: null,
    transactionId: null,
    uetr: null,
    mandateId: null,
    counterpartyName: isName ? row.label : null,
    counterpartyIban: row.counterpartyFormat === 'IBAN' ? row.counterpartyNumber : null,
    counterpartyBic: row.bankFormat === 'SWIFT_BIC' && row.bank !== '' ? row.bank : null,
    remittanceInformation: row.reference,
    description: null,
  }
}

/** `PMNT/RCDT/ESCT`, `NTRF+166`, `Entry`: what stood in for a name where there was no text either. */
const STANDS_IN = /^(?:Entry|[A-Z]{4}(?:\/[A-Z0-9]{4}){0,2}|[NFS][A-Z0-9 ]{3}(?:\+\d{3})?|\d{3})$/

const DESCRIPTIONS: Partial<Record<StatementEntryKind, string>> = {
  credit_transfer: 'SEPA credit transfer',
  internal_transfer: 'Internal transfer',
  returned_credit_transfer: 'Returned credit transfer',
  direct_debit: 'SEPA direct debit',
  card_payment: 'Card payment',
  account_fee: 'Fee',
}

const KINDS: Readonly<Record<string, StatementEntryKind>> = {
  transfer: 'credit_transfer',
  income: 'credit_transfer',
  direct_debit: 'direct_debit',
  direct_debit_collection: 'direct_debit',
  card: 'card_payment',
  qonto_fee: 'account_fee',
}

function kindOf(row: StatementMovement): StatementEntryKind {
  if (row.side === 'credit' && row.reference?.startsWith('Returned (')) return 'returned_credit_transfer'
  return KINDS[row.operationType] ?? 'other'
}

/** The first instant of a banking day: midnight in Paris, which is one or two hours before midnight UTC. */
function startOfDay(day: LocalDate): Date {
  const midnight = new Date(`${day}T00:00:00.000Z`).getTime()
  const early = new Date(midnight - 2 * HOUR_MS)
  return localDateOf(early) === day ? early : new Date(midnight - HOUR_MS)
}

/** Follows from the period's last day: daily statements count up, and five digits, which MT940 has, last to 2099. */
function sequenceOf(day: LocalDate): number {
  const year = Number(day.slice(0, 4))
  const dayOfYear = Math.round((Date.parse(day) - Date.parse(`${year}-01-01`)) / (24 * HOUR_MS)) + 1
  return (((year % 100) + 100) % 100) * 366 + dayOfYear
}
