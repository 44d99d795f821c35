import { child, children, node, path, textOf, type XmlElement } from '@partita/notation/xml'
import { assert } from '../../platform/assert.ts'
import { add, EUR, formatDecimal, money, parseDecimal } from '../../platform/money.ts'
import {
  type Amount,
  accountNode,
  agentNode,
  amountNode,
  type CodeOrText,
  choiceNode,
  optional,
  optionalAgentNode,
  type Party,
  type PaymentType,
  partyNode,
  type Remittance,
  readAccountIban,
  readAgent,
  readCodeOrText,
  readParty,
  readPaymentType,
  readRemittance,
  remittanceNode,
  settlementNode,
} from './elements.ts'
import { invalid, required, requiredAmount, requiredText, writeMessage } from './message.ts'
import { travellingCode, travellingParty } from './sepa-party.ts'
import { type CharacterPractice, identifierProblem, REMITTANCE_LENGTH_MAX, toSepaText } from './sepa-text.ts'

export const PACS_008 = 'pacs.008.001.08'

/** One SEPA credit transfer between banks. Agents are BICs; undefined where the message names none. */
export type InterbankCreditTransfer = Readonly<{
  instructionId?: string | undefined
  endToEndId: string
  /** Unique for the sending bank for ever: with its BIC the key of the payment. */
  transactionId: string
  uetr?: string | undefined
  settlementAmount: Amount
  paymentType?: PaymentType | undefined
  /** ISO instant; compulsory for instant transfers. */
  acceptedAt?: string | undefined
  debtor: Party
  debtorIban?: string | undefined
  debtorAgent?: string | undefined
  creditor: Party
  creditorIban?: string | undefined
  creditorAgent?: string | undefined
  ultimateDebtor?: Party | undefined
  ultimateCreditor?: Party | undefined
  purpose?: CodeOrText | undefined
  remittance?: Remittance | undefined
}>

/** pacs.008: one or many credit transfers that settle on one day. `createdAt` is an ISO date and time, `settlementDate` YYYY-MM-DD. */
export type InterbankCreditTransfers = Readonly<{
  messageName: typeof PACS_008
  messageId: string
  createdAt: string
  settlementDate: string
  instructingAgent?: string | undefined
  instructedAgent?: string | undefined
  clearingSystem?: string | undefined
  transactions: readonly InterbankCreditTransfer[]
}>

/**
 * Writes a pacs.008.001.08 as the EPC guidelines want it: EUR, CLRG, SEPA, SLEV. Names, addresses and remittance information are
 * converted to SEPA characters on the way out, names cut at 70; identifiers and everything else go unchanged.
 *
 * @throws Bug when an identifier, an amount or the remittance information could not travel: acceptance has to refuse those.
 * @see EPC115-06 SCT inter-PSP implementation guidelines, DS-02; sepa.md §10
 */
export function writeCreditTransfers(
  message: Omit<InterbankCreditTransfers, 'messageName'>,
  practice: CharacterPractice = 'epc',
): string {
  const total = message.transactions.reduce(
    (sum, { settlementAmount }) => {
      const amount = settlementAmount.currency === EUR ? parseDecimal(EUR, settlementAmount.value) : undefined
      assert(amount && amount.minor > 0n, 'a credit transfer is an amount in EUR above zero')
      return add(sum, amount)
    },
    money(EUR, 0n),
  )
  assertIdentifier(message.messageId)
  return writeMessage(
    PACS_008,
    node('FIToFICstmrCdtTrf', [
      node('GrpHdr', [
        node('MsgId', message.messageId),
        node('CreDtTm', message.createdAt),
        node('NbOfTxs', String(message.transactions.length)),
        node('TtlIntrBkSttlmAmt', formatDecimal(total), { Ccy: EUR }),
        node('IntrBkSttlmDt', message.settlementDate),
        settlementNode(message.clearingSystem),
        optionalAgentNode('InstgAgt', message.instructingAgent),
        optionalAgentNode('InstdAgt', message.instructedAgent),
      ]),
      ...message.transactions.map((transaction) => transactionNode(transaction, practice)),
    ]),
  )
}

