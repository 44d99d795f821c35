import { children, node, textNode, textOf, type XmlElement, type XmlNode } from '@partita/notation/xml'
import { nonEmpty, readAmount, readHeader, required } from './document.ts'
import {
  agent,
  amount,
  CLEARING_BIC,
  ibanAccount,
  namedAgent,
  originator,
  sepaServiceLevel,
  settlement,
  writeDocument,
} from './elements.ts'
import type { CreditTransfer } from './pacs008.ts'

/** pacs.004.001.09 with one return, as written. */
export type ReturnMessage = Readonly<{
  type: 'pacs.004.001.09'
  msgId: string
  createdAt: string
  instructedAgent?: string | undefined
  settlementDate: string
  returnId: string
  originalMsgId: string
  originalSettlementDate: string
  reason: string
  original: CreditTransfer
}>

/** pacs.004.001.09 as the bank sends it. */
export type ReceivedReturns = Readonly<{
  msgId: string
  createdAt: string
  instructingAgent?: string | undefined
  settlementDate?: string | undefined
  returns: readonly Readonly<{
    returnId: string
    originalMsgId?: string | undefined
    originalEndToEndId?: string | undefined
    originalTxId: string
    amount: string
    currency: string
    reason?: string | undefined
  }>[]
}>

export const PACS_004 = 'pacs.004.001.09'

export function readReturns(root: XmlElement): ReceivedReturns {
  const { body, header, identity } = readHeader(root, 'PmtRtr')
  return {
    ...identity,
    createdAt: required(header, 'CreDtTm', 'GrpHdr/CreDtTm'),
    settlementDate: textOf(header, 'IntrBkSttlmDt'),
    returns: nonEmpty(children(body, 'TxInf'), 'TxInf').map((tx) => ({
      returnId: required(tx, 'RtrId'),
      originalMsgId: textOf(tx, 'OrgnlGrpInf/OrgnlMsgId') ?? textOf(body, 'OrgnlGrpInf/OrgnlMsgId'),
      originalEndToEndId: textOf(tx, 'OrgnlEndToEndId'),
      originalTxId: required(tx, 'OrgnlTxId'),
      ...readAmount(tx, 'RtrdIntrBkSttlmAmt'),
      reason: textOf(tx, 'RtrRsnInf/Rsn/Cd') ?? textOf(tx, 'RtrRsnInf/Rsn/Prtry'),
    })),
  }
}

export function writeReturn(message: ReturnMessage): string {
  const header = node('GrpHdr', [
    node('MsgId', message.msgId),
    node('CreDtTm', message.createdAt),
    node('NbOfTxs', '1'),
    amount('TtlRtrdIntrBkSttlmAmt', message.original.amount),
    node('IntrBkSttlmDt', message.settlementDate),
    settlement(),
    agent('InstgAgt', message.original.creditor.bic ?? CLEARING_BIC),
    namedAgent('InstdAgt', message.instructedAgent),
  ])
  return writeDocument(PACS_004, node('PmtRtr', [header, returnedTransaction(message)]))
}

function returnedTransaction(message: ReturnMessage): XmlNode {
  const { original } = message
  return node('TxInf', [
    node('RtrId', message.returnId),
    node('OrgnlGrpInf', [node('OrgnlMsgId', message.originalMsgId), node('OrgnlMsgNmId', 'pacs.008.001.08')]),
    textNode('OrgnlInstrId', original.instructionId),
    node('OrgnlEndToEndId', original.endToEndId),
    node('OrgnlTxId', original.txId),
    textNode('OrgnlUETR', original.uetr),
    amount('OrgnlIntrBkSttlmAmt', original.amount),
    node('OrgnlIntrBkSttlmDt', message.originalSettlementDate),
    amount('RtrdIntrBkSttlmAmt', original.amount),
    node('ChrgBr', 'SLEV'),
    node('RtrRsnInf', [originator(), node('Rsn', [node('Cd', message.reason)])]),
    node('OrgnlTxRef', [
      settlement(),
      node('PmtTpInf', [sepaServiceLevel()]),
      original.remittance === undefined ? undefined : node('RmtInf', [node('Ustrd', original.remittance.slice(0, 140))]),
      node('Dbtr', [node('Pty', [node('Nm', original.debtor.name)])]),
      ibanAccount('DbtrAcct', original.debtor),
      agent('DbtrAgt', original.debtor.bic),
      agent('CdtrAgt', original.creditor.bic),
      node('Cdtr', [node('Pty', [node('Nm', original.creditor.name)])]),
      ibanAccount('CdtrAcct', original.creditor),
    ]),
  ])
}
