import { publish } from '../../../platform/outbox.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { recordTransactions } from '../../accounts/index.ts'
import type { TransferReturned } from '../domain/rail-event.ts'
import { creditTransferEvent } from '../events.ts'
import { factOf, returned, settlement } from '../postings.ts'
import * as store from '../store.ts'
import { creditCustomer, givenBackRow, postAll, settleFromHold } from './apply-status-report.ts'

/**
 * Brings the money of a returned transfer back to its debtor, once. The original entries stay; the return is a new one that names them.
 *
 * A return that arrives before the settlement report proves the settlement, which is then booked first. A return of a transfer that
 * we hold for rejected is not booked: it contradicts our books, and an operator decides.
 * @returns what was done, for the record of the message.
 * @see EPC125-05 §4.4 (return); sepa.md §8.2, §12.1 "returned later"
 */
export async function applyReturn(tx: Tx, event: TransferReturned, now: Date): Promise<string> {
  const transfer = await store.lockTransfer(tx, event.originalTransactionId)
  if (!transfer) return 'transfer_not_found'
  if (transfer.status === 'returned') return 'nothing'
  if (transfer.status === 'rejected' || transfer.status === 'pending' || event.amount.minor > transfer.amountMinor) {
    await publish(tx, [creditTransferEvent('contradicted', factOf(transfer, event.reasonCode), now)])
    return 'contradiction'
  }
  if (transfer.status === 'submitted' || transfer.status === 'unknown') await settleFromHold(tx, transfer, now)
  if (transfer.status === 'accepted') await postAll(tx, transfer, [settlement(transfer)], now)

  const { creditBalance, isSuspended } = await creditCustomer(
    tx,
    transfer,
    (creditor) => returned(transfer, event.amount, creditor),
    now,
  )
  if (!isSuspended)
    await recordTransactions(tx, [{ ...givenBackRow(transfer, event.reasonCode, creditBalance, now), amount: event.amount }])
  await store.setStatus(tx, [transfer.id], { status: 'returned', reasonCode: event.reasonCode, now })
  await publish(tx, [creditTransferEvent('returned', factOf(transfer, event.reasonCode), now)])
  return isSuspended ? 'returned_to_suspense' : 'returned'
}