function transactionNode(tx: InterbankCreditTransfer, practice: CharacterPractice) {
  const convert = (text: string) => toSepaText(text, practice)
  const party = (tag: string, value: Party | undefined, role: 'direct' | 'ultimate' = 'direct') =>
    partyNode(tag, travellingParty(value, role, convert), convert)
  for (const id of [tx.endToEndId, tx.transactionId]) assertIdentifier(id)
  assert(
    !tx.remittance?.unstructured.some((text) => convert(text).length > REMITTANCE_LENGTH_MAX),
    'remittance information is too long',
  )
  return node('CdtTrfTxInf', [
    node('PmtId', [
      optional('InstrId', travellingInstructionId(tx.instructionId)),
      node('EndToEndId', tx.endToEndId),
      node('TxId', tx.transactionId),
      optional('UETR', tx.uetr),
    ]),
    node('PmtTpInf', [
      node('SvcLvl', [node('Cd', 'SEPA')]),
      choiceNode('LclInstrm', tx.paymentType?.localInstrument),
      choiceNode('CtgyPurp', travellingCode(tx.paymentType?.categoryPurpose, convert)),
    ]),
    amountNode('IntrBkSttlmAmt', tx.settlementAmount),
    optional('AccptncDtTm', tx.acceptedAt),
    node('ChrgBr', 'SLEV'),
    party('UltmtDbtr', tx.ultimateDebtor, 'ultimate'),
    party('Dbtr', tx.debtor),
    accountNode('DbtrAcct', tx.debtorIban),
    agentNode('DbtrAgt', tx.debtorAgent),
    agentNode('CdtrAgt', tx.creditorAgent),
    party('Cdtr', tx.creditor),
    accountNode('CdtrAcct', tx.creditorIban),
    party('UltmtCdtr', tx.ultimateCreditor, 'ultimate'),
    choiceNode('Purp', tx.purpose),
    remittanceNode(tx.remittance, convert),
  ])
}

/** InstrId is a word between the customer and us (sepa.md §1.5): what cannot travel stays here, and nobody misses it. */
export const travellingInstructionId = (id: string | undefined): string | undefined =>
  id === undefined || identifierProblem(id) !== undefined ? undefined : id

function assertIdentifier(id: string): void {
  const problem = identifierProblem(id)
  assert(problem === undefined, `identifier "${id}": ${problem}`)
}

/** Reads a pacs.008.001.08. @throws for `readMessage` to catch. */
export function readCreditTransfers(root: XmlElement): InterbankCreditTransfers {
  const body = required(child(root, 'FIToFICstmrCdtTrf'), root, 'FIToFICstmrCdtTrf')
  const header = required(child(body, 'GrpHdr'), body, 'GrpHdr')
  const found = children(body, 'CdtTrfTxInf')
  if (found.length === 0) invalid(body, 'there is no CdtTrfTxInf')
  const settlementDate = textOf(header, 'IntrBkSttlmDt') ?? requiredText(found[0], 'IntrBkSttlmDt')
  if (!/^\d{4}-\d{2}-\d{2}$/.test(settlementDate)) invalid(header, 'IntrBkSttlmDt is not a date')
  if (found.some((tx) => (textOf(tx, 'IntrBkSttlmDt') ?? settlementDate) !== settlementDate))
    invalid(body, 'more than one IntrBkSttlmDt')
  return {
    messageName: PACS_008,
    messageId: requiredText(header, 'MsgId'),
    createdAt: requiredText(header, 'CreDtTm'),
    settlementDate,
    instructingAgent: readAgent(child(header, 'InstgAgt')) ?? readAgent(child(found[0], 'InstgAgt')),
    instructedAgent: readAgent(child(header, 'InstdAgt')) ?? readAgent(child(found[0], 'InstdAgt')),
    clearingSystem: textOf(header, 'SttlmInf/ClrSys/Prtry') ?? textOf(header, 'SttlmInf/ClrSys/Cd'),
    transactions: found.map((tx) => readTransaction(tx, readPaymentType(child(header, 'PmtTpInf')))),
  }
}

function readTransaction(tx: XmlElement, paymentType: PaymentType | undefined): InterbankCreditTransfer {
  return {
    instructionId: textOf(tx, 'PmtId/InstrId'),
    endToEndId: requiredText(tx, 'PmtId/EndToEndId'),
    transactionId: requiredText(tx, 'PmtId/TxId'),
    uetr: textOf(tx, 'PmtId/UETR'),
    settlementAmount: requiredAmount(tx, 'IntrBkSttlmAmt'),
    paymentType: readPaymentType(child(tx, 'PmtTpInf')) ?? paymentType,
    acceptedAt: textOf(tx, 'AccptncDtTm'),
    debtor: readParty(child(tx, 'Dbtr')) ?? {},
    debtorIban: readAccountIban(child(tx, 'DbtrAcct')),
    debtorAgent: readAgent(child(tx, 'DbtrAgt')),
    creditor: readParty(child(tx, 'Cdtr')) ?? {},
    creditorIban: readAccountIban(child(tx, 'CdtrAcct')),
    creditorAgent: readAgent(child(tx, 'CdtrAgt')),
    ultimateDebtor: readParty(child(tx, 'UltmtDbtr')),
    ultimateCreditor: readParty(child(tx, 'UltmtCdtr')),
    purpose: readCodeOrText(path(tx, 'Purp')),
    remittance: readRemittance(child(tx, 'RmtInf')),
  }
}
