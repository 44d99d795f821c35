import { localDateOf } from '../../../platform/clock.ts'
import { publish } from '../../../platform/events/outbox.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import type { PaymentAccount } from '../../accounts/index.ts'
import * as feed from '../../feed/index.ts'
import type { TransferReceived } from '../domain/rail-event.ts'
import { creditTransferEvent, incomingTransferEvent } from '../events.ts'
import { insertIncomingTransfer } from '../incoming-store.ts'
import { acceptKeyOf, amountOf, bookTransfer, factOf } from '../postings.ts'
import type { Bank } from '../rail-messages.ts'
import type * as store from '../store.ts'
import { incomingOf, reasonNotToCredit, receiveCreditTransfer, receivedMovement } from './receive-credit-transfer.ts'
import { completeFeedRow, move, postAll, rejectHeld, settleFromHold } from './transfer-steps.ts'

export type InHouseTransfer = {
  readonly bank: Bank
  readonly transfer: store.StoredCreditTransfer
  readonly creditor: PaymentAccount
  readonly now: Date
}

/**
 * Settles a transfer whose creditor is a customer of ours: the clearing system is not asked for what it would send straight back. In one
 * book the money moves from account to account in one posting; between books it leaves the one over the nostro and enters the other, in
 * one commit.
 * @see sepa.md §12.4
 */
export async function settleInHouse(tx: Tx, { bank, transfer, creditor, now }: InHouseTransfer): Promise<void> {
  const reasonCode = reasonNotToCredit(creditor)
  if (reasonCode !== null) return rejectHeld(tx, transfer, 'reject_in_house', reasonCode, now)
  const event = receiptOf(bank, transfer, now)
  if (creditor.bookId !== transfer.bookId) {
    await settleFromHold(tx, transfer, 'settle_in_house', now)
    await receiveCreditTransfer(tx, event, creditor.bookId, now)
    return
  }
  const [posted] = await postAll(tx, transfer, [bookTransfer(transfer, creditor.ledgerAccountId)], now)
  await completeFeedRow(tx, transfer, posted, now)
  const incoming = incomingOf(event, { account: creditor, bookId: creditor.bookId, reasonCode: null })
  await insertIncomingTransfer(tx, incoming, now)
  // One entry, and a movement on either account.
  const entry = { ledgerKey: acceptKeyOf(transfer.id), balanceMinor: posted?.creditBalance ?? null }
  await feed.completed({ now }, tx, [receivedMovement(incoming, event, creditor, entry)])
  await move(tx, transfer, 'settle_in_house', now)
  await publish(tx, [
    creditTransferEvent('accepted', factOf(transfer), now),
    creditTransferEvent('settled', factOf(transfer), now),
    incomingTransferEvent('credited', { ...incoming, amount: event.amount }, now),
  ])
}

/** What another bank would have been sent. */
const receiptOf = (bank: Bank, transfer: store.StoredCreditTransfer, now: Date): TransferReceived => ({
  kind: 'transfer_received',
  messageId: transfer.transactionId,
  instructingAgent: bank.bic,
  transactionId: transfer.transactionId,
  endToEndId: transfer.endToEndId,
  debtorName: transfer.debtorName,
  debtorIban: transfer.debtorIban,
  debtorBic: bank.bic,
  creditorName: transfer.creditorName,
  creditorIban: transfer.creditorIban,
  amount: amountOf(transfer),
  remittanceInformation: transfer.remittanceInformation ?? transfer.creditorReference,
  settlementDate: localDateOf(now),
})
