import { children, node, textNode, textOf, type XmlElement, type XmlNode } from '@partita/notation/xml'
import { formatCents, parseCents } from '../core/cents.ts'
import { nonEmpty, readAmount, readHeader, required } from './document.ts'
import { agent, amount, ibanAccount, namedAgent, type Party, sepaServiceLevel, settlement, writeDocument } from './elements.ts'

/** One credit transfer as the clearing system remembers it. Amounts are decimals in EUR, dates `YYYY-MM-DD`. */
export type CreditTransfer = Readonly<{
  instructionId?: string | undefined
  endToEndId: string
  txId: string
  uetr?: string | undefined
  amount: string
  currency: string
  debtor: Party
  creditor: Party
  remittance?: string | undefined
}>

/** pacs.008.001.08, as read or as written. */
export type CreditTransferMessage = Readonly<{
  type: 'pacs.008.001.08'
  msgId: string
  createdAt: string
  instructingAgent?: string | undefined
  instructedAgent?: string | undefined
  settlementDate: string
  transactions: readonly CreditTransfer[]
}>

export const PACS_008 = 'pacs.008.001.08'

export function readCreditTransfers(root: XmlElement): CreditTransferMessage {
  const { body, header, identity } = readHeader(root, 'FIToFICstmrCdtTrf')
  const transactions = children(body, 'CdtTrfTxInf')
  return {
    type: PACS_008,
    msgId: identity.msgId,
    createdAt: required(header, 'CreDtTm', 'GrpHdr/CreDtTm'),
    instructingAgent: identity.instructingAgent ?? textOf(transactions[0], 'InstgAgt/FinInstnId/BICFI'),
    settlementDate: textOf(header, 'IntrBkSttlmDt') ?? required(transactions[0], 'IntrBkSttlmDt'),
    transactions: nonEmpty(transactions, 'CdtTrfTxInf').map(readCreditTransfer),
  }
}

const readCreditTransfer = (tx: XmlElement): CreditTransfer => ({
  instructionId: textOf(tx, 'PmtId/InstrId'),
  endToEndId: required(tx, 'PmtId/EndToEndId', 'EndToEndId'),
  txId: required(tx, 'PmtId/TxId', 'TxId'),
  uetr: textOf(tx, 'PmtId/UETR'),
  ...readAmount(tx, 'IntrBkSttlmAmt'),
  debtor: readParty(tx, 'Dbtr'),
  creditor: readParty(tx, 'Cdtr'),
  remittance: textOf(tx, 'RmtInf/Ustrd') ?? textOf(tx, 'RmtInf/Strd/CdtrRefInf/Ref'),
})

const readParty = (tx: XmlElement, role: 'Dbtr' | 'Cdtr'): Party => ({
  name: required(tx, `${role}/Nm`),
  iban: required(tx, `${role}Acct/Id/IBAN`),
  bic: textOf(tx, `${role}Agt/FinInstnId/BICFI`),
})

export function writeCreditTransfers(message: CreditTransferMessage): string {
  const total = message.transactions.reduce((sum, tx) => sum + (parseCents(tx.amount) ?? 0n), 0n)
  const header = node('GrpHdr', [
    node('MsgId', message.msgId),
    node('CreDtTm', message.createdAt),
    node('NbOfTxs', String(message.transactions.length)),
    amount('TtlIntrBkSttlmAmt', formatCents(total)),
    node('IntrBkSttlmDt', message.settlementDate),
    settlement(),
    namedAgent('InstgAgt', message.instructingAgent),
    namedAgent('InstdAgt', message.instructedAgent),
  ])
  return writeDocument(PACS_008, node('FIToFICstmrCdtTrf', [header, ...message.transactions.map(creditTransfer)]))
}

const creditTransfer = (tx: CreditTransfer): XmlNode =>
  node('CdtTrfTxInf', [
    node('PmtId', [
      textNode('InstrId', tx.instructionId),
      node('EndToEndId', tx.endToEndId),
      node('TxId', tx.txId),
      textNode('UETR', tx.uetr),
    ]),
    node('PmtTpInf', [sepaServiceLevel()]),
    amount('IntrBkSttlmAmt', tx.amount),
    node('ChrgBr', 'SLEV'),
    node('Dbtr', [node('Nm', tx.debtor.name)]),
    ibanAccount('DbtrAcct', tx.debtor),
    agent('DbtrAgt', tx.debtor.bic),
    agent('CdtrAgt', tx.creditor.bic),
    node('Cdtr', [node('Nm', tx.creditor.name)]),
    ibanAccount('CdtrAcct', tx.creditor),
    tx.remittance === undefined ? undefined : node('RmtInf', [node('Ustrd', tx.remittance)]),
  ])
