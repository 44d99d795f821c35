import type { CommandContext } from '../../../platform/actor.ts'
import { publish } from '../../../platform/events/outbox.ts'
import { newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { findAccountsByIban } from '../../accounts/index.ts'
import { lockBooks } from '../../ledger/index.ts'
import { creditTransferEvent } from '../events.ts'
import { insertMessages } from '../message-store.ts'
import { factOf } from '../postings.ts'
import { type Bank, writeTransfer } from '../rail-messages.ts'
import { openSettlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'
import { settleInHouse } from './settle-in-house.ts'

/**
 * Writes the `pacs.008` of pending transfers whose execution date has come; one to an account of ours stays in the house. The message stands
 * in the database before anybody can send it; whether an answer is overdue counts from its delivery.
 * @see EPC115-06 (inter-PSP implementation guidelines) DS-02
 */
export async function submitTransfers(
  { now }: CommandContext,
  tx: Tx,
  { bank, transfers }: { readonly bank: Bank; readonly transfers: readonly store.StoredCreditTransfer[] },
): Promise<void> {
  const ours = await findAccountsByIban(
    tx,
    transfers.map((t) => t.creditorIban),
  )
  const creditorBooks = transfers.flatMap((transfer) => ours.get(transfer.creditorIban)?.bookId ?? [])
  // In one order of books, here and in lockBooks: two workers over the same books wait for each other instead of deadlocking.
  const books = [...new Set([...transfers.map((transfer) => transfer.bookId), ...creditorBooks])].sort((a, b) => a - b)
  for (const bookId of books) await openSettlementAccounts(tx, bookId, now)
  if (creditorBooks.length > 0) await lockBooks(tx, books)
  for (const transfer of transfers) {
    const creditor = ours.get(transfer.creditorIban)
    if (creditor) await settleInHouse(tx, { bank, transfer, creditor, now })
  }
  const due = transfers.filter((t) => !ours.has(t.creditorIban))
  if (due.length === 0) return
  const messages = due.map((transfer) => ({
    id: newId<'outgoing_message'>(),
    transferIds: [transfer.id],
    incomingTransferId: null,
    ...writeTransfer(bank, transfer, now),
  }))
  await insertMessages(tx, messages, now)
  await store.moveTransfers(
    tx,
    due.map((t) => t.id),
    'submit',
    { now },
  )
  await publish(
    tx,
    due.map((t) => creditTransferEvent('submitted', factOf(t), now)),
  )
  tx.wake('payments.deliver')
}
