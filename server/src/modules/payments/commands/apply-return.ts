import { publish } from '../../../platform/events/outbox.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as feed from '../../feed/index.ts'
import { repeatsAmount, type TransferReturned } from '../domain/rail-event.ts'
import { creditTransferEvent } from '../events.ts'
import * as incoming from '../incoming-store.ts'
import { messageIdsOfTransfers } from '../message-store.ts'
import { factOf, returned, settlement } from '../postings.ts'
import * as store from '../store.ts'
import { creditCustomer, givenBack, postAll, settleFromHold } from './transfer-steps.ts'

/**
 * Brings the money of a returned transfer back to its debtor, once per (returning agent, RtrId). The original entries stay; the return
 * is a new one that names them. A part of the amount is booked as what it is, and another part may follow.
 *
 * A return that arrives before the settlement report proves the settlement, which is then booked first. A return of a transfer that
 * we hold for rejected, of more than there is left to return, of another payment than ours, or under the key of another return is not
 * booked: it contradicts our books, and an operator decides.
 * @returns what was done, for the record of the message.
 * @see EPC125-05 §4.4 (return); sepa.md §8.2, §12.1 "returned later"
 */
export async function applyReturn(tx: Tx, event: TransferReturned, now: Date): Promise<string> {
  const transfer = await store.lockTransfer(tx, event.originalTransactionId)
  if (!transfer) return 'transfer_not_found'
  const known = await incoming.findReturn(tx, event)
  if (known?.transferId === transfer.id && known.amountMinor === event.amount.minor) return 'nothing'
  const { minor: earlierMinor, count: earlier } = await incoming.returnedSoFar(tx, transfer.id)
  const sentIn = (await messageIdsOfTransfers(tx, [transfer.id])).get(transfer.id)
  if (known || contradicts(transfer, event, { earlierMinor, sentIn })) {
    await publish(tx, [creditTransferEvent('contradicted', factOf(transfer, event.reasonCode), now)])
    return 'contradiction'
  }
  await incoming.insertTransferReturn(
    tx,
    {
      ...event,
      transferId: transfer.id,
      organizationId: transfer.organizationId,
      amountMinor: event.amount.minor,
      statusReasonCode: event.reasonCode,
    },
    now,
  )
  if (transfer.status === 'submitted' || transfer.status === 'unknown')
    await settleFromHold(tx, transfer, 'accept_and_settle', now)
  if (transfer.status === 'accepted') await postAll(tx, transfer, [settlement(transfer)], now)

  const { amount } = event
  const entry = await creditCustomer(tx, transfer, amount, (creditor) => returned(transfer, { amount, earlier }, creditor), now)
  if (entry !== 'suspended') await feed.completed({ now }, tx, [givenBack(transfer, event.reasonCode, entry)])
  await store.moveTransfers(tx, [transfer.id], 'return', { reasonCode: event.reasonCode, now })
  await publish(tx, [creditTransferEvent('returned', { ...factOf(transfer, event.reasonCode), amount }, now)])
  return entry === 'suspended' ? 'returned_to_suspense' : 'returned'
}

const contradicts = (
  transfer: store.StoredCreditTransfer,
  event: TransferReturned,
  { earlierMinor, sentIn }: { earlierMinor: bigint; sentIn: string | undefined },
): boolean =>
  transfer.status === 'rejected' ||
  transfer.status === 'pending' ||
  earlierMinor + event.amount.minor > transfer.amountMinor ||
  !repeatsAmount(event.repeatedAmount, transfer.amountMinor) ||
  (event.originalMessageId !== null && event.originalMessageId !== sentIn)
