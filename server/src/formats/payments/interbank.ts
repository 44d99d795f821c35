import type { XmlElement } from '@partita/notation/xml'
import type { Result } from '../../platform/result.ts'
import { type MessageProblem, readMessage } from './message.ts'
import { PACS_002, readStatusReport, type StatusReport } from './pacs002.ts'
import { PACS_004, type PaymentReturns, readPaymentReturns } from './pacs004.ts'
import { type InterbankCreditTransfers, PACS_008, readCreditTransfers } from './pacs008.ts'

/** What other banks and the clearing system send us. */
export type InterbankMessage = StatusReport | PaymentReturns | InterbankCreditTransfers

const READERS: ReadonlyMap<string, (root: XmlElement) => InterbankMessage> = new Map<
  string,
  (root: XmlElement) => InterbankMessage
>([
  [PACS_002, readStatusReport],
  [PACS_004, readPaymentReturns],
  [PACS_008, readCreditTransfers],
])

/** Reads pacs.002.001.10, pacs.004.001.09 or pacs.008.001.08, told apart by namespace. Never throws on any input. */
export const readInterbankMessage = (xml: Uint8Array | string): Result<InterbankMessage, MessageProblem> =>
  readMessage(xml, READERS)
