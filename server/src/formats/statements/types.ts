import type { LocalDate } from '../../platform/clock.ts'
import type { StatementProblem } from './problems.ts'

/** A plain decimal as text, `-12.50`: exact, with as many decimals as the file gave. `decimal.ts` counts with them. */
export type Decimal = string

/** What a statement file says, or why it is refused. Nothing is guessed about money: what had to be assumed is in `problems`. */
export type ParsedStatementFile =
  | {
      readonly ok: true
      readonly format: string
      readonly statements: readonly ParsedStatement[]
      readonly problems: readonly StatementProblem[]
      readonly csv?: CsvReading
    }
  /** `problems[0]` is the refusal; `format` is null when the content is of no kind that is read here. */
  | {
      readonly ok: false
      readonly format: string | null
      readonly problems: readonly StatementProblem[]
      readonly csv?: CsvReading
    }

/** How a CSV table was understood, as far as it was: for whoever asks why. */
export type CsvReading = {
  /** Whose header it is, when it is a known bank's. */
  readonly bank: string | null
  readonly headerLine: number
  /** In the order of the file. `meaning`: null when it is not kept; `isKnown`: false when nobody knows what it means. */
  readonly columns: readonly { readonly header: string; readonly meaning: string | null; readonly isKnown: boolean }[]
  /** Where the own account was found, and which it is when it is not a column's. */
  account?: { readonly from: 'column' | 'mapping' | 'preamble' | 'nowhere'; readonly account: string | null }
  decimal?: '.' | ','
  dateFormat?: string
}

export type ParsedStatement = Readonly<{
  account: StatementAccount
  /** ISO 4217. */
  currency: string
  /** The bank's name for this statement: camt Id, MT940 :20:. */
  identification: string | null
  /** `12312` or, paged, `19322/1`. */
  sequenceNumber: string | null
  /** The period, where the file names one. */
  from: LocalDate | null
  to: LocalDate | null
  /** In the order of the file. */
  balances: readonly StatementBalance[]
  /** The booked balance before the first entry: OPBD, else PRCD; MT940 :60:. */
  opening: Decimal | null
  /** The booked balance after the last entry: CLBD; MT940 :62:; OFX LEDGERBAL. */
  closing: Decimal | null
  entries: readonly ParsedEntry[]
  /** Over all entries, pending ones included, as the control totals of ISO 20022 are. `debit` is not negative. */
  totals: Readonly<{ entries: number; details: number; credit: Decimal; debit: Decimal }>
  /** Does opening plus the booked entries give closing? null when either balance is missing. */
  reconciles: boolean | null
  /** Closing less opening and booked entries, signed, where `reconciles` is false; else null. */
  break: Decimal | null
  line: number
}>

export type StatementAccount = Readonly<{
  /** The IBAN when there is one, else the bank's own number as printed. */
  id: string
  iban: string | null
  /** National bank code or routing number, when the file gives it apart from the number. */
  bankCode: string | null
  bic: string | null
  holder: string | null
}>

export type StatementBalance = Readonly<{
  /** ISO 20022 code (OPBD, CLBD, CLAV ...) or the bank's own. */
  type: string
  /** Signed: a debit balance is negative. */
  amount: Decimal
  currency: string
  date: LocalDate | null
  line: number
}>

/** BOOK changes the booked balance, PDNG may do so later, INFO never does. */
export type EntryStatus = 'BOOK' | 'PDNG' | 'INFO'

export type ParsedEntry = Readonly<{
  /** Signed as booked to this account: a reversed credit is negative. */
  amount: Decimal
  currency: string
  status: EntryStatus
  /** It takes an earlier booking back; the sign already says so. */
  reversal: boolean
  bookingDate: LocalDate
  /** The file gives no booking date; value date, statement date or creation date stands in. */
  bookingDateAssumed: boolean
  valueDate: LocalDate | null
  references: EntryReferences
  counterparty: Counterparty
  /** Who pays or is paid in the end, where the file names him beside the counterparty. */
  ultimateParty: string | null
  /** The order's own amount, before it was exchanged; not negative. */
  instructed: InstructedAmount | null
  /** ISO 20022 purpose code, such as SALA. */
  purpose: string | null
  /** Unstructured text, or the structured creditor reference. '' when there is none. */
  remittance: string
  /** The bank's own words: AddtlNtryInf, posting text, MEMO. '' when there are none. */
  additionalInformation: string
  /** `PMNT/RCDT/ESCT`, else the bank's own code; null when there is none. */
  bankTransactionCode: string | null
  charges: readonly Charge[]
  /** The transactions that one booking stands for. Empty where the format has no such level. */
  details: readonly EntryDetail[]
  /**
   * What its key (`identity.ts`) is made of, where that is not what the entry says: a file whose columns were not all known when it was first
   * read must give its entries the same keys ever after.
   */
  key?: Pick<
    ParsedEntry,
    'valueDate' | 'references' | 'counterparty' | 'remittance' | 'additionalInformation' | 'bankTransactionCode'
  >
  line: number
}>

export type InstructedAmount = Readonly<{ amount: Decimal; currency: string }>

export type EntryReferences = Readonly<{
  /** AcctSvcrRef, MT940's reference after `//`, OFX FITID: the bank's name for the booking. */
  accountServicerReference: string | null
  entryReference: string | null
  endToEndId: string | null
  mandateId: string | null
  /** The creditor identifier of a direct debit. */
  creditorId: string | null
  messageId: string | null
  paymentInformationId: string | null
  instructionId: string | null
  transactionId: string | null
  uetr: string | null
  chequeNumber: string | null
  creditorReference: string | null
}>

export type Counterparty = Readonly<{ name: string | null; iban: string | null; account: string | null; bic: string | null }>

export type Charge = Readonly<{ amount: Decimal; currency: string; included: boolean | null }>

export type EntryDetail = Readonly<{
  /** Signed; null when the file gives none. */
  amount: Decimal | null
  currency: string | null
  references: EntryReferences
  counterparty: Counterparty
  ultimateParty: string | null
  instructed: InstructedAmount | null
  purpose: string | null
  remittance: string
  /** The bank's words for this one (AddtlTxInf), beside the remittance. '' when there are none. */
  additionalInformation: string
  charges: readonly Charge[]
  /** ISO return reason such as AC04. */
  returnReason: string | null
  line: number
}>

/** What a bank says of a booking beside its amount. '' and null: it does not say. */
export type EntryFacts = Pick<
  ParsedEntry,
  | 'bookingDate'
  | 'valueDate'
  | 'reversal'
  | 'references'
  | 'counterparty'
  | 'ultimateParty'
  | 'instructed'
  | 'purpose'
  | 'remittance'
  | 'additionalInformation'
  | 'bankTransactionCode'
  | 'charges'
> &
  Readonly<{ returnReason: string | null; details: readonly Omit<EntryDetail, 'line'>[] }>

export const NO_REFERENCES: EntryReferences = {
  accountServicerReference: null,
  entryReference: null,
  endToEndId: null,
  mandateId: null,
  creditorId: null,
  messageId: null,
  paymentInformationId: null,
  instructionId: null,
  transactionId: null,
  uetr: null,
  chequeNumber: null,
  creditorReference: null,
}

export const NO_COUNTERPARTY: Counterparty = { name: null, iban: null, account: null, bic: null }
