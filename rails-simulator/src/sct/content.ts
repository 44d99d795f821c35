import type { Draft } from '../core/draft.ts'
import { PACS_002, type StatusReport, writeStatusReport } from '../messages/pacs002.ts'
import { PACS_004, type ReturnMessage, writeReturn } from '../messages/pacs004.ts'
import { type CreditTransferMessage, PACS_008, writeCreditTransfers } from '../messages/pacs008.ts'
import type { CreditTransferEvent, CreditTransferState } from './state.ts'

/** Bytes that are no message at all. */
type Garbage = Readonly<{ type: 'unreadable'; text: string }>

/** What the bank gets to hear about credit transfers. */
export type CreditTransferContent = CreditTransferMessage | StatusReport | ReturnMessage | Garbage

export type CreditTransferDraft = Draft<CreditTransferState, CreditTransferEvent, CreditTransferContent>

/** Writes a message as it goes over the wire; valid by the ISO schema unless it is meant to be garbage. */
export function writeContent(content: CreditTransferContent): string | undefined {
  switch (content.type) {
    case PACS_002:
      return writeStatusReport(content)
    case PACS_004:
      return writeReturn(content)
    case PACS_008:
      return writeCreditTransfers(content)
    case 'unreadable':
      return content.text
    default:
      return undefined
  }
}
