import type { XmlElement } from '@partita/notation/xml'
import { child, children, path, textOf } from '@partita/notation/xml'
import type { LocalDate } from '../../platform/clock.ts'
import { bicShaped, counterpartyOf } from './account.ts'
import { amountOf, codeOf, directionOf, isoDateOf, readAmount } from './camt-values.ts'
import { equalDecimals, isNegative, negateDecimal, sumDecimals } from './decimal.ts'
import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'
import { oneLine } from './text.ts'
import type {
  Charge,
  Counterparty,
  EntryDetail,
  EntryReferences,
  EntryStatus,
  InstructedAmount,
  ParsedEntry,
  StatementAccount,
} from './types.ts'
import { NO_COUNTERPARTY } from './types.ts'

type Context = Readonly<{
  currency: string
  account: StatementAccount
  number: '052' | '053' | '054'
  /** Stands in, by name, for a booking date that is nowhere said. */
  fallbackDate: LocalDate | null
  problems: ProblemList
}>

/**
 * One Ntry. CdtDbtInd is the direction of this booking, whatever RvslInd says: a reversed credit carries DBIT.
 * @see ISO 20022 camt.053 message definition, Entry: "ReversalIndicator ... CreditDebitIndicator reflects this entry"; sepa.md section 11.
 */
export function readEntry(element: XmlElement, context: Context): ParsedEntry {
  const { problems } = context
  const amount = amountOf(element, context.currency, problems)
  const direction = directionOf(element)
  if (!direction) throw new StatementRefused('direction_missing', element.line, 'an entry that says neither credit nor debit')
  const dates = entryDates(element, context)
  const transactionCode = bankTransactionCodeOf(element, problems)
  // Version 01 has no NtryDtls around the transactions.
  const groups = child(element, 'TxDtls') ? [element] : children(element, 'NtryDtls')
  const read = groups.flatMap((group) =>
    children(group, 'TxDtls').map((detail) => readDetail(detail, direction, transactionCode, context)),
  )
  const details = read.map(({ detail }) => detail)
  const single = details.length === 1 ? details[0] : undefined
  const batch = child(
    children(element, 'NtryDtls').find((group) => child(group, 'Btch')),
    'Btch',
  )
  const own = referencesOf(child(element, 'Refs'), child(child(element, 'NtryDtls'), 'Btch'))
  const signed = direction === 'debit' ? amount.negative : amount.value
  if (batch) checkBatch(batch, signed, amount.currency, details, problems)
  const entry: ParsedEntry = {
    amount: signed,
    currency: amount.currency,
    status: statusOf(element, context),
    reversal: /^(true|1)$/.test(textOf(element, 'RvslInd') ?? ''),
    ...dates,
    references: {
      ...(single ? mergedReferences(own, single.references) : own),
      accountServicerReference: textOf(element, 'AcctSvcrRef') ?? single?.references.accountServicerReference ?? null,
      entryReference: textOf(element, 'NtryRef') ?? null,
    },
    counterparty: single?.counterparty ?? NO_COUNTERPARTY,
    ultimateParty: single?.ultimateParty ?? null,
    instructed: instructedIn(element, amount, context) ?? single?.instructed ?? null,
    purpose: single?.purpose ?? null,
    remittance: single?.remittance ?? '',
    additionalInformation: oneLine(textOf(element, 'AddtlNtryInf') ?? ''),
    bankTransactionCode: transactionCode,
    charges: chargesOf(element, context),
    details,
    line: element.line,
  }
  const isNamedByAddress = details.length === 1 && read[0]?.isNamedByAddress === true
  return isNamedByAddress ? { ...entry, key: { ...entry, counterparty: { ...entry.counterparty, name: null } } } : entry
}

/** The order's amount (InstdAmt), where it is not that of the booking: before exchange, or before charges came off. */
function instructedIn(
  element: XmlElement,
  booked: { value: string; currency: string } | undefined,
  { currency, problems }: Context,
): InstructedAmount | null {
  const found = path(element, 'AmtDtls/InstdAmt/Amt')
  if (!found || textOf(found) === undefined) return null
  const { value, currency: code } = readAmount(found, currency, problems)
  const isBooked = code === currency && (booked === undefined || equalDecimals(booked.value, value))
  return isBooked ? null : { amount: value, currency: code }
}

