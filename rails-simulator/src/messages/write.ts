import { formatCents, parseCents } from '../amounts.ts'
import { node, textNode, writeXml, type XmlNode } from '../xml.ts'
import type { CreditTransferMessage, OutgoingMessage, Party, ReturnMessage, StatusReport } from './types.ts'

/** The clearing system's own BIC. */
export const CLEARING_BIC = 'SIMCBEBBXXX'

/** Writes a message as it goes over the wire; valid by the ISO schema unless it is meant to be garbage. */
export function writeMessage(message: OutgoingMessage): string {
  switch (message.type) {
    case 'pacs.002.001.10':
      return document(message.type, statusReport(message))
    case 'pacs.004.001.09':
      return document(message.type, paymentReturn(message))
    case 'pacs.008.001.08':
      return document(message.type, creditTransfers(message))
    case 'unreadable':
      return message.text
  }
}

const document = (name: string, body: XmlNode): string =>
  writeXml(node('Document', [body], { xmlns: `urn:iso:std:iso:20022:tech:xsd:${name}` }))

function statusReport(report: StatusReport): XmlNode {
  return node('FIToFIPmtStsRpt', [
    node('GrpHdr', [
      node('MsgId', report.msgId),
      node('CreDtTm', report.createdAt),
      agent('InstgAgt', CLEARING_BIC),
      report.instructedAgent === undefined ? undefined : agent('InstdAgt', report.instructedAgent),
    ]),
    node('OrgnlGrpInfAndSts', [
      node('OrgnlMsgId', report.originalMsgId),
      node('OrgnlMsgNmId', report.originalMessageName),
      textNode('GrpSts', report.group?.status),
      reasonNode(report.group?.reason, report.group?.information),
    ]),
    ...report.transactions.map((tx) =>
      node('TxInfAndSts', [
        node('StsId', tx.statusId),
        textNode('OrgnlInstrId', tx.instructionId),
        textNode('OrgnlEndToEndId', tx.endToEndId),
        textNode('OrgnlTxId', tx.txId),
        textNode('OrgnlUETR', tx.uetr),
        node('TxSts', tx.status),
        reasonNode(tx.reason, tx.information),
        tx.effectiveSettlementDate === undefined
          ? undefined
          : node('FctvIntrBkSttlmDt', [node('Dt', tx.effectiveSettlementDate)]),
      ]),
    ),
  ])
}

const reasonNode = (reason: string | undefined, information: string | undefined): XmlNode | undefined =>
  reason === undefined
    ? undefined
    : node('StsRsnInf', [originator(), node('Rsn', [node('Cd', reason)]), textNode('AddtlInf', information?.slice(0, 105))])

const originator = (): XmlNode => node('Orgtr', [node('Id', [node('OrgId', [node('AnyBIC', CLEARING_BIC)])])])

function paymentReturn(message: ReturnMessage): XmlNode {
  const { original } = message
  return node('PmtRtr', [
    node('GrpHdr', [
      node('MsgId', message.msgId),
      node('CreDtTm', message.createdAt),
      node('NbOfTxs', '1'),
      amount('TtlRtrdIntrBkSttlmAmt', original.amount),
      node('IntrBkSttlmDt', message.settlementDate),
      settlement(),
      agent('InstgAgt', original.creditor.bic ?? CLEARING_BIC),
      message.instructedAgent === undefined ? undefined : agent('InstdAgt', message.instructedAgent),
    ]),
    node('TxInf', [
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
    ]),
  ])
}

function creditTransfers(message: CreditTransferMessage): XmlNode {
  const total = message.transactions.reduce((sum, tx) => sum + (parseCents(tx.amount) ?? 0n), 0n)
  return node('FIToFICstmrCdtTrf', [
    node('GrpHdr', [
      node('MsgId', message.msgId),
      node('CreDtTm', message.createdAt),
      node('NbOfTxs', String(message.transactions.length)),
      amount('TtlIntrBkSttlmAmt', formatCents(total)),
      node('IntrBkSttlmDt', message.settlementDate),
      settlement(),
      message.instructingAgent === undefined ? undefined : agent('InstgAgt', message.instructingAgent),
      message.instructedAgent === undefined ? undefined : agent('InstdAgt', message.instructedAgent),
    ]),
    ...message.transactions.map((tx) =>
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
      ]),
    ),
  ])
}

const amount = (name: string, decimal: string): XmlNode => node(name, decimal, { Ccy: 'EUR' })

const sepaServiceLevel = (): XmlNode => node('SvcLvl', [node('Cd', 'SEPA')])

const settlement = (): XmlNode => node('SttlmInf', [node('SttlmMtd', 'CLRG'), node('ClrSys', [node('Prtry', 'SIM')])])

const ibanAccount = (name: string, party: Party): XmlNode => node(name, [node('Id', [node('IBAN', party.iban)])])

/** An unknown bank is written as the EPC guidelines do it: an identification that says so. */
const agent = (name: string, bic: string | undefined): XmlNode =>
  node(name, [node('FinInstnId', [bic === undefined ? node('Othr', [node('Id', 'NOTPROVIDED')]) : node('BICFI', bic)])])
