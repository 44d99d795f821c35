import { child, children, path, readXml, textOf, type XmlElement } from '@partita/notation/xml'
import type { Result } from '../../platform/result.ts'
import { ok, refuse } from '../../platform/result.ts'
import {
  type Amount,
  type CodeOrText,
  type Party,
  type PaymentType,
  type Remittance,
  readAccountIban,
  readAgent,
  readAmount,
  readCodeOrText,
  readParty,
  readPaymentType,
  readRemittance,
} from './elements.ts'
import { PAIN_001_03_SCHEMA } from './pain001-schema-03.ts'
import { PAIN_001_09_SCHEMA } from './pain001-schema-09.ts'
import { compileSchema, type Schema, schemaProblem } from './schema.ts'

export type Pain001Name = 'pain.001.001.03' | 'pain.001.001.09'

/** An order of a customer to pay, as written; nothing in it has been judged yet. Lines are those of the file. */
export type PaymentInitiation = Readonly<{
  messageName: Pain001Name
  line: number
  messageId: string
  createdAt: string
  /** As stated, not as counted. */
  numberOfTransactions: string
  controlSum?: string | undefined
  initiatingParty: Party
  paymentInformations: readonly PaymentInformation[]
}>

/** One batch: transactions from one account on one day. */
export type PaymentInformation = Readonly<{
  line: number
  id: string
  paymentMethod: string
  batchBooking?: boolean | undefined
  numberOfTransactions?: string | undefined
  controlSum?: string | undefined
  paymentType?: PaymentType | undefined
  /** YYYY-MM-DD, or whatever stands there instead. */
  requestedExecutionDate: string
  debtor: Party
  /** Undefined when the account is not identified by IBAN. */
  debtorIban?: string | undefined
  debtorAccountCurrency?: string | undefined
  debtorAgent?: string | undefined
  ultimateDebtor?: Party | undefined
  chargeBearer?: string | undefined
  transactions: readonly InitiatedTransaction[]
}>

export type InitiatedTransaction = Readonly<{
  line: number
  instructionId?: string | undefined
  endToEndId: string
  uetr?: string | undefined
  paymentType?: PaymentType | undefined
  /** InstdAmt; undefined when an equivalent amount is asked for instead. */
  amount?: Amount | undefined
  equivalentAmount?: Amount | undefined
  chargeBearer?: string | undefined
  ultimateDebtor?: Party | undefined
  creditorAgent?: string | undefined
  creditor?: Party | undefined
  /** Undefined when the account is missing or not identified by IBAN. */
  creditorIban?: string | undefined
  ultimateCreditor?: Party | undefined
  purpose?: CodeOrText | undefined
  remittance?: Remittance | undefined
  /** Elements that a SEPA credit transfer has no room for, by tag. */
  notForSepa: readonly string[]
}>

/** Why a file is not read at all, with what could still be found out about it for the answer. */
export type UnreadableInitiation = Readonly<{
  code: 'FF01'
  line: number
  message: string
  /** ISO name or that of a national variant, as far as it can be told. */
  messageName?: string | undefined
  messageId?: string | undefined
  /** As stated. */
  numberOfTransactions?: string | undefined
  controlSum?: string | undefined
}>

const SCHEMAS: ReadonlyMap<string, { name: Pain001Name; schema: () => Schema }> = new Map([
  [
    'urn:iso:std:iso:20022:tech:xsd:pain.001.001.03',
    { name: 'pain.001.001.03', schema: once(() => compileSchema(PAIN_001_03_SCHEMA)) },
  ],
  [
    'urn:iso:std:iso:20022:tech:xsd:pain.001.001.09',
    { name: 'pain.001.001.09', schema: once(() => compileSchema(PAIN_001_09_SCHEMA)) },
  ],
])

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/**
 * Reads a pain.001.001.03 or .09 that is valid by its schema. Wrong values of amounts, accounts, agents, currencies, charge bearers,
 * counts and execution dates are read as they are: the rules refuse them where they stand and leave the rest of the file alone.
 *
 * @returns the initiation, or why the whole file is refused (FF01). Never throws on any input.
 */
export function readPaymentInitiation(bytes: Uint8Array): Result<PaymentInitiation, UnreadableInitiation> {
  const read = readXml(bytes)
  if (!read.ok) return refuse({ code: 'FF01', line: read.problem.line, message: read.problem.message })
  const { root } = read
  const version = root.name === 'Document' ? SCHEMAS.get(root.namespace) : undefined
  const [body] = root.children
  const stated = {
    messageId: shortText(body, 'GrpHdr/MsgId'),
    numberOfTransactions: textOf(body, 'GrpHdr/NbOfTxs'),
    controlSum: textOf(body, 'GrpHdr/CtrlSum'),
  }
  if (!version) return refuse({ code: 'FF01', line: root.line, ...stated, ...describeVariant(root) })
  const problem = schemaProblem(version.schema(), root, isJudgedByRules)
  if (problem) return refuse({ code: 'FF01', line: problem.line, message: problem.message, messageName: version.name, ...stated })
  return ok(readInitiation(body as XmlElement, version.name))
}

const JUDGED_BY_RULES = new Set([
  'IBAN2007Identifier',
  'BICIdentifier',
  'BICFIDec2014Identifier',
  'ActiveOrHistoricCurrencyAndAmount_SimpleType',
  'ActiveOrHistoricCurrencyCode',
  'ChargeBearerType1Code',
  'Max15NumericText',
  'DecimalNumber',
])

