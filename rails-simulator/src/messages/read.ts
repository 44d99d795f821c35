import { children, find, readXml, textAt, type XmlElement, XmlError } from '../xml.ts'
import type { CreditTransfer, CreditTransferMessage, Party, ReceivedMessage, ReceivedReturns, StatusRequest } from './types.ts'

/** Why a message is not taken at all (HTTP 400): it has no business identity that an ISO answer could refer to. */
export type ReadRefusal = Readonly<{
  code: 'malformed_xml' | 'message_not_supported' | 'message_incomplete'
  message: string
  line?: number
}>

type ReadResult = Readonly<{ ok: true; value: ReceivedMessage }> | Readonly<{ ok: false; refusal: ReadRefusal }>

class Incomplete extends Error {}

/** Reads what a bank sends: pacs.008.001.08, pacs.004.001.09 or pacs.028.001.03, told apart by namespace. Never throws on input. */
export function readMessage(xml: string): ReadResult {
  try {
    const root = readXml(xml)
    const name = /^urn:iso:std:iso:20022:tech:xsd:(.+)$/.exec(root.namespace)?.[1]
    const reader = root.name === 'Document' && name !== undefined ? READERS.get(name) : undefined
    if (!reader) {
      const message = `${root.name} in namespace "${root.namespace}" is not a message of this clearing system`
      return { ok: false, refusal: { code: 'message_not_supported', message } }
    }
    return { ok: true, value: reader(root) }
  } catch (error) {
    if (error instanceof XmlError)
      return { ok: false, refusal: { code: 'malformed_xml', message: error.message, line: error.line } }
    if (error instanceof Incomplete) return { ok: false, refusal: { code: 'message_incomplete', message: error.message } }
    throw error
  }
}

const READERS: ReadonlyMap<string, (root: XmlElement) => ReceivedMessage> = new Map<
  string,
  (root: XmlElement) => ReceivedMessage
>([
  ['pacs.008.001.08', readCreditTransfers],
  ['pacs.004.001.09', readReturns],
  ['pacs.028.001.03', readStatusRequest],
])

function readCreditTransfers(root: XmlElement): CreditTransferMessage {
  const body = find(root, 'FIToFICstmrCdtTrf')
  const header = find(body, 'GrpHdr')
  const transactions = children(body, 'CdtTrfTxInf')
  const headerDate = textAt(header, 'IntrBkSttlmDt')
  return {
    type: 'pacs.008.001.08',
    msgId: required(header, 'MsgId', 'GrpHdr/MsgId'),
    createdAt: required(header, 'CreDtTm', 'GrpHdr/CreDtTm'),
    instructingAgent: textAt(header, 'InstgAgt/FinInstnId/BICFI') ?? textAt(transactions[0], 'InstgAgt/FinInstnId/BICFI'),
    settlementDate: headerDate ?? required(transactions[0], 'IntrBkSttlmDt', 'IntrBkSttlmDt'),
    transactions: nonEmpty(transactions, 'CdtTrfTxInf').map(readCreditTransfer),
  }
}

function readCreditTransfer(tx: XmlElement): CreditTransfer {
  return {
    instructionId: textAt(tx, 'PmtId/InstrId'),
    endToEndId: required(tx, 'PmtId/EndToEndId', 'EndToEndId'),
    txId: required(tx, 'PmtId/TxId', 'TxId'),
    uetr: textAt(tx, 'PmtId/UETR'),
    amount: required(tx, 'IntrBkSttlmAmt', 'IntrBkSttlmAmt'),
    currency: find(tx, 'IntrBkSttlmAmt')?.attributes.Ccy ?? '',
    debtor: readParty(tx, 'Dbtr'),
    creditor: readParty(tx, 'Cdtr'),
    remittance: textAt(tx, 'RmtInf/Ustrd') ?? textAt(tx, 'RmtInf/Strd/CdtrRefInf/Ref'),
  }
}

function readParty(tx: XmlElement, role: 'Dbtr' | 'Cdtr'): Party {
  return {
    name: required(tx, `${role}/Nm`, `${role}/Nm`),
    iban: required(tx, `${role}Acct/Id/IBAN`, `${role}Acct/Id/IBAN`),
    bic: textAt(tx, `${role}Agt/FinInstnId/BICFI`),
  }
}

function readReturns(root: XmlElement): ReceivedReturns {
  const body = find(root, 'PmtRtr')
  const header = find(body, 'GrpHdr')
  return {
    type: 'pacs.004.001.09',
    msgId: required(header, 'MsgId', 'GrpHdr/MsgId'),
    createdAt: required(header, 'CreDtTm', 'GrpHdr/CreDtTm'),
    instructingAgent: textAt(header, 'InstgAgt/FinInstnId/BICFI'),
    settlementDate: textAt(header, 'IntrBkSttlmDt'),
    returns: nonEmpty(children(body, 'TxInf'), 'TxInf').map((tx) => ({
      returnId: required(tx, 'RtrId', 'RtrId'),
      originalMsgId: textAt(tx, 'OrgnlGrpInf/OrgnlMsgId') ?? textAt(body, 'OrgnlGrpInf/OrgnlMsgId'),
      originalEndToEndId: textAt(tx, 'OrgnlEndToEndId'),
      originalTxId: required(tx, 'OrgnlTxId', 'OrgnlTxId'),
      amount: required(tx, 'RtrdIntrBkSttlmAmt', 'RtrdIntrBkSttlmAmt'),
      currency: find(tx, 'RtrdIntrBkSttlmAmt')?.attributes.Ccy ?? '',
      reason: textAt(tx, 'RtrRsnInf/Rsn/Cd') ?? textAt(tx, 'RtrRsnInf/Rsn/Prtry'),
    })),
  }
}

function readStatusRequest(root: XmlElement): StatusRequest {
  const body = find(root, 'FIToFIPmtStsReq')
  const header = find(body, 'GrpHdr')
  return {
    type: 'pacs.028.001.03',
    msgId: required(header, 'MsgId', 'GrpHdr/MsgId'),
    instructingAgent: textAt(header, 'InstgAgt/FinInstnId/BICFI'),
    requests: nonEmpty(children(body, 'TxInf'), 'TxInf').map((tx) => ({
      requestId: textAt(tx, 'StsReqId'),
      originalMsgId: textAt(tx, 'OrgnlGrpInf/OrgnlMsgId') ?? required(body, 'OrgnlGrpInf/OrgnlMsgId', 'OrgnlMsgId'),
      originalMessageName:
        textAt(tx, 'OrgnlGrpInf/OrgnlMsgNmId') ?? textAt(body, 'OrgnlGrpInf/OrgnlMsgNmId') ?? 'pacs.008.001.08',
      originalInstructionId: textAt(tx, 'OrgnlInstrId'),
      originalEndToEndId: textAt(tx, 'OrgnlEndToEndId'),
      originalTxId: required(tx, 'OrgnlTxId', 'OrgnlTxId'),
      originalUetr: textAt(tx, 'OrgnlUETR'),
    })),
  }
}

function required(element: XmlElement | undefined, path: string, shown: string): string {
  const text = textAt(element, path)
  if (text === undefined) throw new Incomplete(`${shown} is missing`)
  return text
}

function nonEmpty<T>(list: readonly T[], shown: string): readonly T[] {
  if (list.length === 0) throw new Incomplete(`${shown} is missing`)
  return list
}
