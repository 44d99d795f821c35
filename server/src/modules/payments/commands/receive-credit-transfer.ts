import { publish } from '../../../platform/events/outbox.ts'
import { newId } from '../../../platform/ids.ts'
import { EUR } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ref } from '../../../platform/subject.ts'
import { findAccountByIban, type PaymentAccount } from '../../accounts/index.ts'
import * as feed from '../../feed/index.ts'
import type { BookId, OperationKey } from '../../ledger/index.ts'
import type { TransferReceived } from '../domain/rail-event.ts'
import { incomingTransferEvent } from '../events.ts'
import * as store from '../incoming-store.ts'
import { receipt, receiptKeyOf } from '../postings.ts'
import { openSettlementAccounts } from '../settlement-accounts.ts'
import { postAll } from './transfer-steps.ts'

/**
 * Books a SEPA credit transfer that came in, once per (instructing agent, transaction id): by IBAN only, the name is no ground for
 * refusing it (PSD2 art. 88). Money for an account that we do not have, or that is closed, waits in suspense to be sent back.
 *
 * @param homeBook where receipts that belong to nobody are booked.
 * @returns what was done, for the record of the message.
 * @see sepa.md §4.1, §12.2
 */
export async function receiveCreditTransfer(tx: Tx, event: TransferReceived, homeBook: BookId, now: Date): Promise<string> {
  const account = await findAccountByIban(tx, event.creditorIban)
  const reasonCode = reasonNotToCredit(account)
  const bookId = account?.bookId ?? homeBook
  const incoming = incomingOf(event, { account, bookId, reasonCode })
  if (!(await store.insertIncomingTransfer(tx, incoming, now))) return outcomeOfCopy(tx, incoming)

  await openSettlementAccounts(tx, bookId, now)
  const creditor = account && reasonCode === null ? account.ledgerAccountId : 'suspense'
  const posted = await postAll(tx, { bookId }, receipt({ id: incoming.id, amount: event.amount, bookId }, creditor), now)
  if (account && reasonCode === null) {
    const entry = { ledgerKey: receiptKeyOf(incoming.id), balanceMinor: posted.at(-1)?.creditBalance ?? null }
    await feed.completed({ now }, tx, [receivedMovement(incoming, event, account, entry)])
  }
  await publish(tx, [
    incomingTransferEvent(reasonCode === null ? 'credited' : 'suspended', { ...incoming, amount: event.amount }, now),
  ])
  if (reasonCode !== null) tx.wake('payments.send_back')
  return incoming.status
}

/** The scheme's key came before: the same payment again is nothing new, another one under its key is somebody's mistake. */
async function outcomeOfCopy(tx: Tx, copy: store.IncomingTransfer): Promise<string> {
  const first = await store.findIncomingTransfer(tx, copy)
  return first?.amountMinor === copy.amountMinor && first.creditorIban === copy.creditorIban ? 'duplicate' : 'contradiction'
}

/** What the creditor sees of it. `entry`: what moved the money to his account. */
export const receivedMovement = (
  incoming: store.IncomingTransfer,
  event: TransferReceived,
  account: PaymentAccount,
  entry: { readonly ledgerKey: OperationKey; readonly balanceMinor: bigint | null },
): feed.CompletedMovement => ({
  ...entry,
  subject: ref('incoming_transfer', incoming.id),
  account,
  kind: 'income',
  amount: event.amount,
  counterparty: { name: event.debtorName, account: feed.sepaAccount(event.debtorIban, event.debtorBic ?? '') },
  reference: event.remittanceInformation,
})

/** ISO reason for sending it back, or null to credit it. */
export function reasonNotToCredit(account: PaymentAccount | undefined): string | null {
  if (!account) return 'AC01'
  if (account.status !== 'active') return 'AC04'
  return account.currency === EUR ? null : 'AG01'
}

export function incomingOf(
  event: TransferReceived,
  where: { account: PaymentAccount | undefined; bookId: BookId; reasonCode: string | null },
): store.IncomingTransfer {
  const { account, bookId, reasonCode } = where
  return {
    id: newId<'incoming_transfer'>(),
    organizationId: account?.organizationId ?? null,
    creditorAccountId: account?.id ?? null,
    instructingAgent: event.instructingAgent,
    transactionId: event.transactionId,
    endToEndId: event.endToEndId,
    originalMessageId: event.messageId,
    debtorName: event.debtorName,
    debtorIban: event.debtorIban,
    debtorBic: event.debtorBic,
    creditorName: event.creditorName,
    creditorIban: event.creditorIban,
    amountMinor: event.amount.minor,
    remittanceInformation: event.remittanceInformation,
    settlementDate: event.settlementDate,
    bookId,
    status: reasonCode === null ? 'credited' : 'suspended',
    statusReasonCode: reasonCode,
  }
}
