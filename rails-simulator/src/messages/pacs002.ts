import { node, textNode, type XmlNode } from '@partita/notation/xml'
import { agent, CLEARING_BIC, namedAgent, originator, writeDocument } from './elements.ts'

/** One line of a pacs.002. */
export type TransactionStatus = Readonly<{
  statusId: string
  instructionId?: string | undefined
  endToEndId?: string | undefined
  txId?: string | undefined
  uetr?: string | undefined
  status: 'ACSP' | 'ACSC' | 'RJCT'
  reason?: string | undefined
  information?: string | undefined
  /** ACSC only: the date that counts. */
  effectiveSettlementDate?: string | undefined
}>

/** pacs.002.001.10. Either a group status alone or one line per transaction. */
export type StatusReport = Readonly<{
  type: 'pacs.002.001.10'
  msgId: string
  createdAt: string
  instructedAgent?: string | undefined
  originalMsgId: string
  originalMessageName: string
  group?:
    | Readonly<{ status: 'ACSP' | 'ACSC' | 'RJCT'; reason?: string | undefined; information?: string | undefined }>
    | undefined
  transactions: readonly TransactionStatus[]
}>

export const PACS_002 = 'pacs.002.001.10'

export function writeStatusReport(report: StatusReport): string {
  const header = node('GrpHdr', [
    node('MsgId', report.msgId),
    node('CreDtTm', report.createdAt),
    agent('InstgAgt', CLEARING_BIC),
    namedAgent('InstdAgt', report.instructedAgent),
  ])
  const group = node('OrgnlGrpInfAndSts', [
    node('OrgnlMsgId', report.originalMsgId),
    node('OrgnlMsgNmId', report.originalMessageName),
    textNode('GrpSts', report.group?.status),
    reasonNode(report.group?.reason, report.group?.information),
  ])
  return writeDocument(PACS_002, node('FIToFIPmtStsRpt', [header, group, ...report.transactions.map(transactionLine)]))
}

const transactionLine = (tx: TransactionStatus): XmlNode =>
  node('TxInfAndSts', [
    node('StsId', tx.statusId),
    textNode('OrgnlInstrId', tx.instructionId),
    textNode('OrgnlEndToEndId', tx.endToEndId),
    textNode('OrgnlTxId', tx.txId),
    textNode('OrgnlUETR', tx.uetr),
    node('TxSts', tx.status),
    reasonNode(tx.reason, tx.information),
    tx.effectiveSettlementDate === undefined ? undefined : node('FctvIntrBkSttlmDt', [node('Dt', tx.effectiveSettlementDate)]),
  ])

const reasonNode = (reason: string | undefined, information: string | undefined): XmlNode | undefined =>
  reason === undefined
    ? undefined
    : node('StsRsnInf', [originator(), node('Rsn', [node('Cd', reason)]), textNode('AddtlInf', information?.slice(0, 105))])
