import { children, textOf, type XmlElement } from '@partita/notation/xml'
import { nonEmpty, readHeader, required } from './document.ts'

/** pacs.028.001.03 as the bank sends it: what became of these? */
export type StatusRequest = Readonly<{
  msgId: string
  instructingAgent?: string | undefined
  requests: readonly Readonly<{
    requestId?: string | undefined
    originalMsgId: string
    originalMessageName: string
    originalInstructionId?: string | undefined
    originalEndToEndId?: string | undefined
    originalTxId: string
    originalUetr?: string | undefined
  }>[]
}>

export const PACS_028 = 'pacs.028.001.03'

export function readStatusRequest(root: XmlElement): StatusRequest {
  const { body, identity } = readHeader(root, 'FIToFIPmtStsReq')
  return {
    ...identity,
    requests: nonEmpty(children(body, 'TxInf'), 'TxInf').map((tx) => ({
      requestId: textOf(tx, 'StsReqId'),
      originalMsgId: textOf(tx, 'OrgnlGrpInf/OrgnlMsgId') ?? required(body, 'OrgnlGrpInf/OrgnlMsgId', 'OrgnlMsgId'),
      originalMessageName:
        textOf(tx, 'OrgnlGrpInf/OrgnlMsgNmId') ?? textOf(body, 'OrgnlGrpInf/OrgnlMsgNmId') ?? 'pacs.008.001.08',
      originalInstructionId: textOf(tx, 'OrgnlInstrId'),
      originalEndToEndId: textOf(tx, 'OrgnlEndToEndId'),
      originalTxId: required(tx, 'OrgnlTxId'),
      originalUetr: textOf(tx, 'OrgnlUETR'),
    })),
  }
}
