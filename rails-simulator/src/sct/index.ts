import type { MessageKind, Scheme } from '../core/scheme.ts'
import { PACS_004, readReturns } from '../messages/pacs004.ts'
import { PACS_008, readCreditTransfers } from '../messages/pacs008.ts'
import { PACS_028, readStatusRequest } from '../messages/pacs028.ts'
import { type CreditTransferContent, writeContent } from './content.ts'
import { decideCreditTransfers } from './decide-credit-transfers.ts'
import { decideReturns } from './decide-returns.ts'
import { decideStatusRequest } from './decide-status-request.ts'
import { settledBookings, transactionView } from './proofs.ts'
import { incomingRoutes } from './routes.ts'
import { applyEvent, type CreditTransferEvent, type CreditTransferState, emptyState } from './state.ts'

type Kind = MessageKind<CreditTransferState, CreditTransferEvent, CreditTransferContent>

const creditTransferMessage: Kind = {
  name: PACS_008,
  read: (root) => {
    const message = readCreditTransfers(root)
    return { msgId: message.msgId, decide: (draft) => decideCreditTransfers(draft, message) }
  },
}

const returnMessage: Kind = {
  name: PACS_004,
  read: (root) => {
    const message = readReturns(root)
    return { msgId: message.msgId, decide: (draft) => decideReturns(draft, message) }
  },
}

const statusRequest: Kind = {
  name: PACS_028,
  read: (root) => {
    const message = readStatusRequest(root)
    return { msgId: message.msgId, decide: (draft) => decideStatusRequest(draft, message) }
  },
}

/** SEPA credit transfers (SCT): orders of the bank, payments to its customers, and the returns of both. */
export const creditTransfers: Scheme<CreditTransferState, CreditTransferEvent, CreditTransferContent> = {
  name: 'sct',
  emptyState,
  apply: applyEvent,
  messages: [creditTransferMessage, returnMessage, statusRequest],
  write: writeContent,
  routes: incomingRoutes,
  transaction: transactionView,
  bookings: settledBookings,
  counts: ({ payments, incoming }) => ({ payments: payments.size, incoming: incoming.size }),
}
