import type { XmlElement } from '@partita/notation/xml'
import { child, children, path, textOf } from '@partita/notation/xml'
import type { LocalDate } from '../../platform/clock.ts'
import { bicShaped, ibanShaped } from './account.ts'
import { readEntry } from './camt-entry.ts'
import { amountOf, codeOf, directionOf, isoDateOf } from './camt-values.ts'
import { unsignedDecimal } from './decimal.ts'
import type { ProblemList } from './problems.ts'
import { quoted, StatementRefused } from './problems.ts'
import { checkTotals, completed } from './statement.ts'
import type { ParsedEntry, ParsedStatement, StatementAccount, StatementBalance } from './types.ts'

/** The three messages that a bank sends its customer about an account, by number. */
const MESSAGES = {
  '052': { message: 'BkToCstmrAcctRpt', statement: 'Rpt' },
  '053': { message: 'BkToCstmrStmt', statement: 'Stmt' },
  '054': { message: 'BkToCstmrDbtCdtNtfctn', statement: 'Ntfctn' },
} as const

type MessageNumber = keyof typeof MESSAGES

/** One message inside a file: `format` is `camt.053.001.08`. */
export type CamtMessage = Readonly<{ format: string; number: MessageNumber; element: XmlElement }>

/**
 * Finds the camt.052, .053 and .054 messages of a document: the root itself, or inside an envelope (head.001, SOAP, a bank's own).
 * @returns the messages, or in words what the document is instead.
 */
export function findCamt(root: XmlElement, problems: ProblemList): CamtMessage[] | string {
  const documents = within(root, ENVELOPES_MAX, (element) => element.name === 'Document')
  const messages = (documents.length === 0 ? [root] : documents).flatMap((document) => {
    const elements = within(document, ENVELOPES_MAX, (element) => numberOf(element) !== undefined)
    return elements.length === 0 ? [describe(document)] : elements.map((element) => messageOf(element, document, problems))
  })
  const found = messages.filter((message) => typeof message !== 'string')
  const other = messages.find((message) => typeof message === 'string')
  return other !== undefined && found.length < messages.length ? other : found
}

/** SOAP, a bank's own wrapper and a business message around a document stand about six deep. */
const ENVELOPES_MAX = 12

/** The outermost elements that are wanted: the element itself, or what it holds. */
function within(element: XmlElement, depth: number, isWanted: (element: XmlElement) => boolean): XmlElement[] {
  if (isWanted(element)) return [element]
  return depth === 0 ? [] : element.children.flatMap((inner) => within(inner, depth - 1, isWanted))
}

/** Version 01 has its version in the name as well: BkToCstmrStmtV01. */
const numberOf = (element: XmlElement): MessageNumber | undefined =>
  NUMBERS.find((number) => element.name.replace(/V\d{2}$/, '') === MESSAGES[number].message)

const NUMBERS = Object.keys(MESSAGES) as MessageNumber[]

/** The message that a namespace names, `camt.053.001.08`. */
const nameIn = (namespace: string): string | undefined =>
  /(?:^|[^A-Za-z])((?:pain|pacs|camt|acmt|head|auth|admi|reda)\.\d{3}\.\d{3}\.\d{2})(?:\D|$)/.exec(namespace)?.[1]

/** What a document without any of the messages is instead. */
function describe({ name, namespace }: XmlElement): string {
  const named = nameIn(namespace)
  if (!named) return `the root element is <${name.slice(0, 60)}>${namespace === '' ? '' : ` in namespace ${quoted(namespace)}`}`
  const expected = MESSAGES[named.slice(5, 8) as MessageNumber]
  return named.startsWith('camt.05') && expected
    ? `${named} without <${expected.message}>`
    : `this is ${named}, not an account statement`
}

function messageOf(element: XmlElement, document: XmlElement, problems: ProblemList): CamtMessage | string {
  const number = numberOf(element) as MessageNumber
  const namespace = element.namespace === '' ? document.namespace : element.namespace
  if (namespace === '') {
    problems.add('namespace_missing', document.line, `no namespace; read as camt.${number}`)
    return { format: `camt.${number}`, number, element }
  }
  const named = nameIn(namespace)
  if (named?.slice(0, 8) !== `camt.${number}`)
    return `<${element.name}> in namespace ${quoted(namespace)}, which is not camt.${number}`
  const version = Number(named.slice(-2))
  if (version < 1 || version > 13)
    throw new StatementRefused('unsupported_version', document.line, `${named}: versions 02 to 08 are read`)
  if (version < 2 || version > 8)
    problems.add('version_untested', document.line, `${named} is read like its neighbour among versions 02 to 08`)
  return { format: named, number, element }
}

