import { child, children, path, textOf, type XmlElement } from '@partita/notation/xml'
import { type Amount, type Reason, readAgent, readAmount, readReasons } from './elements.ts'
import { required, requiredText } from './message.ts'

export const PACS_002 = 'pacs.002.001.10'

/** What is said of a whole message that we sent. */
export type OriginalGroupStatus = Readonly<{
  originalMessageId: string
  originalMessageName: string
  /** ACCP, ACSP, ACSC, PART, RJCT …; undefined when only transactions are spoken of. */
  status?: string | undefined
  reasons: readonly Reason[]
}>

/** What is said of one transaction. */
export type ReportedTransaction = Readonly<{
  statusId?: string | undefined
  /** The message that the transaction was sent in. */
  originalMessageId?: string | undefined
  originalMessageName?: string | undefined
  originalInstructionId?: string | undefined
  originalEndToEndId?: string | undefined
  originalTransactionId?: string | undefined
  originalUetr?: string | undefined
  /**
   * TxSts. Where it is missing: RJCT when reasons are given inside a group that is rejected in full or in part (that is how SCT rejects
   * are written), otherwise the group's own status unless that is PART.
   */
  status?: string | undefined
  reasons: readonly Reason[]
  /** Amount of the original, where the report repeats it. */
  originalAmount?: Amount | undefined
  acceptedAt?: string | undefined
  effectiveSettlementDate?: string | undefined
}>

/** pacs.002: groups alone, transactions alone, or both. A group without transactions speaks of every transaction of its message. */
export type StatusReport = Readonly<{
  messageName: typeof PACS_002
  messageId: string
  createdAt: string
  instructingAgent?: string | undefined
  instructedAgent?: string | undefined
  groups: readonly OriginalGroupStatus[]
  transactions: readonly ReportedTransaction[]
}>

/** Reads a pacs.002.001.10. @throws for `readMessage` to catch. */
export function readStatusReport(root: XmlElement): StatusReport {
  const body = required(child(root, 'FIToFIPmtStsRpt'), root, 'FIToFIPmtStsRpt')
  const header = required(child(body, 'GrpHdr'), body, 'GrpHdr')
  const groups = children(body, 'OrgnlGrpInfAndSts').map((group) => ({
    originalMessageId: requiredText(group, 'OrgnlMsgId'),
    originalMessageName: requiredText(group, 'OrgnlMsgNmId'),
    status: textOf(group, 'GrpSts'),
    reasons: readReasons(group, 'StsRsnInf'),
  }))
  return {
    messageName: PACS_002,
    messageId: requiredText(header, 'MsgId'),
    createdAt: requiredText(header, 'CreDtTm'),
    instructingAgent: readAgent(child(header, 'InstgAgt')),
    instructedAgent: readAgent(child(header, 'InstdAgt')),
    groups,
    transactions: children(body, 'TxInfAndSts').map((tx) => readTransaction(tx, groups)),
  }
}

function readTransaction(tx: XmlElement, groups: readonly OriginalGroupStatus[]): ReportedTransaction {
  const messageId = textOf(tx, 'OrgnlGrpInf/OrgnlMsgId')
  // Without a reference of its own a transaction belongs to the only group; among several groups it belongs to none for certain.
  const group =
    messageId === undefined
      ? groups.length === 1
        ? groups[0]
        : undefined
      : groups.find((g) => g.originalMessageId === messageId)
  const reasons = readReasons(tx, 'StsRsnInf')
  return {
    statusId: textOf(tx, 'StsId'),
    originalMessageId: messageId ?? group?.originalMessageId,
    originalMessageName: textOf(tx, 'OrgnlGrpInf/OrgnlMsgNmId') ?? group?.originalMessageName,
    originalInstructionId: textOf(tx, 'OrgnlInstrId'),
    originalEndToEndId: textOf(tx, 'OrgnlEndToEndId'),
    originalTransactionId: textOf(tx, 'OrgnlTxId'),
    originalUetr: textOf(tx, 'OrgnlUETR'),
    status: textOf(tx, 'TxSts') ?? inferredStatus(group, reasons),
    reasons,
    originalAmount: readAmount(path(tx, 'OrgnlTxRef/IntrBkSttlmAmt')),
    acceptedAt: textOf(tx, 'AccptncDtTm'),
    effectiveSettlementDate: textOf(tx, 'FctvIntrBkSttlmDt/Dt'),
  }
}

function inferredStatus(group: OriginalGroupStatus | undefined, reasons: readonly Reason[]): string | undefined {
  if (group?.status === 'PART') return reasons.length > 0 ? 'RJCT' : undefined
  return group?.status
}
