import { child, children, node, textOf, type XmlElement } from '@partita/notation/xml'
import {
  type Amount,
  accountNode,
  agentNode,
  amountNode,
  optional,
  optionalAgentNode,
  type Party,
  partyNode,
  type Reason,
  type Remittance,
  readAccountIban,
  readAgent,
  readAmount,
  readParty,
  readReasons,
  readRemittance,
  remittanceNode,
  settlementNode,
} from './elements.ts'
import { invalid, required, requiredAmount, requiredText, writeMessage } from './message.ts'
import { type InterbankCreditTransfer, PACS_008 } from './pacs008.ts'
import { type CharacterPractice, NAME_LENGTH_MAX, toSepaText } from './sepa-text.ts'

export const PACS_004 = 'pacs.004.001.09'

/** One return: the money of a settled transfer on its way back. */
export type PaymentReturn = Readonly<{
  returnId?: string | undefined
  originalMessageId?: string | undefined
  originalMessageName?: string | undefined
  originalInstructionId?: string | undefined
  originalEndToEndId?: string | undefined
  originalTransactionId?: string | undefined
  originalUetr?: string | undefined
  originalSettlementAmount?: Amount | undefined
  originalSettlementDate?: string | undefined
  /** What comes back: the original amount, or less by `charges` after a recall. */
  returnedAmount: Amount
  settlementDate?: string | undefined
  charges: readonly Readonly<{ amount: Amount; agent?: string | undefined }>[]
  reasons: readonly Reason[]
  original?: Readonly<{
    debtor?: Party | undefined
    debtorIban?: string | undefined
    debtorAgent?: string | undefined
    creditor?: Party | undefined
    creditorIban?: string | undefined
    creditorAgent?: string | undefined
    remittance?: Remittance | undefined
  }>
}>

/** pacs.004: one or many returns. */
export type PaymentReturns = Readonly<{
  messageName: typeof PACS_004
  messageId: string
  createdAt: string
  settlementDate?: string | undefined
  instructingAgent?: string | undefined
  instructedAgent?: string | undefined
  returns: readonly PaymentReturn[]
}>

/** What it takes to send an incoming transfer back in full. */
export type ReturnOrder = Readonly<{
  messageId: string
  /** Unique for us; the scheme's duplicate key together with our BIC. */
  returnId: string
  createdAt: string
  settlementDate: string
  instructingAgent: string
  instructedAgent?: string | undefined
  clearingSystem?: string | undefined
  /** An external return reason code, such as AC01. */
  reasonCode: string
  originalMessageId: string
  originalSettlementDate: string
  original: InterbankCreditTransfer
}>

/** Writes the pacs.004.001.09 that returns one incoming transfer. @see EPC115-06 DS-03; sepa.md §8.2 */
export function writePaymentReturn(order: ReturnOrder, practice: CharacterPractice = 'epc'): string {
  const { original } = order
  const convert = (text: string) => toSepaText(text, practice)
  const party = (tag: string, value: Party) =>
    node(tag, [partyNode('Pty', { ...value, name: value.name && convert(value.name).slice(0, NAME_LENGTH_MAX).trim() }, convert)])
  return writeMessage(
    PACS_004,
    node('PmtRtr', [
      node('GrpHdr', [
        node('MsgId', order.messageId),
        node('CreDtTm', order.createdAt),
        node('NbOfTxs', '1'),
        amountNode('TtlRtrdIntrBkSttlmAmt', original.settlementAmount),
        node('IntrBkSttlmDt', order.settlementDate),
        settlementNode(order.clearingSystem),
        agentNode('InstgAgt', order.instructingAgent),
        optionalAgentNode('InstdAgt', order.instructedAgent),
      ]),
      node('TxInf', [
        node('RtrId', order.returnId),
        node('OrgnlGrpInf', [node('OrgnlMsgId', order.originalMessageId), node('OrgnlMsgNmId', PACS_008)]),
        optional('OrgnlInstrId', original.instructionId),
        node('OrgnlEndToEndId', original.endToEndId),
        node('OrgnlTxId', original.transactionId),
        optional('OrgnlUETR', original.uetr),
        amountNode('OrgnlIntrBkSttlmAmt', original.settlementAmount),
        node('OrgnlIntrBkSttlmDt', order.originalSettlementDate),
        amountNode('RtrdIntrBkSttlmAmt', original.settlementAmount),
        node('ChrgBr', 'SLEV'),
        node('RtrRsnInf', [
          node('Orgtr', [node('Id', [node('OrgId', [node('AnyBIC', order.instructingAgent)])])]),
          node('Rsn', [node('Cd', order.reasonCode)]),
        ]),
        node('OrgnlTxRef', [
          settlementNode(order.clearingSystem),
          node('PmtTpInf', [node('SvcLvl', [node('Cd', 'SEPA')])]),
          remittanceNode(original.remittance, convert),
          party('Dbtr', original.debtor),
          accountNode('DbtrAcct', original.debtorIban),
          agentNode('DbtrAgt', original.debtorAgent),
          agentNode('CdtrAgt', original.creditorAgent),
          party('Cdtr', original.creditor),
          accountNode('CdtrAcct', original.creditorIban),
        ]),
      ]),
    ]),
  )
}