/** Reads every statement, report or notification of one message. */
export function readCamt(message: CamtMessage, problems: ProblemList): ParsedStatement[] {
  const { element, number } = message
  const header = child(element, 'GrpHdr')
  if (!header) problems.add('group_header_missing', element.line, 'no group header: message id and creation time are unknown')
  const created = textOf(header, 'CreDtTm')
  return children(element, MESSAGES[number].statement).map((statement) => readStatement(statement, number, created, problems))
}

function readStatement(
  element: XmlElement,
  number: MessageNumber,
  messageCreated: string | undefined,
  problems: ProblemList,
): ParsedStatement {
  const account = readAccount(element, problems)
  const balances = readBalances(element, problems)
  const currency = currencyOf(element, balances, problems)
  const booked = balances.filter((balance) => balance.currency === currency)
  const from = periodDate(element, 'Fr', problems)
  const to = periodDate(element, 'To', problems)
  const opening = first(booked, 'OPBD') ?? first(booked, 'PRCD') ?? first(balances, 'OPBD') ?? first(balances, 'PRCD')
  const closing = last(booked, 'CLBD') ?? last(balances, 'CLBD')
  for (const balance of [opening, closing]) {
    if (balance && balance.currency !== currency) {
      problems.add(
        'currency_mismatch',
        balance.line,
        `${balance.type} balance in ${balance.currency} on an account in ${currency}`,
      )
    }
  }
  if (number === '053' && !opening)
    problems.add('opening_balance_missing', element.line, 'neither OPBD nor PRCD: the statement cannot be reconciled')
  if (number === '053' && !closing)
    problems.add('closing_balance_missing', element.line, 'no CLBD: the statement cannot be reconciled')

  const created = isoDateOf(textOf(element, 'CreDtTm') ?? messageCreated)
  const fallbackDate = to ?? closing?.date ?? created ?? null
  const context = { currency, account, number, fallbackDate, problems }
  const entries = children(element, 'Ntry').map((entry) => readEntry(entry, context))
  checkSummary(element, entries, problems)
  return completed(
    {
      account,
      currency,
      identification: textOf(element, 'Id') ?? null,
      sequenceNumber: sequenceNumberOf(element),
      from,
      to,
      balances,
      opening: opening?.amount ?? null,
      closing: closing?.amount ?? null,
      entries,
      line: element.line,
    },
    problems,
  )
}

function sequenceNumberOf(element: XmlElement): string | null {
  const number = textOf(element, 'ElctrncSeqNb') ?? textOf(element, 'LglSeqNb')
  const pagination = ['StmtPgntn', 'RptPgntn', 'NtfctnPgntn']
    .map((name) => textOf(element, `${name}/PgNb`))
    .find((page) => page !== undefined)
  return number === undefined ? null : pagination === undefined ? number : `${number}/${pagination}`
}

function readAccount(statement: XmlElement, problems: ProblemList): StatementAccount {
  const element = child(statement, 'Acct')
  const printed =
    textOf(element, 'Id/IBAN') ??
    textOf(element, 'Id/Othr/Id') ??
    textOf(element, 'Id/PrtryAcct/Id') ??
    textOf(element, 'Id/BBAN') ??
    textOf(element, 'Prxy/Id')
  if (printed === undefined)
    throw new StatementRefused('account_missing', element?.line ?? statement.line, `<${statement.name}> names no account`)
  const iban = ibanShaped(printed)
  if (!iban && child(path(element, 'Id'), 'IBAN'))
    problems.add('iban_invalid', element?.line ?? statement.line, `${quoted(printed)} is not an IBAN`)
  const servicer = path(element, 'Svcr/FinInstnId')
  return {
    id: iban ?? printed,
    iban,
    bankCode: textOf(servicer, 'ClrSysMmbId/MmbId') ?? null,
    bic: bicShaped(textOf(servicer, 'BICFI') ?? textOf(servicer, 'BIC')),
    holder: textOf(element, 'Ownr/Nm') ?? textOf(element, 'Ownr/Pty/Nm') ?? null,
  }
}

