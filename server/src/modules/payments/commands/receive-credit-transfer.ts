import { newId } from '../../../platform/ids.ts'
import { EUR, money } from '../../../platform/money.ts'
import { publish } from '../../../platform/outbox.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { findAccountByIban, type PaymentAccount, recordTransactions, sepaAccount } from '../../accounts/index.ts'
import type { BookId } from '../../ledger/index.ts'
import type { TransferReceived } from '../domain/rail-event.ts'
import { incomingTransferEvent } from '../events.ts'
import { receipt, sentBack } from '../postings.ts'
import { type Bank, messageIdOf, writeReturn } from '../rail-messages.ts'
import { openSettlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'
import { postAll } from './apply-status-report.ts'

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
  const incoming = incomingOf(event, account, reasonCode)
  if (!(await store.insertIncomingTransfer(tx, incoming, now))) return 'duplicate'

  const bookId = account?.bookId ?? homeBook
  await openSettlementAccounts(tx, bookId, now)
  const creditor = account && reasonCode === null ? account.ledgerAccountId : 'suspense'
  const posted = await postAll(tx, { bookId }, receipt({ id: incoming.id, amount: event.amount, bookId }, creditor), now)
  if (account && reasonCode === null) {
    await recordTransactions(tx, [
      {
        id: newId<'transaction'>(),
        organizationId: account.organizationId,
        bankAccountId: account.id,
        status: 'completed',
        side: 'credit',
        operationType: 'income',
        amount: event.amount,
        settledBalanceMinor: posted.at(-1)?.creditBalance ?? null,
        label: event.debtorName,
        reference: event.remittanceInformation,
        category: 'other_income',
        initiatorId: null,
        subjectType: 'Income',
        counterparty: sepaAccount(event.debtorIban, event.debtorBic ?? ''),
        ledgerReference: incoming.id,
        emittedAt: now,
        settledAt: now,
        recordedAt: now,
      },
    ])
  }
  await publish(tx, [incomingTransferEvent(incoming.status, { ...incoming, amount: event.amount }, now)])
  return incoming.status
}

/** ISO reason for sending it back, or null to credit it. */
function reasonNotToCredit(account: PaymentAccount | undefined): string | null {
  if (!account) return 'AC01'
  if (account.status !== 'active') return 'AC04'
  return account.currency === EUR ? null : 'AG01'
}

function incomingOf(
  event: TransferReceived,
  account: PaymentAccount | undefined,
  reasonCode: string | null,
): store.IncomingTransfer {
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
    status: reasonCode === null ? 'credited' : 'suspended',
    statusReasonCode: reasonCode,
  }
}

const BATCH = 50

/**
 * Sends back what could not be applied, by `pacs.004`, well within the three banking days of the rulebook.
 * @returns how many returns were written.
 * @see EPC125-05 §4.4; sepa.md §8.2, §12.2 "returned within 3 days"
 */
export function sendBackSuspended(database: Database, bank: Bank, homeBook: BookId, now: Date): Promise<number> {
  return database.transaction('system', async (tx) => {
    const suspended = await store.takeSuspended(tx, BATCH)
    for (const incoming of suspended) {
      const account = await findAccountByIban(tx, incoming.creditorIban)
      const bookId = account?.bookId ?? homeBook
      const amount = money(EUR, incoming.amountMinor)
      await postAll(tx, { bookId }, sentBack({ id: incoming.id, amount, bookId }), now)
      const id = newId<'outgoing_message'>()
      await store.insertMessages(
        tx,
        [{ id, messageId: messageIdOf(id), transferId: null, ...writeReturn(bank, incoming, messageIdOf(id), now) }],
        now,
      )
      await store.markReturned(tx, incoming.id)
      await publish(tx, [incomingTransferEvent('returned', { ...incoming, amount }, now)])
    }
    return suspended.length
  })
}
