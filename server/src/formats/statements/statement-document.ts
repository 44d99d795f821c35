import { assert } from '../../platform/assert.ts'
import type { LocalDate } from '../../platform/clock.ts'
import { add, type Money, money } from '../../platform/money.ts'
import { isoCodeOf, type TransactionCode } from './business-codes.ts'
import type { EntryFacts } from './types.ts'

/** An account statement of ours, before it takes any format. All amounts are in the account's currency. */
export type StatementDocument = Readonly<{
  /** Or the bank's own number, where the account has no IBAN. */
  iban: string
  bic: string | null
  holderName: string
  /** Both days belong to the period. */
  from: LocalDate
  to: LocalDate
  /** Rises by one per statement of the account, without gaps. */
  sequenceNumber: number
  opening: Money
  /** Oldest first; booked entries only. */
  entries: readonly StatementDocumentEntry[]
  closing: Money
  createdAt: Date
}>

export type StatementDocumentEntry = Readonly<{
  bookingDate: LocalDate
  /** Null: another bank's booking, whose value date it does not say. */
  valueDate: LocalDate | null
  /** Signed: money out is negative. */
  amount: Money
  balanceAfter: Money
  /** Null: it is another bank's booking, and what kind it is only `told` can say. */
  kind: StatementEntryKind | null
  /** It takes an earlier booking back. */
  reversal: boolean
  /** The bank's own reference, unique per booking, at most 35 characters. */
  reference: string
  endToEndId: string | null
  transactionId: string | null
  uetr: string | null
  mandateId: string | null
  counterpartyName: string | null
  counterpartyIban: string | null
  counterpartyBic: string | null
  remittanceInformation: string | null
  /** The bank's words for the booking: `SEPA credit transfer`. Null or empty: it has none. */
  description: string | null
  /** What another bank said of its booking, on a connected account. What it did not say is said by nobody. */
  told?: EntryFacts | undefined
}>

/** What kind of business an entry books: the rows of the table in sepa.md section 11. */
export type StatementEntryKind = keyof typeof CODES

type Codes = Readonly<{ sent: TransactionCode; received: TransactionCode }>

const both = (code: TransactionCode): Codes => ({ sent: code, received: code })

const CODES = {
  credit_transfer: { sent: ['PMNT', 'ICDT', 'ESCT'], received: ['PMNT', 'RCDT', 'ESCT'] },
  instant_credit_transfer: { sent: ['PMNT', 'IRCT', 'ESCT'], received: ['PMNT', 'RRCT', 'ESCT'] },
  // Received: our payment comes back. Sent: we return a payment to where it came from.
  returned_credit_transfer: { sent: ['PMNT', 'RCDT', 'RRTN'], received: ['PMNT', 'ICDT', 'RRTN'] },
  internal_transfer: { sent: ['PMNT', 'ICDT', 'BOOK'], received: ['PMNT', 'RCDT', 'BOOK'] },
  direct_debit: { sent: ['PMNT', 'RDDT', 'ESDD'], received: ['PMNT', 'IDDT', 'ESDD'] },
  business_direct_debit: { sent: ['PMNT', 'RDDT', 'BBDD'], received: ['PMNT', 'IDDT', 'BBDD'] },
  // Sent: a collection of ours goes back. Received: a debit on our account comes back.
  returned_direct_debit: { sent: ['PMNT', 'IDDT', 'UPDD'], received: ['PMNT', 'RDDT', 'UPDD'] },
  reversed_direct_debit: { sent: ['PMNT', 'IDDT', 'PRDD'], received: ['PMNT', 'RDDT', 'PRDD'] },
  card_payment: { sent: ['PMNT', 'CCRD', 'POSD'], received: ['PMNT', 'CCRD', 'RIMB'] },
  cash_withdrawal: both(['PMNT', 'CCRD', 'CWDL']),
  account_fee: both(['ACMT', 'MDOP', 'CHRG']),
  payment_fee: both(['PMNT', 'MDOP', 'CHRG']),
  interest: both(['ACMT', 'MDOP', 'INTR']),
  other: { sent: ['PMNT', 'MDOP', 'OTHR'], received: ['PMNT', 'MCOP', 'OTHR'] },
} as const satisfies Record<string, Codes>

/** ISO 20022 bank transaction code of an entry; undefined where nobody said one. */
export const bankTransactionCode = (entry: StatementDocumentEntry): TransactionCode | undefined =>
  entry.kind === null
    ? isoCodeOf(entry.told?.bankTransactionCode ?? null)
    : CODES[entry.kind][entry.amount.minor < 0n ? 'sent' : 'received']

/** What the booking's own bank calls it, where ISO 20022 is not its language. */
export function proprietaryCode(entry: StatementDocumentEntry): string | undefined {
  const stated = entry.told?.bankTransactionCode ?? undefined
  return stated === bankTransactionCode(entry)?.join('/') ? undefined : stated
}

/** Stops when a document does not add up: a statement that goes out with a wrong balance is worse than none. */
export function assertAddsUp(document: StatementDocument): void {
  let balance = document.opening
  for (const entry of document.entries) {
    balance = add(balance, entry.amount)
    assert(balance.minor === entry.balanceAfter.minor, `balance after ${entry.reference} is not the sum of the entries`)
  }
  assert(balance.minor === document.closing.minor, 'closing balance is not opening balance plus entries')
}

/** The size of an amount, for formats that keep the sign apart. */
export const absolute = (amount: Money): Money => (amount.minor < 0n ? money(amount.currency, -amount.minor) : amount)

/** `STMT-<last ten of the IBAN>-<sequence>`: at most 35 characters, the same for the same statement in every format. */
export const statementId = (document: StatementDocument): string => `STMT-${document.iban.slice(-10)}-${document.sequenceNumber}`
