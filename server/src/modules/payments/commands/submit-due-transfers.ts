import { localDateOf } from '../../../platform/clock.ts'
import { publish } from '../../../platform/events/outbox.ts'
import { newId } from '../../../platform/ids.ts'
import type { Database } from '../../../platform/postgres/database.ts'
import { findAccountsByIban } from '../../accounts/index.ts'
import { lockBooks } from '../../ledger/index.ts'
import { creditTransferEvent } from '../events.ts'
import { factOf } from '../postings.ts'
import { type Bank, writeTransfer } from '../rail-messages.ts'
import { openSettlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'
import { settleInHouse } from './settle-in-house.ts'

const BATCH = 100

/**
 * Writes the `pacs.008` of every pending transfer whose execution date has come; one to an account of ours stays in the house. The message stands in the database before anybody
 * can send it; whether an answer is overdue counts from its delivery.
 * @returns how many were submitted.
 * @see EPC115-06 (inter-PSP implementation guidelines) DS-02
 */
export function submitDueTransfers(database: Database, bank: Bank, now: Date): Promise<number> {
  return database.transaction('system', async (tx) => {
    const taken = await store.takeDueTransfers(tx, localDateOf(now), BATCH)
    if (taken.length === 0) return 0
    for (const bookId of new Set(taken.map((transfer) => transfer.bookId))) await openSettlementAccounts(tx, bookId, now)
    const ours = await findAccountsByIban(
      tx,
      taken.map((t) => t.creditorIban),
    )
    const inHouse = taken.flatMap((transfer) => ours.get(transfer.creditorIban)?.bookId ?? [])
    if (inHouse.length > 0) await lockBooks(tx, [...inHouse, ...taken.map((transfer) => transfer.bookId)])
    for (const transfer of taken) {
      const creditor = ours.get(transfer.creditorIban)
      if (creditor) await settleInHouse(tx, { bank, transfer, creditor, now })
    }
    const due = taken.filter((t) => !ours.has(t.creditorIban))
    const messages = due.map((transfer) => ({
      id: newId<'outgoing_message'>(),
      transferId: transfer.id,
      incomingTransferId: null,
      ...writeTransfer(bank, transfer, now),
    }))
    await store.insertMessages(tx, messages, now)
    await store.setStatus(
      tx,
      due.map((t) => t.id),
      { status: 'submitted', now },
    )
    await publish(
      tx,
      due.map((t) => creditTransferEvent('submitted', factOf(t), now)),
    )
    return taken.length
  })
}