function entryDates(
  element: XmlElement,
  { fallbackDate, problems }: Context,
): Pick<ParsedEntry, 'bookingDate' | 'bookingDateAssumed' | 'valueDate'> {
  const read = (name: string, what: string) => {
    const date = child(element, name)
    return isoDateOf(textOf(date, 'Dt') ?? textOf(date, 'DtTm') ?? textOf(date), {
      line: date?.line ?? element.line,
      what,
      problems,
    })
  }
  const booked = read('BookgDt', 'booking date')
  const valueDate = read('ValDt', 'value date')
  const bookingDate = booked ?? valueDate ?? fallbackDate
  if (bookingDate === null)
    throw new StatementRefused('date_missing', element.line, 'an entry without booking date, value date or statement date')
  if (booked === null)
    problems.add(
      'date_assumed',
      element.line,
      `no booking date; ${bookingDate} taken from the ${valueDate === null ? 'statement' : 'value date'}`,
    )
  return { bookingDate, bookingDateAssumed: booked === null, valueDate }
}

function statusOf(element: XmlElement, { number, problems }: Context): EntryStatus {
  const status = child(element, 'Sts')
  const code = textOf(status) ?? codeOf(status)
  if (code === 'BOOK' || code === 'PDNG' || code === 'INFO') return code
  if (code === 'FUTR') return 'PDNG'
  problems.add(
    'status_assumed',
    element.line,
    `${code === undefined ? 'no entry status' : `entry status ${quoted(code)}`}; read as ${number === '052' && code !== undefined ? 'PDNG' : 'BOOK'}`,
  )
  return number === '052' && code !== undefined ? 'PDNG' : 'BOOK'
}

// ISO 20022 bank transaction code domains and, for payments and account management, their families.
const DOMAINS = new Set(['PMNT', 'CAMT', 'DERV', 'LDAS', 'FORX', 'PMET', 'CMDT', 'TRAD', 'SECU', 'ACMT', 'XTND'])
const FAMILIES: Readonly<Record<string, ReadonlySet<string>>> = {
  PMNT: new Set('RCDT ICDT IRCT RRCT RDDT IDDT RCHQ ICHQ CCRD MCRD LBOX CNTR DRFT NTAV OTHR MCOP MDOP'.split(' ')),
  ACMT: new Set('OPCL ACOP ADOP MCOP MDOP NTAV OTHR'.split(' ')),
}

/** `PMNT/RCDT/ESCT`, else the bank's own code. Codes that are not in the list are kept and named: some banks misspell PMNT. */
function bankTransactionCodeOf(element: XmlElement, problems: ProblemList): string | null {
  const code = child(element, 'BkTxCd')
  const domain = textOf(code, 'Domn/Cd')
  const proprietary = textOf(code, 'Prtry/Cd')
  if (domain === undefined) {
    if (proprietary === undefined && element.name === 'Ntry')
      problems.add('transaction_code_missing', element.line, 'an entry without bank transaction code')
    return proprietary ?? null
  }
  const family = textOf(code, 'Domn/Fmly/Cd')
  const subFamily = textOf(code, 'Domn/Fmly/SubFmlyCd')
  const known =
    DOMAINS.has(domain) &&
    (family === undefined || !FAMILIES[domain] || FAMILIES[domain].has(family)) &&
    /^[A-Z0-9]{4}$/.test(subFamily ?? 'NTAV')
  const text = [domain, family, subFamily].filter((part) => part !== undefined).join('/')
  if (!known && element.name === 'Ntry')
    problems.add(
      'transaction_code_unknown',
      code?.line ?? element.line,
      `${quoted(text)} is not in ISO 20022's list; kept as it is`,
    )
  return text
}

function referencesOf(refs: XmlElement | undefined, batch: XmlElement | undefined): EntryReferences {
  return {
    accountServicerReference: textOf(refs, 'AcctSvcrRef') ?? null,
    entryReference: null,
    endToEndId: textOf(refs, 'EndToEndId') ?? null,
    mandateId: textOf(refs, 'MndtId') ?? null,
    creditorId: null,
    messageId: textOf(refs, 'MsgId') ?? textOf(batch, 'MsgId') ?? null,
    paymentInformationId: textOf(refs, 'PmtInfId') ?? textOf(batch, 'PmtInfId') ?? null,
    instructionId: textOf(refs, 'InstrId') ?? null,
    transactionId: textOf(refs, 'TxId') ?? null,
    uetr: textOf(refs, 'UETR') ?? null,
    chequeNumber: textOf(refs, 'ChqNb') ?? null,
    creditorReference: null,
  }
}

