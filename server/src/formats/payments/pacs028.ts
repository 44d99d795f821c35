import { node } from '@partita/notation/xml'
import { agentNode, optional, optionalAgentNode } from './elements.ts'
import { writeMessage } from './message.ts'
import { travellingInstructionId } from './pacs008.ts'

export const PACS_028 = 'pacs.028.001.03'

/** A question about one transaction that we sent: what became of it? */
export type StatusRequest = Readonly<{
  messageId: string
  /** Comes back in the answer's StsId where the rail does so. */
  requestId: string
  createdAt: string
  instructingAgent: string
  instructedAgent?: string | undefined
  originalMessageId: string
  /** pacs.008.001.08 or pacs.004.001.09. */
  originalMessageName: string
  originalInstructionId?: string | undefined
  originalEndToEndId?: string | undefined
  originalTransactionId: string
  originalUetr?: string | undefined
  /** ISO instant. */
  acceptedAt?: string | undefined
}>

/** Writes a pacs.028.001.03. @see EPC115-06 DS-09; sepa.md §5.1: ask, never send again. */
export function writeStatusRequest(request: StatusRequest): string {
  return writeMessage(
    PACS_028,
    node('FIToFIPmtStsReq', [
      node('GrpHdr', [
        node('MsgId', request.messageId),
        node('CreDtTm', request.createdAt),
        agentNode('InstgAgt', request.instructingAgent),
        optionalAgentNode('InstdAgt', request.instructedAgent),
      ]),
      node('TxInf', [
        node('StsReqId', request.requestId),
        node('OrgnlGrpInf', [node('OrgnlMsgId', request.originalMessageId), node('OrgnlMsgNmId', request.originalMessageName)]),
        optional('OrgnlInstrId', travellingInstructionId(request.originalInstructionId)),
        optional('OrgnlEndToEndId', request.originalEndToEndId),
        node('OrgnlTxId', request.originalTransactionId),
        optional('OrgnlUETR', request.originalUetr),
        optional('AccptncDtTm', request.acceptedAt),
      ]),
    ]),
  )
}