/** Reads a pacs.004.001.09. @throws for `readMessage` to catch. */
export function readPaymentReturns(root: XmlElement): PaymentReturns {
  const body = required(child(root, 'PmtRtr'), root, 'PmtRtr')
  const header = required(child(body, 'GrpHdr'), body, 'GrpHdr')
  const group = child(body, 'OrgnlGrpInf')
  const found = children(body, 'TxInf')
  if (found.length === 0) invalid(body, 'there is no TxInf')
  return {
    messageName: PACS_004,
    messageId: requiredText(header, 'MsgId'),
    createdAt: requiredText(header, 'CreDtTm'),
    settlementDate: textOf(header, 'IntrBkSttlmDt'),
    instructingAgent: readAgent(child(header, 'InstgAgt')),
    instructedAgent: readAgent(child(header, 'InstdAgt')),
    returns: found.map((tx) => readReturn(tx, group, textOf(header, 'IntrBkSttlmDt'))),
  }
}

function readReturn(tx: XmlElement, group: XmlElement | undefined, settlementDate: string | undefined): PaymentReturn {
  const origin = child(tx, 'OrgnlGrpInf') ?? group
  const reference = child(tx, 'OrgnlTxRef')
  const party = (tag: string) => readParty(child(child(reference, tag), 'Pty'))
  const reasons = readReasons(tx, 'RtrRsnInf')
  return {
    returnId: textOf(tx, 'RtrId'),
    originalMessageId: textOf(origin, 'OrgnlMsgId'),
    originalMessageName: textOf(origin, 'OrgnlMsgNmId'),
    originalInstructionId: textOf(tx, 'OrgnlInstrId'),
    originalEndToEndId: textOf(tx, 'OrgnlEndToEndId'),
    originalTransactionId: textOf(tx, 'OrgnlTxId'),
    originalUetr: textOf(tx, 'OrgnlUETR'),
    originalSettlementAmount: readAmount(child(tx, 'OrgnlIntrBkSttlmAmt')),
    originalSettlementDate: textOf(tx, 'OrgnlIntrBkSttlmDt'),
    returnedAmount: requiredAmount(tx, 'RtrdIntrBkSttlmAmt'),
    settlementDate: textOf(tx, 'IntrBkSttlmDt') ?? settlementDate,
    charges: children(tx, 'ChrgsInf').map((charge) => ({
      amount: requiredAmount(charge, 'Amt'),
      agent: readAgent(child(charge, 'Agt')),
    })),
    reasons: reasons.length > 0 ? reasons : readReasons(group, 'RtrRsnInf'),
    ...(reference && {
      original: {
        debtor: party('Dbtr'),
        debtorIban: readAccountIban(child(reference, 'DbtrAcct')),
        debtorAgent: readAgent(child(reference, 'DbtrAgt')),
        creditor: party('Cdtr'),
        creditorIban: readAccountIban(child(reference, 'CdtrAcct')),
        creditorAgent: readAgent(child(reference, 'CdtrAgt')),
        remittance: readRemittance(child(reference, 'RmtInf')),
      },
    }),
  }
}