const mergedReferences = (own: EntryReferences, inner: EntryReferences): EntryReferences =>
  Object.fromEntries(
    Object.entries(inner).map(([name, value]) => [name, own[name as keyof EntryReferences] ?? value]),
  ) as EntryReferences

function readDetail(
  element: XmlElement,
  entryDirection: 'credit' | 'debit',
  entryCode: string | null,
  context: Context,
): { detail: EntryDetail; isNamedByAddress: boolean } {
  const { currency, problems } = context
  const amountElement = child(element, 'Amt') ?? path(element, 'AmtDtls/TxAmt/Amt')
  const amount = amountElement && readAmount(amountElement, currency, problems)
  const direction = directionOf(element) ?? entryDirection
  const creditorReferences = children(child(element, 'RmtInf'), 'Strd').flatMap(
    (strd) => textOf(strd, 'CdtrRefInf/Ref') ?? textOf(strd, 'CdtrRefInf/CdtrRef') ?? [],
  )
  const unstructured = children(child(element, 'RmtInf'), 'Ustrd')
    .map((line) => oneLine(line.text))
    .filter((line) => line !== '')
  const structuredText = children(child(element, 'RmtInf'), 'Strd').flatMap((strd) =>
    children(strd, 'AddtlRmtInf').map((line) => oneLine(line.text)),
  )
  const sides = sidesOf(element, direction, bankTransactionCodeOf(element, problems) ?? entryCode, context.account)
  const references = referencesOf(child(element, 'Refs'), undefined)
  const remittance = [...unstructured, ...(unstructured.length > 0 ? [] : [...creditorReferences, ...structuredText])].join(' ')
  const additional = oneLine(textOf(element, 'AddtlTxInf') ?? '')
  const detail: EntryDetail = {
    amount: amount ? (direction === 'debit' ? amount.negative : amount.value) : null,
    currency: amount?.currency ?? null,
    references: { ...references, creditorId: creditorIdIn(element), creditorReference: creditorReferences[0] ?? null },
    counterparty: sides.counterparty,
    ultimateParty: sides.ultimateParty,
    instructed: instructedIn(element, amount, context),
    purpose: textOf(element, 'Purp/Cd') ?? null,
    remittance: remittance || additional,
    additionalInformation: remittance === '' ? '' : additional,
    charges: chargesOf(element, context),
    returnReason: codeOf(path(element, 'RtrInf/Rsn')) ?? codeOf(path(element, 'RtrInf/RtrRsn')) ?? null,
    line: element.line,
  }
  return { detail, isNamedByAddress: sides.isNamedByAddress }
}

/**
 * Who is on the other side. In returned payments the parties keep the roles of the first payment, so the family tells more than the
 * direction: what we issued (ICDT) or others collected from us (RDDT) has us as debtor.
 */
function sidesOf(
  detail: XmlElement,
  direction: 'credit' | 'debit',
  code: string | null,
  account: StatementAccount,
): { counterparty: Counterparty; ultimateParty: string | null; isNamedByAddress: boolean } {
  const family = code?.split('/')[1] ?? ''
  const weAreDebtor =
    ['ICDT', 'IRCT', 'RDDT'].includes(family) || (!['RCDT', 'RRCT', 'IDDT'].includes(family) && direction === 'debit')
  const debtor = party(detail, 'Dbtr')
  const creditor = party(detail, 'Cdtr')
  const [expected, other] = weAreDebtor ? [creditor, debtor] : [debtor, creditor]
  const isOwn = expected.iban !== null && expected.iban === account.iban
  const isNobody = expected.name === null && expected.iban === null && expected.account === null && other.iban !== account.iban
  const counterparty = isOwn || isNobody ? other : expected
  const ultimate = ultimateNameOf(detail, counterparty === creditor ? 'Cdtr' : 'Dbtr')
  const parties = child(detail, 'RltdPties')
  const isNamedByAddress =
    counterparty.name !== null && nameOf(parties, counterparty === creditor ? 'Cdtr' : 'Dbtr') === undefined
  return { counterparty, ultimateParty: ultimate === counterparty.name ? null : ultimate, isNamedByAddress }
}

