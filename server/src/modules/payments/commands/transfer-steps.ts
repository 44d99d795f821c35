import { assert } from '../../../platform/assert.ts'
import { publish } from '../../../platform/events/outbox.ts'
import type { Money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ref } from '../../../platform/subject.ts'
import * as feed from '../../feed/index.ts'
import { type Operation, type OperationKey, type Posted, post } from '../../ledger/index.ts'
import type { CreditTransferMove } from '../domain/credit-transfer.ts'
import { creditTransferEvent } from '../events.ts'
import { acceptance, acceptKeyOf, factOf, release, settlement } from '../postings.ts'
import { settlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'

// What the commands do to a transfer, whichever message makes them do it: each step moves money, feed, status and event together.

/** Posts the hold and completes the feed row. */
export async function acceptFromHold(tx: Tx, t: store.StoredCreditTransfer, now: Date): Promise<void> {
  const [posted] = await postAll(tx, t, [acceptance(t)], now)
  await completeFeedRow(tx, t, posted, now)
}

/** Acceptance and settlement at once: the rail said only the second, or a return shows that both happened. */
export async function settleFromHold(
  tx: Tx,
  t: store.StoredCreditTransfer,
  step: 'accept_and_settle' | 'settle_in_house',
  now: Date,
): Promise<void> {
  const [posted] = await postAll(tx, t, [acceptance(t), settlement(t)], now)
  await completeFeedRow(tx, t, posted, now)
  await move(tx, t, step, now)
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
  await feed.complete({ now }, tx, [
    { subject: ref('credit_transfer', t.id), ledgerKey: acceptKeyOf(t.id), balanceMinor: balance },
  ])
}

/** The end of a transfer that did not happen; its money has been dealt with. */
export async function endAsRejected(
  tx: Tx,
  t: store.StoredCreditTransfer,
  step: 'reject' | 'reject_in_house' | 'reject_accepted',
  reasonCode: string,
  now: Date,
): Promise<void> {
  await move(tx, t, step, now, { reasonCode })
  await publish(tx, [creditTransferEvent('rejected', factOf(t, reasonCode), now)])
}

export const move = (
  tx: Tx,
  t: store.StoredCreditTransfer,
  step: CreditTransferMove,
  now: Date,
  more: { reasonCode?: string; answerDueAt?: Date } = {},
) => store.moveTransfers(tx, [t.id], step, { now, ...more })

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
): Promise<CreditedEntry | 'suspended'> {
  const steps = operations(t.ledgerAccountId)
  const outcomes = await post(tx, t.bookId, steps, now)
  const last = outcomes.at(-1)
  const ledgerKey = steps.at(-1)?.key
  if (last?.ok && ledgerKey) return { amount, ledgerKey, balanceMinor: last.value.creditBalance }
  await postAll(tx, t, operations(settlementAccounts(t.bookId).suspense), now)
  await store.addSuspended(tx, t.id, amount.minor)
  return 'suspended'
}

/** The entry that reached the customer's account. */
type CreditedEntry = { readonly amount: Money; readonly ledgerKey: OperationKey; readonly balanceMinor: bigint | null }

/** What the debtor sees of money that came back: a movement of its own, since the first one tells what happened then. */
export const givenBack = (
  t: store.StoredCreditTransfer,
  reasonCode: string | null,
  entry: CreditedEntry,
): feed.CompletedMovement => ({
  ...entry,
  subject: ref('credit_transfer', t.id),
  account: { id: t.debtorAccountId, organizationId: t.organizationId },
  kind: 'refund',
  counterparty: { name: t.creditorName, account: feed.sepaAccount(t.creditorIban, t.creditorBic ?? '') },
  reference: `Returned${reasonCode ? ` (${reasonCode})` : ''}: ${t.remittanceInformation ?? t.endToEndId}`,
})

/** Rejected before anybody accepted it: the hold is given back. */
export async function rejectHeld(
  tx: Tx,
  t: store.StoredCreditTransfer,
  step: 'reject' | 'reject_in_house',
  reasonCode: string,
  now: Date,
): Promise<void> {
  await postAll(tx, t, [release(t)], now)
  await feed.decline({ now }, tx, [ref('credit_transfer', t.id)])
  await endAsRejected(tx, t, step, reasonCode, now)
}
