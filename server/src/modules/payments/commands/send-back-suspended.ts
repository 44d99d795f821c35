import { newId } from '../../../platform/ids.ts'
import { EUR, money } from '../../../platform/money.ts'
import type { Database } from '../../../platform/postgres/database.ts'
import type { BookId } from '../../ledger/index.ts'
import { markReturning, takeSuspended } from '../incoming-store.ts'
import { sentBack } from '../postings.ts'
import { type Bank, messageIdOf, writeReturn } from '../rail-messages.ts'
import { openSettlementAccounts } from '../settlement-accounts.ts'
import { insertMessages } from '../store.ts'
import { postAll } from './transfer-steps.ts'

const BATCH = 50

/**
 * Sends back what could not be applied, by `pacs.004`, well within the three banking days of the rulebook: suspense → clearing. What
 * the rail says of it is `applyReturnReport`'s.
 * @returns how many returns were written.
 * @see EPC125-05 §4.4; sepa.md §8.2, §12.2 "returned within 3 days"
 */
export function sendBackSuspended(database: Database, bank: Bank, homeBook: BookId, now: Date): Promise<number> {
  return database.transaction('system', async (tx) => {
    const suspended = await takeSuspended(tx, BATCH)
    for (const incoming of suspended) {
      const bookId = incoming.bookId ?? homeBook
      const id = newId<'outgoing_message'>()
      const messageId = messageIdOf(id)
      const amount = money(EUR, incoming.amountMinor)
      await openSettlementAccounts(tx, bookId, now)
      await postAll(tx, { bookId }, [sentBack({ id: incoming.id, amount, bookId }, messageId, 'send')], now)
      const written = writeReturn(bank, incoming, messageId, now)
      await insertMessages(tx, [{ id, messageId, transferId: null, incomingTransferId: incoming.id, ...written }], now)
      await markReturning(tx, incoming.id, bookId)
    }
    return suspended.length
  })
}