const ultimateNameOf = (detail: XmlElement, role: 'Dbtr' | 'Cdtr'): string | null => {
  const parties = child(detail, 'RltdPties')
  return oneLine(textOf(parties, `Ultmt${role}/Nm`) ?? textOf(parties, `Ultmt${role}/Pty/Nm`) ?? '') || null
}

/** The creditor's identifier in SEPA direct debits (AT-02). */
function creditorIdIn(detail: XmlElement): string | null {
  const creditor = path(detail, 'RltdPties/Cdtr')
  for (const at of ['Id/PrvtId/Othr', 'Id/OrgId/Othr', 'Pty/Id/PrvtId/Othr', 'Pty/Id/OrgId/Othr']) {
    const identification = path(creditor, at)
    if (textOf(identification, 'SchmeNm/Prtry')?.toUpperCase() === 'SEPA') return textOf(identification, 'Id') ?? null
  }
  return null
}

const nameOf = (parties: XmlElement | undefined, role: 'Dbtr' | 'Cdtr'): string | undefined =>
  [`${role}/Nm`, `${role}/Pty/Nm`, `Ultmt${role}/Nm`, `Ultmt${role}/Pty/Nm`]
    .map((at) => textOf(parties, at))
    .find((found) => found !== undefined)

function party(detail: XmlElement, role: 'Dbtr' | 'Cdtr'): Counterparty {
  const parties = child(detail, 'RltdPties')
  const name = nameOf(parties, role)
  // Some banks know a party by its address lines only, and the name is the first of them.
  const addressed = textOf(parties, `${role}/PstlAdr/AdrLine`) ?? textOf(parties, `${role}/Pty/PstlAdr/AdrLine`)
  const account = path(parties, `${role}Acct/Id`)
  const agent = path(detail, `RltdAgts/${role}Agt/FinInstnId`)
  const bic = textOf(agent, 'BICFI') ?? textOf(agent, 'BIC')
  return counterpartyOf(
    oneLine(name ?? addressed ?? ''),
    textOf(account, 'IBAN') ?? textOf(account, 'Othr/Id') ?? textOf(account, 'PrtryAcct/Id'),
    bicShaped(bic),
  )
}

/** Charges in every version's shape: records (.04 and later), one element per charge (.02), or a total only. */
function chargesOf(element: XmlElement, { currency, problems }: Context): Charge[] {
  return children(element, 'Chrgs').flatMap((charges) => {
    const records = children(charges, 'Rcrd')
    const each = records.length > 0 ? records : child(charges, 'Amt') ? [charges] : []
    const total = child(charges, 'TtlChrgsAndTaxAmt')
    if (each.length === 0) return total ? [{ ...plain(readAmount(total, currency, problems)), included: null }] : []
    return each.map((record) => {
      const included = textOf(record, 'ChrgInclInd')
      return {
        ...plain(amountOf(record, currency, problems)),
        included: included === undefined ? null : included === 'true' || included === '1',
      }
    })
  })
}

const plain = ({ value, currency }: { value: string; currency: string }) => ({ amount: value, currency })

/** A batch that announces other figures than it holds has lost or gained a line. Only what can be compared is compared. */
function checkBatch(
  batch: XmlElement,
  entryAmount: string,
  currency: string,
  details: readonly EntryDetail[],
  problems: ProblemList,
): void {
  const comparable =
    details.length > 1 &&
    details.every((detail) => detail.amount !== null && detail.currency === currency && detail.charges.length === 0)
  if (!comparable) return
  const count = textOf(batch, 'NbOfTxs')
  if (count !== undefined && /^\d{1,15}$/.test(count) && Number(count) !== details.length) {
    problems.add('batch_differs', batch.line, `the batch announces ${count} transactions and holds ${details.length}`)
  }
  // Some banks give the details of a debit without a direction of their own or with the opposite one: the sizes may agree instead.
  const amounts = details.map((detail) => detail.amount ?? '0')
  const sum = sumDecimals(amounts)
  if (equalDecimals(sum, entryAmount) || equalDecimals(sumDecimals(amounts.map(absolute)), absolute(entryAmount))) return
  problems.add('batch_differs', batch.line, `the transactions of the batch add up to ${sum}, the entry is ${entryAmount}`)
}

const absolute = (value: string): string => (isNegative(value) ? negateDecimal(value) : value)