function readBalances(statement: XmlElement, problems: ProblemList): StatementBalance[] {
  return children(statement, 'Bal').flatMap((element) => {
    const type = codeOf(path(element, 'Tp/CdOrPrtry')) ?? codeOf(child(element, 'Tp'))
    const amount = amountOf(element, textOf(statement, 'Acct/Ccy'), problems)
    const direction = directionOf(element)
    if (type === undefined || (direction === undefined && /[1-9]/.test(amount.value))) {
      problems.add(
        'balance_ignored',
        element.line,
        type === undefined ? 'a balance without a type' : `the ${type} balance says neither credit nor debit`,
      )
      return []
    }
    const text = textOf(element, 'Dt/Dt') ?? textOf(element, 'Dt/DtTm') ?? textOf(element, 'Dt')
    const date = isoDateOf(text, { line: element.line, what: `${type} balance date`, problems })
    return [
      {
        type,
        amount: direction === 'debit' ? amount.negative : amount.value,
        currency: amount.currency,
        date,
        line: element.line,
      },
    ]
  })
}

/** The account's currency; when the account does not say, that of its booked balances, else of its first entry. */
function currencyOf(statement: XmlElement, balances: readonly StatementBalance[], problems: ProblemList): string {
  const stated = textOf(statement, 'Acct/Ccy')
  if (stated !== undefined && /^[A-Z]{3}$/.test(stated)) return stated
  const balance = first(balances, 'OPBD') ?? first(balances, 'PRCD') ?? last(balances, 'CLBD') ?? balances[0]
  const entry = children(statement, 'Ntry')
    .map((element) => child(element, 'Amt')?.attributes.Ccy)
    .find((currency) => /^[A-Z]{3}$/.test(currency ?? ''))
  const assumed = balance?.currency ?? entry
  if (assumed !== undefined) {
    if (stated !== undefined)
      problems.add(
        'currency_assumed',
        statement.line,
        `account currency ${quoted(stated)} is no currency; ${assumed} taken from the amounts`,
      )
    return assumed
  }
  const [firstEntry] = children(statement, 'Ntry')
  if (firstEntry)
    throw new StatementRefused('currency_missing', firstEntry.line, 'neither the account nor an amount names a currency')
  problems.add('currency_assumed', statement.line, 'a statement without entries, balances and currency; XXX stands for none')
  return 'XXX'
}

/** Of several balances of one type (a period of days), the earliest opens and the latest closes. */
const first = (balances: readonly StatementBalance[], type: string): StatementBalance | undefined =>
  balances
    .filter((balance) => balance.type === type)
    .reduce<StatementBalance | undefined>((a, b) => (a && (a.date ?? '') <= (b.date ?? '') ? a : b), undefined)

const last = (balances: readonly StatementBalance[], type: string): StatementBalance | undefined =>
  balances
    .filter((balance) => balance.type === type)
    .reduce<StatementBalance | undefined>((a, b) => (a && (a.date ?? '') > (b.date ?? '') ? a : b), undefined)

function periodDate(statement: XmlElement, side: 'Fr' | 'To', problems: ProblemList): LocalDate | null {
  const period = child(statement, 'FrToDt')
  const text = textOf(period, `${side}DtTm`) ?? textOf(period, `${side}Dt`)
  return isoDateOf(text, { line: period?.line ?? statement.line, what: 'statement period', problems })
}

function checkSummary(statement: XmlElement, entries: readonly ParsedEntry[], problems: ProblemList): void {
  const summary = child(statement, 'TxsSummry')
  for (const [name, what] of [
    ['TtlNtries', 'entries'],
    ['TtlCdtNtries', 'credits'],
    ['TtlDbtNtries', 'debits'],
  ] as const) {
    const total = child(summary, name)
    if (!total) continue
    const sum = textOf(total, 'Sum')
    const decimal = sum === undefined ? undefined : unsignedDecimal(sum)
    if (sum !== undefined && decimal === undefined)
      problems.add('totals_differ', total.line, `the file announces ${what} of ${quoted(sum)}, which is not an amount`)
    checkTotals({ count: textOf(total, 'NbOfNtries'), sum: decimal, what, line: total.line }, entries, problems)
  }
}
