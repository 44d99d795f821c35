import { createHash } from 'node:crypto'
import { formatCents } from '../core/cents.ts'
import { businessDate, plus } from '../core/times.ts'
import type { CreditTransfer, CreditTransferMessage } from '../messages/pacs008.ts'
import type { CreditTransferDraft as Draft } from './content.ts'

/** A credit transfer that somebody elsewhere makes to one of the bank's customers. */
export type IncomingOrder = Readonly<{
  cents: bigint
  debtorName: string
  debtorIban: string
  debtorBic?: string | undefined
  creditorName: string
  creditorIban: string
  creditorBic?: string | undefined
  remittance?: string | undefined
  endToEndId?: string | undefined
  /** How many times the payment is delivered: 1, or more to test that the bank takes it once. */
  copies: number
  delayMs: number
}>

export const hashOf = (order: IncomingOrder): string =>
  createHash('sha256')
    .update(JSON.stringify(order, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)))
    .digest('hex')

/**
 * Queues a pacs.008 for the bank. Copies are duplicates as they occur: the second is the same message again, the third the same
 * payment under a new MsgId, and so on in turn.
 */
export function decideIncoming(draft: Draft, order: IncomingOrder, idempotencyKey: string | undefined): string {
  const txId = draft.nextReference('SIMTX')
  const availableAt = plus(draft.now, order.delayMs)
  const settlementDate = businessDate(availableAt)
  const debtorBic = order.debtorBic ?? foreignBic(order.debtorIban)
  const transaction: CreditTransfer = {
    endToEndId: order.endToEndId ?? 'NOTPROVIDED',
    txId,
    uetr: draft.seeded.uetr('incoming', txId),
    amount: formatCents(order.cents),
    currency: 'EUR',
    debtor: { name: order.debtorName, iban: order.debtorIban, bic: debtorBic },
    creditor: { name: order.creditorName, iban: order.creditorIban, bic: order.creditorBic ?? draft.bankBic },
    remittance: order.remittance,
  }
  const make = (msgId: string): CreditTransferMessage => ({
    type: 'pacs.008.001.08',
    msgId,
    createdAt: availableAt,
    instructingAgent: debtorBic,
    instructedAgent: order.creditorBic ?? draft.bankBic,
    settlementDate,
    transactions: [transaction],
  })
  const first = draft.queue('SIMCDT', availableAt, make)
  for (let copy = 2; copy <= order.copies; copy += 1) {
    const dueAt = plus(availableAt, copy - 1)
    if (copy % 2 === 0) draft.queueAgain({ ...first, dueAt })
    else draft.queue('SIMCDT', dueAt, make)
  }
  const incoming = { msgId: first.id, settlementDate, availableAt, transaction }
  draft.add({ type: 'incoming_made', incoming, idempotencyKey, requestHash: hashOf(order) })
  return txId
}

/** A made-up bank in the debtor's country. */
const foreignBic = (iban: string): string => `SIMB${iban.slice(0, 2)}2XXXX`
