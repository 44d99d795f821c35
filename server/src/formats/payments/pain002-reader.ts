import { child, children, textOf, type XmlElement } from '@partita/notation/xml'
import type { Result } from '../../platform/result.ts'
import { type Reason, readReasons } from './elements.ts'
import { type MessageProblem, readMessage, required, requiredText } from './message.ts'

type Totals = Readonly<{ status: string; count: string; sum?: string | undefined }>

type ReadStatus = Readonly<{ status?: string | undefined; reasons: readonly Reason[] }>

type ReadGroup = ReadStatus &
  Readonly<{ numberOfTransactions?: string | undefined; controlSum?: string | undefined; perStatus: readonly Totals[] }>

/** A pain.002 as written by whichever bank. */
export type ReadCustomerStatusReport = Readonly<{
  messageId: string
  originalMessageId: string
  originalMessageName: string
  group: ReadGroup
  blocks: readonly (ReadGroup &
    Readonly<{
      paymentInformationId: string
      transactions: readonly (ReadStatus & Readonly<{ endToEndId?: string | undefined; instructionId?: string | undefined }>)[]
    }>)[]
}>

/** Reads a pain.002.001.03 or .10. Never throws on any input. */
export const readCustomerStatusReport = (xml: Uint8Array | string): Result<ReadCustomerStatusReport, MessageProblem> =>
  readMessage(
    xml,
    new Map([
      ['pain.002.001.03', readReport],
      ['pain.002.001.10', readReport],
    ]),
  )

function readReport(root: XmlElement): ReadCustomerStatusReport {
  const body = required(child(root, 'CstmrPmtStsRpt'), root, 'CstmrPmtStsRpt')
  const group = required(child(body, 'OrgnlGrpInfAndSts'), body, 'OrgnlGrpInfAndSts')
  return {
    messageId: requiredText(body, 'GrpHdr/MsgId'),
    originalMessageId: requiredText(group, 'OrgnlMsgId'),
    originalMessageName: requiredText(group, 'OrgnlMsgNmId'),
    group: readGroup(group, 'GrpSts'),
    blocks: children(body, 'OrgnlPmtInfAndSts').map((block) => ({
      ...readGroup(block, 'PmtInfSts'),
      paymentInformationId: requiredText(block, 'OrgnlPmtInfId'),
      transactions: children(block, 'TxInfAndSts').map((tx) => ({
        instructionId: textOf(tx, 'OrgnlInstrId'),
        endToEndId: textOf(tx, 'OrgnlEndToEndId'),
        status: textOf(tx, 'TxSts'),
        reasons: readReasons(tx, 'StsRsnInf'),
      })),
    })),
  }
}

const readGroup = (element: XmlElement, statusTag: string): ReadGroup => ({
  status: textOf(element, statusTag),
  reasons: readReasons(element, 'StsRsnInf'),
  numberOfTransactions: textOf(element, 'OrgnlNbOfTxs'),
  controlSum: textOf(element, 'OrgnlCtrlSum'),
  perStatus: children(element, 'NbOfTxsPerSts').map((totals) => ({
    status: requiredText(totals, 'DtldSts'),
    count: requiredText(totals, 'DtldNbOfTxs'),
    sum: textOf(totals, 'DtldCtrlSum'),
  })),
})
