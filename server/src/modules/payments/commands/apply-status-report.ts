import { assert } from '../../../platform/assert.ts'
import { newId } from '../../../platform/ids.ts'
import { publish } from '../../../platform/outbox.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import {
  declineTransactions,
  type NewTransaction,
  recordTransactions,
  sepaAccount,
  settleTransactions,
} from '../../accounts/index.ts'
import { type Operation, type Posted, post } from '../../ledger/index.ts'
import { type CreditTransferStatus, decideStatusReport, type StatusEffect } from '../domain/credit-transfer.ts'
import type { StatusReported } from '../domain/rail-event.ts'
import { creditTransferEvent } from '../events.ts'
import { acceptance, acceptKeyOf, amountOf, factOf, lateSettlement, release, reversal, settlement } from '../postings.ts'
import { settlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'
import { SETTLEMENT_DUE_MS } from './investigate-silent-transfers.ts'

/**
 * Does to a transfer what the rail reports of it: money, feed and event in one commit. Safe to repeat.
 * @returns what was done, for the record of the message.
 * @see sepa.md §9 (statuses only move forward), §12.1 (entries)
 */
export async function applyStatusReport(tx: Tx, report: StatusReported, now: Date): Promise<string> {
  const transactionIds = report.transactionId
    ? [report.transactionId]
    : await store.transactionIdsOfMessage(tx, report.originalMessageId)
  const outcomes: string[] = []
  for (const transactionId of transactionIds) {
    const transfer = await store.lockTransfer(tx, transactionId)
    outcomes.push(transfer ? await apply(tx, transfer, report, now) : 'transfer_not_found')
  }
  return outcomes.length === 0 ? 'transfer_not_found' : outcomes.join(' ')
}

async function apply(tx: Tx, transfer: store.StoredCreditTransfer, report: StatusReported, now: Date): Promise<string> {
  // "Never received" means rejected only while nobody has confirmed the opposite.
  if (report.isUnknownToRail && transfer.status !== 'submitted' && transfer.status !== 'unknown') return 'nothing'
  if (report.isAboutCopy) {
    // The rail refused a copy, which says nothing of the first: ask about that one.
    await store.expectAnswer(tx, transfer.id, now)
    return 'copy_refused'
  }
  const effect = decideStatusReport(transfer.status, report.status)
  await EFFECTS[effect](tx, transfer, report, now)
  return effect
}

type Effect = (tx: Tx, transfer: store.StoredCreditTransfer, report: StatusReported, now: Date) => Promise<void>

const EFFECTS: Readonly<Record<StatusEffect, Effect>> = {
  nothing: async () => {},

  accept: async (tx, t, _, now) => {
    await accept(tx, t, now)
    await move(tx, t, 'accepted', now, { answerDueAt: new Date(now.getTime() + SETTLEMENT_DUE_MS) })
    await publish(tx, [creditTransferEvent('accepted', factOf(t), now)])
  },

  settle: async (tx, t, _, now) => {
    await postAll(tx, t, [settlement(t)], now)
    await move(tx, t, 'settled', now)
    await publish(tx, [creditTransferEvent('settled', factOf(t), now)])
  },

  accept_and_settle: async (tx, t, _, now) => settleFromHold(tx, t, now),

  reject: async (tx, t, report, now) => {
    await postAll(tx, t, [release(t)], now)
    await declineTransactions(tx, [t.feedTransactionId], now)
    await reject(tx, t, report, now)
  },

  reject_accepted: async (tx, t, report, now) => {
    const { creditBalance, isSuspended } = await creditCustomer(tx, t, (creditor) => [reversal(t, creditor)], now)
    if (!isSuspended) await recordTransactions(tx, [givenBackRow(t, report.reasonCode, creditBalance, now)])
    await reject(tx, t, report, now)
  },

  contradiction: async (tx, t, report, now) => {
    await publish(tx, [creditTransferEvent('contradicted', factOf(t, report.reasonCode ?? report.status), now)])
  },

  settle_after_rejection: async (tx, t, _, now) => {
    const [debited] = await postAll(tx, t, lateSettlement(t), now)
    const row = {
      ...givenBackRow(t, null, debited?.debitBalance ?? null, now),
      side: 'debit',
      operationType: 'transfer',
      subjectType: 'Transfer',
    } as const
    await recordTransactions(tx, [{ ...row, reference: t.remittanceInformation, category: 'other_expense' }])
    await move(tx, t, 'settled', now)
    await publish(tx, [creditTransferEvent('settled_after_rejection', factOf(t), now)])
  },
}

/** Posts the hold and completes the feed row. */
async function accept(tx: Tx, t: store.StoredCreditTransfer, now: Date): Promise<void> {
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

async function completeFeedRow(tx: Tx, t: store.StoredCreditTransfer, posted: Posted | undefined, now: Date): Promise<void> {
  const balance = posted?.debitBalance
  assert(balance !== undefined && balance !== null, 'a posted hold has a debit leg')
  const completed = { id: t.feedTransactionId, settledAt: now, settledBalanceMinor: balance, ledgerReference: acceptKeyOf(t.id) }
  await settleTransactions(tx, [completed])
}

async function reject(tx: Tx, t: store.StoredCreditTransfer, report: StatusReported, now: Date): Promise<void> {
  const reasonCode = report.reasonCode ?? 'MS03'
  await move(tx, t, 'rejected', now, { reasonCode })
  await publish(tx, [creditTransferEvent('rejected', factOf(t, reasonCode), now)])
}

const move = (
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
  operations: (creditor: store.StoredCreditTransfer['ledgerAccountId']) => Operation[],
  now: Date,
): Promise<{ creditBalance: bigint | null; isSuspended: boolean }> {
  const outcomes = await post(tx, t.bookId, operations(t.ledgerAccountId), now)
  const last = outcomes.at(-1)
  if (last?.ok) return { creditBalance: last.value.creditBalance, isSuspended: false }
  await postAll(tx, t, operations(settlementAccounts(t.bookId).suspense), now)
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
