import type { LocalDate } from '../../platform/clock.ts'
import { counterpartyOf } from './account.ts'
import { swiftDate, swiftEntryDate } from './dates.ts'
import { negateDecimal } from './decimal.ts'
import { readInformation } from './mt940-information.ts'
import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'
import { type SwiftField, swiftAmount } from './swift-field.ts'
import { oneLine } from './text.ts'
import type { EntryStatus, ParsedEntry } from './types.ts'
import { NO_REFERENCES } from './types.ts'

type EntryLine = Readonly<{
  amount: string
  status: EntryStatus
  reversal: boolean
  bookingDate: LocalDate
  bookingDateAssumed: boolean
  valueDate: LocalDate | null
  transactionType: string | null
  customerReference: string | null
  bankReference: string | null
  supplementary: string
  line: number
}>

/**
 * value date, entry date, mark, funds code, amount, transaction type, customer reference, // bank reference.
 * The mark is tried longest first, so `RCR204,88` is a reversed credit with funds code R, `CR300,` a credit with funds code R.
 */
const STATEMENT_LINE =
  /^(\d{6}) ?(\d{4})? ?(RC|RD|EC|ED|C|D) ?([A-Z])?\s?([0-9][0-9.,]*|,[0-9]+) ?(?:([A-Z][A-Z0-9 ]{0,3})(.*))?$/

/** Customer references that banks write when there is none. */
const NO_REFERENCE = /^(?:NONREF|NONE|NOTPROVIDED|NOT PROVIDED|KREF\+|EREF|PREF|MARF|KREF|\+\+NO REF\+\+)?$/i

/** Field 61. RC takes a credit back, so it is a debit; RD the other way round; EC and ED are expected, not booked (MT942). */
export function parseEntryLine(field: SwiftField, statementDate: LocalDate | null, problems: ProblemList): EntryLine {
  const text = (field.lines[0] ?? '').trimEnd()
  // An amount that wrapped onto the next line: the mark ends the first one.
  const wrapped = /^\d{6}(\d{4})?[RE]?[CD][A-Z]?$/.test(text) && field.lines[1] !== undefined
  const line = wrapped ? text + field.lines[1] : text
  const match = STATEMENT_LINE.exec(line.trim())
  const amount = match ? swiftAmount(match[5] ?? '') : undefined
  if (!match || amount === undefined) {
    throw new StatementRefused(
      field.endsFile ? 'truncated' : 'line_malformed',
      field.line,
      `:61:${quoted(line)} is not a statement line`,
    )
  }
  const type = match[6]?.trim() ?? null
  if (type !== null && !/^[NFS].{3}$/.test(type))
    problems.add('transaction_code_unknown', field.line, `transaction type ${quoted(type)} is not N, F or S and three more`)
  // Without the type behind it, nobody can tell a whole amount from one that lost its last digits.
  if (field.endsFile && (type?.length ?? 0) < 4)
    throw new StatementRefused('truncated', field.line, `the file ends inside :61:${quoted(line)}`)
  if (type === null) problems.add('transaction_code_missing', field.line, 'no transaction type behind the amount')
  if (!(match[5] ?? '').includes(','))
    problems.add('amount_without_comma', field.line, `${quoted(match[5] ?? '')} has no decimal comma; read as it stands`)
  const mark = match[3] ?? ''
  const debit = mark === 'D' || mark === 'RC' || mark === 'ED'
  const [customer = '', bank = ''] = splitReferences(match[7] ?? '')
  return {
    amount: debit ? negateDecimal(amount) : amount,
    status: mark.startsWith('E') ? 'PDNG' : 'BOOK',
    reversal: mark.startsWith('R'),
    ...entryDates(match[1] ?? '', match[2], statementDate, field.line, problems),
    transactionType: type,
    customerReference: NO_REFERENCE.test(customer) ? null : customer,
    bankReference: NO_REFERENCE.test(bank) ? null : bank,
    supplementary: oneLine(field.lines.slice(wrapped ? 2 : 1).join(' ')),
    line: field.line,
  }
}

function splitReferences(text: string): [string, string] {
  const at = text.indexOf('//')
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 2).trim()]
}

function entryDates(
  value: string,
  entry: string | undefined,
  statementDate: LocalDate | null,
  line: number,
  problems: ProblemList,
) {
  const valueDate = swiftDate(value)
  if (valueDate?.corrected)
    problems.add('date_corrected', line, `value date ${quoted(value)} does not exist; ${valueDate.date} taken`)
  if (!valueDate) problems.add('date_ignored', line, `value date ${quoted(value)} is not a date`)
  const near = valueDate?.date ?? statementDate
  const entryDate = entry !== undefined && near !== null ? swiftEntryDate(entry, near) : undefined
  if (entryDate?.corrected)
    problems.add('date_corrected', line, `entry date ${quoted(entry ?? '')} does not exist; ${entryDate.date} taken`)
  if (entry !== undefined && !entryDate) problems.add('date_ignored', line, `entry date ${quoted(entry)} is not a date`)
  const bookingDate = entryDate?.date ?? valueDate?.date ?? statementDate
  if (bookingDate === null) throw new StatementRefused('date_missing', line, 'an entry without any date')
  // Leaving the entry date out is usual and means the value date: nothing is assumed then.
  const assumed = entryDate === undefined && !valueDate
  if (assumed) problems.add('date_assumed', line, `${bookingDate} taken from the statement`)
  return { bookingDate, bookingDateAssumed: assumed, valueDate: valueDate?.date ?? null }
}

/** An entry from its field 61 and the field 86 that belongs to it. */
export function readSwiftEntry(
  line: EntryLine,
  information: readonly string[],
  context: { currency: string; ownIban: string | null },
): ParsedEntry {
  const told = readInformation(information, line.amount.startsWith('-'))
  const customer = line.customerReference
  return {
    amount: line.amount,
    currency: context.currency,
    status: line.status,
    reversal: line.reversal,
    bookingDate: line.bookingDate,
    bookingDateAssumed: line.bookingDateAssumed,
    valueDate: line.valueDate,
    references: {
      ...NO_REFERENCES,
      accountServicerReference: line.bankReference ?? told.bankReference,
      entryReference: customer,
      endToEndId: told.endToEndId,
      mandateId: told.mandateId,
      creditorId: told.creditorId,
      instructionId: told.instructionId,
      chequeNumber: line.transactionType === 'NCHK' ? customer : null,
    },
    counterparty: counterpartyOf(told.name, told.account, told.bic),
    ultimateParty: told.ultimateParty,
    instructed: told.instructed,
    purpose: told.purpose,
    remittance: told.remittance,
    additionalInformation: [told.postingText, line.supplementary].filter((part) => part !== '').join(' '),
    bankTransactionCode: [line.transactionType, told.transactionCode].filter((part) => part !== null).join('+') || null,
    charges: [],
    details: [],
    line: line.line,
  }
}
