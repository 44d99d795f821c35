import { assert } from '../../../platform/assert.ts'
import { publish } from '../../../platform/events/outbox.ts'
import { newId } from '../../../platform/ids.ts'
import type { Money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { declineTransactions, type NewTransaction, sepaAccount, settleTransactions } from '../../feed/index.ts'
import { type Operation, type Posted, post } from '../../ledger/index.ts'
import type { CreditTransferStatus } from '../domain/credit-transfer.ts'
import { creditTransferEvent } from '../events.ts'
import { acceptance, acceptKeyOf, amountOf, factOf, release, settlement } from '../postings.ts'
import { settlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'

// What the commands do to a transfer, whichever message makes them do it: each step moves money, feed, status and event together.

/** Posts the hold and completes the feed row. */
export async function acceptFromHold(tx: Tx, t: store.StoredCreditTransfer, now: Date): Promise<void> {
  const [posted] = await postAll(tx, t, [acceptance(t)], now)
  await completeFeedRow(tx, t, posted, now)
}

/** Acceptance and settlement at once: the rail said only the second, or a return shows that both happened. */
export async function settleFromHold(tx: Tx, t: store.StoredCreditTransfer, now: Date): Promise<void> {
  const [posted] = await postAll(tx, t, [acceptance(t), settlement(t)], now)
  await completeFeedRow(tx, t, posted, now)
  await move(tx, t, 'settled', now)
  await publish(tx, [creditTransferEvent('accepted', factOf(t), now), creditTransferEvent('settled', factOf(t), now)])
}

/** The pending row in the debtor's feed becomes a booked one. */
export async function completeFeedRow(
  tx: Tx,
  t: store.StoredCreditTransfer,
  posted: Posted | undefined,
  now: Date,
): Promise<void> {
  const balance = posted?.debitBalance
  assert(balance !== undefined && balance !== null, 'a posted hold has a debit leg')
  const completed = { id: t.feedTransactionId, settledAt: now, settledBalanceMinor: balance, ledgerReference: acceptKeyOf(t.id) }
  await settleTransactions(tx, [completed])
}

/** The end of a transfer that did not happen; its money has been dealt with. */
export async function endAsRejected(tx: Tx, t: store.StoredCreditTransfer, reasonCode: string, now: Date): Promise<void> {
  await move(tx, t, 'rejected', now, { reasonCode })
  await publish(tx, [creditTransferEvent('rejected', factOf(t, reasonCode), now)])
}

export const move = (
  tx: Tx,
  t: store.StoredCreditTransfer,
  status: CreditTransferStatus,
  now: Date,
  more: { reasonCode?: string; answerDueAt?: Date } = {},
) => store.setStatus(tx, [t.id], { status, now, ...more })

/** Posts what the books must take now. @throws Bug on a refusal: every refusal that can happen here is dealt with before. */
export async function postAll(
  tx: Tx,
  t: Pick<store.StoredCreditTransfer, 'bookId'>,
  operations: Operation[],
  now: Date,
): Promise<Posted[]> {
  const outcomes = await post(tx, t.bookId, operations, now)
  return outcomes.map((outcome) => {
    assert(outcome.ok, `the ledger refused a step of a credit transfer: ${outcome.ok ? '' : outcome.refusal}`)
    return outcome.value
  })
}

/** Gives money back to the debtor, or, when his account has been closed since, to suspense, where an operator finds it. */
export async function creditCustomer(
  tx: Tx,
  t: store.StoredCreditTransfer,
  amount: Money,
  operations: (creditor: store.StoredCreditTransfer['ledgerAccountId']) => Operation[],
  now: Date,
): Promise<{ creditBalance: bigint | null; isSuspended: boolean }> {
  const outcomes = await post(tx, t.bookId, operations(t.ledgerAccountId), now)
  const last = outcomes.at(-1)
  if (last?.ok) return { creditBalance: last.value.creditBalance, isSuspended: false }
  await postAll(tx, t, operations(settlementAccounts(t.bookId).suspense), now)
  await store.addSuspended(tx, t.id, amount.minor)
  return { creditBalance: null, isSuspended: true }
}

/** The feed row of money that came back: a new row, since the first one tells what happened then. */
export function givenBackRow(
  t: store.StoredCreditTransfer,
  reasonCode: string | null,
  balance: bigint | null,
  now: Date,
): NewTransaction {
  return {
    id: newId<'transaction'>(),
    organizationId: t.organizationId,
    bankAccountId: t.debtorAccountId,
    status: 'completed',
    side: 'credit',
    operationType: 'income',
    amount: amountOf(t),
    settledBalanceMinor: balance,
    label: t.creditorName,
    reference: `Returned${reasonCode ? ` (${reasonCode})` : ''}: ${t.remittanceInformation ?? t.endToEndId}`,
    category: 'refund',
    initiatorId: null,
    subjectType: 'Income',
    counterparty: sepaAccount(t.creditorIban, t.creditorBic ?? ''),
    ledgerReference: t.id,
    emittedAt: now,
    settledAt: now,
    recordedAt: now,
  }
}

/** Rejected before anybody accepted it: the hold is given back. */
export async function rejectHeld(tx: Tx, t: store.StoredCreditTransfer, reasonCode: string, now: Date): Promise<void> {
  await postAll(tx, t, [release(t)], now)
  await declineTransactions(tx, [t.feedTransactionId], now)
  await endAsRejected(tx, t, reasonCode, now)
}