const isJudgedByRules = (type: string, tag: string): boolean =>
  JUDGED_BY_RULES.has(type) ||
  (type === 'ISODate' && (tag === 'ReqdExctnDt' || tag === 'Dt')) ||
  (type === 'ISODateTime' && tag === 'DtTm')

/** Text that fits an identifier of the answer. */
function shortText(element: XmlElement | undefined, names: string): string | undefined {
  const text = textOf(element, names)
  return text !== undefined && text.length <= 35 ? text : undefined
}

/** Names what was sent instead: banks get the neighbours' formats every day, and "not supported" alone helps nobody. */
function describeVariant(root: XmlElement): { messageName?: string; message: string } {
  const wanted = 'send pain.001.001.03 or pain.001.001.09'
  const name = /\b((?:pain|pacs|camt|acmt)\.\d{3}\.\d{3}\.\d{2}(?:\.[a-z]{2}\.\d{2})?)/.exec(root.namespace)?.[1]
  const shown = root.namespace.slice(0, 80)
  if (name === undefined) {
    const message = /^urn:CBI:/.test(root.namespace)
      ? `Italian CBI format "${shown}" is not supported; ${wanted}`
      : `<${root.name.slice(0, 40)}> in ${shown === '' ? 'no namespace' : `namespace "${shown}"`} is no payment initiation; ${wanted}`
    return { message }
  }
  if (/\.ch\.\d{2}$/.test(name)) return { messageName: name, message: `Swiss variant ${name} is not supported; ${wanted}` }
  if (/^pain\.001\.00[23]\./.test(name))
    return { messageName: name, message: `German variant ${name} is not supported; ${wanted}` }
  if (/^pain\.001\./.test(name)) return { messageName: name, message: `Version ${name} is not supported; ${wanted}` }
  return { messageName: name, message: `${name} is no credit transfer initiation; ${wanted}` }
}

function readInitiation(body: XmlElement, messageName: Pain001Name): PaymentInitiation {
  const header = child(body, 'GrpHdr')
  return {
    messageName,
    line: header?.line ?? body.line,
    messageId: textOf(header, 'MsgId') ?? '',
    createdAt: textOf(header, 'CreDtTm') ?? '',
    numberOfTransactions: textOf(header, 'NbOfTxs') ?? '',
    controlSum: textOf(header, 'CtrlSum'),
    initiatingParty: readParty(child(header, 'InitgPty')) ?? {},
    paymentInformations: children(body, 'PmtInf').map(readPaymentInformation),
  }
}

function readPaymentInformation(block: XmlElement): PaymentInformation {
  const batchBooking = textOf(block, 'BtchBookg')
  const date = child(block, 'ReqdExctnDt')
  const requested = textOf(date, 'Dt') ?? textOf(date, 'DtTm') ?? textOf(date) ?? ''
  return {
    line: block.line,
    id: textOf(block, 'PmtInfId') ?? '',
    paymentMethod: textOf(block, 'PmtMtd') ?? '',
    batchBooking: batchBooking === undefined ? undefined : batchBooking === 'true' || batchBooking === '1',
    numberOfTransactions: textOf(block, 'NbOfTxs'),
    controlSum: textOf(block, 'CtrlSum'),
    paymentType: readPaymentType(child(block, 'PmtTpInf')),
    // A date may carry a zone and a time; the day that is written is the day that is meant.
    requestedExecutionDate: /^\d{4}-\d{2}-\d{2}(?=$|T|Z|[+-]\d{2}:)/.exec(requested)?.[0] ?? requested,
    debtor: readParty(child(block, 'Dbtr')) ?? {},
    debtorIban: readAccountIban(child(block, 'DbtrAcct')),
    debtorAccountCurrency: textOf(block, 'DbtrAcct/Ccy'),
    debtorAgent: readAgent(child(block, 'DbtrAgt')),
    ultimateDebtor: readParty(child(block, 'UltmtDbtr')),
    chargeBearer: textOf(block, 'ChrgBr'),
    transactions: children(block, 'CdtTrfTxInf').map(readTransaction),
  }
}

const NOT_FOR_SEPA = ['XchgRateInf', 'ChqInstr', 'IntrmyAgt1', 'IntrmyAgt2', 'IntrmyAgt3']

function readTransaction(tx: XmlElement): InitiatedTransaction {
  return {
    line: tx.line,
    instructionId: textOf(tx, 'PmtId/InstrId'),
    endToEndId: textOf(tx, 'PmtId/EndToEndId') ?? '',
    uetr: textOf(tx, 'PmtId/UETR'),
    paymentType: readPaymentType(child(tx, 'PmtTpInf')),
    amount: writtenAmount(path(tx, 'Amt/InstdAmt')),
    equivalentAmount: writtenAmount(path(tx, 'Amt/EqvtAmt/Amt')),
    chargeBearer: textOf(tx, 'ChrgBr'),
    ultimateDebtor: readParty(child(tx, 'UltmtDbtr')),
    creditorAgent: readAgent(child(tx, 'CdtrAgt')),
    creditor: readParty(child(tx, 'Cdtr')),
    creditorIban: readAccountIban(child(tx, 'CdtrAcct')),
    ultimateCreditor: readParty(child(tx, 'UltmtCdtr')),
    purpose: readCodeOrText(child(tx, 'Purp')),
    remittance: readRemittance(child(tx, 'RmtInf')),
    notForSepa: NOT_FOR_SEPA.filter((tag) => child(tx, tag) !== undefined),
  }
}

/** An amount that is there but empty is an amount all the same, and a wrong one. */
const writtenAmount = (element: XmlElement | undefined): Amount | undefined =>
  element && (readAmount(element) ?? { value: '', currency: element.attributes.Ccy ?? '' })
