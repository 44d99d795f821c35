import { parseCents } from '../core/cents.ts'
import type { TransactionView } from '../core/scheme.ts'
import { type Booking, bookingReference } from '../messages/camt053.ts'
import { type CreditTransferState, executions, happened } from './state.ts'

/** Everything known under a TxId, whichever bank sent it. */
export function transactionView(state: CreditTransferState, txId: string, now: string): TransactionView | undefined {
  const found = (state.keysByTxId.get(txId) ?? []).flatMap((key) => state.payments.get(key) ?? [])
  const lost = state.lost.get(txId) ?? 0
  if (found.length === 0 && lost === 0) return undefined
  const last = found.map((payment) => happened(payment.timeline, now).at(-1)).find((entry) => entry !== undefined)
  const sum = (count: (payment: (typeof found)[number]) => number) => found.reduce((total, payment) => total + count(payment), 0)
  return {
    tx_id: txId,
    received: lost + sum((payment) => state.received.get(payment.key) ?? 0),
    executions: sum((payment) => executions(payment, now)),
    returns: sum((payment) => (payment.returnAt !== undefined && payment.returnAt <= now ? 1 : 0)),
    status: last?.status ?? null,
    reason: last?.reason ?? null,
  }
}

/** Everything that has settled up to now. */
export function settledBookings({ payments, incoming, bankReturns }: CreditTransferState, now: string): Booking[] {
  const found: Booking[] = []
  const add = (kind: string, booking: Omit<Booking, 'reference'>) => {
    if (booking.at > now) return
    found.push({ ...booking, reference: bookingReference(kind, booking.msgId, booking.transaction.txId) })
  }
  for (const { transaction, timeline, returnAt, msgId } of payments.values()) {
    const cents = parseCents(transaction.amount) ?? 0n
    for (const entry of timeline) {
      if (entry.status === 'ACSC')
        add('OUT', { at: entry.at, cents: -cents, family: 'ICDT', subFamily: 'ESCT', transaction, msgId })
    }
    if (returnAt !== undefined) add('RTI', { at: returnAt, cents, family: 'ICDT', subFamily: 'RRTN', transaction, msgId })
  }
  for (const { transaction, availableAt, msgId } of incoming.values()) {
    const cents = parseCents(transaction.amount) ?? 0n
    add('INC', { at: availableAt, cents, family: 'RCDT', subFamily: 'ESCT', transaction, msgId })
    const returned = bankReturns.get(transaction.txId)?.timeline.find((entry) => entry.status === 'ACSC')
    if (returned) add('RTO', { at: returned.at, cents: -cents, family: 'RCDT', subFamily: 'RRTN', transaction, msgId })
  }
  return found
}
