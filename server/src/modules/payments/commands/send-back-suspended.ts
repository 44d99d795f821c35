import type { CommandContext } from '../../../platform/actor.ts'
import { newId } from '../../../platform/ids.ts'
import { EUR, money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { type BookId, lockBooks } from '../../ledger/index.ts'
import { type IncomingTransfer, moveIncoming } from '../incoming-store.ts'
import { insertMessages } from '../message-store.ts'
import { sentBack } from '../postings.ts'
import { type Bank, messageIdOf, writeReturn } from '../rail-messages.ts'
import { openSettlementAccounts } from '../settlement-accounts.ts'
import { postAll } from './transfer-steps.ts'

/**
 * Sends back what could not be applied, by `pacs.004`, well within the three banking days of the rulebook: suspense → clearing. What
 * the rail says of it is `applyReturnReport`'s.
 * @see EPC125-05 §4.4; sepa.md §8.2, §12.2 "returned within 3 days"
 */
export async function sendBackSuspended(
  { now }: CommandContext,
  tx: Tx,
  {
    bank,
    homeBook,
    suspended,
  }: { readonly bank: Bank; readonly homeBook: BookId; readonly suspended: readonly IncomingTransfer[] },
): Promise<void> {
  await lockBooks(
    tx,
    suspended.map((incoming) => incoming.bookId ?? homeBook),
  )
  for (const incoming of suspended) {
    const bookId = incoming.bookId ?? homeBook
    const id = newId<'outgoing_message'>()
    const messageId = messageIdOf(id)
    const amount = money(EUR, incoming.amountMinor)
    await openSettlementAccounts(tx, bookId, now)
    await postAll(tx, { bookId }, [sentBack({ id: incoming.id, amount, bookId }, messageId, 'send')], now)
    const written = writeReturn(bank, incoming, messageId, now)
    await insertMessages(tx, [{ id, messageId, transferIds: [], incomingTransferId: incoming.id, ...written }], now)
    await moveIncoming(tx, incoming.id, 'send_back', { bookId }) // an answer is overdue from the attempt to send it
  }
  tx.wake('payments.deliver')
}
