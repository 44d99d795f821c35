import { publish } from '../../../platform/events/outbox.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as feed from '../../feed/index.ts'
import { decideStatusReport, isFinal, type StatusEffect } from '../domain/credit-transfer.ts'
import { repeatsAmount, type StatusReported } from '../domain/rail-event.ts'
import { creditTransferEvent } from '../events.ts'
import { messageIdsOfTransfers, transactionIdsOfMessage } from '../message-store.ts'
import { amountOf, factOf, lateSettlement, reversal, settlement } from '../postings.ts'
import * as store from '../store.ts'
import { applyReturnReport } from './apply-return-report.ts'
import { SETTLEMENT_DUE_MS } from './investigate-silent-transfers.ts'
import {
  acceptFromHold,
  creditCustomer,
  endAsRejected,
  givenBack,
  move,
  postAll,
  rejectHeld,
  settleFromHold,
} from './transfer-steps.ts'

/**
 * Does to a transfer what the rail reports of it: money, feed and event in one commit. Safe to repeat.
 * @returns what was done, for the record of the message.
 * @see sepa.md §9 (statuses only move forward), §12.1 (entries)
 */
export async function applyStatusReport(tx: Tx, report: StatusReported, now: Date): Promise<string> {
  if (report.about === 'other') return 'nothing'
  if (report.about === 'return') return applyReturnReport(tx, report, now)
  const transactionIds = report.transactionId
    ? [report.transactionId]
    : await transactionIdsOfMessage(tx, report.originalMessageId)
  const outcomes: string[] = []
  for (const transactionId of transactionIds) {
    const transfer = await store.lockTransfer(tx, transactionId)
    outcomes.push(transfer ? await apply(tx, transfer, report, now) : 'transfer_not_found')
  }
  return outcomes.length === 0 ? 'transfer_not_found' : outcomes.join(' ')
}

async function apply(tx: Tx, transfer: store.StoredCreditTransfer, report: StatusReported, now: Date): Promise<string> {
  const isOurs = report.originalMessageId === null || report.originalMessageId === (await sentIn(tx, transfer))
  if (!isOurs || !repeatsAmount(report.repeatedAmount, transfer.amountMinor)) {
    // It speaks of another payment than the one we sent: whatever it says is not true of ours.
    await EFFECTS.contradiction(tx, transfer, report, now)
    return 'contradiction'
  }
  // "Never received" means rejected only while nobody has confirmed the opposite.
  if (report.isUnknownToRail && transfer.status !== 'submitted' && transfer.status !== 'unknown') return 'nothing'
  if (report.isAboutCopy && (transfer.investigatedAt === null || isFinal(transfer.status))) {
    // A refused copy says nothing of the first: ask about that one. If that is the duplicate, the rail says so again when it is asked.
    await store.expectAnswer(tx, [transfer.id], now, ['submitted', 'accepted'])
    tx.wake('payments.ask_about_transfers')
    return 'copy_refused'
  }
  const effect = decideStatusReport(transfer.status, report.status)
  await EFFECTS[effect](tx, transfer, report, now)
  return effect
}

/** The MsgId of the message that carries it; none while it has not been sent. */
const sentIn = async (tx: Tx, { id }: store.StoredCreditTransfer) => (await messageIdsOfTransfers(tx, [id])).get(id)

type Effect = (tx: Tx, transfer: store.StoredCreditTransfer, report: StatusReported, now: Date) => Promise<void>

/** MS03: reason not specified by the agent. */
const NO_REASON = 'MS03'

const EFFECTS: Readonly<Record<StatusEffect, Effect>> = {
  nothing: async () => {},

  accept: async (tx, t, _, now) => {
    await acceptFromHold(tx, t, now)
    await move(tx, t, 'accept', now, { answerDueAt: new Date(now.getTime() + SETTLEMENT_DUE_MS) })
    await publish(tx, [creditTransferEvent('accepted', factOf(t), now)])
  },

  settle: async (tx, t, _, now) => {
    await postAll(tx, t, [settlement(t)], now)
    await move(tx, t, 'settle', now)
    await publish(tx, [creditTransferEvent('settled', factOf(t), now)])
  },

  accept_and_settle: async (tx, t, _, now) => settleFromHold(tx, t, 'accept_and_settle', now),

  reject: (tx, t, report, now) => rejectHeld(tx, t, 'reject', report.reasonCode ?? NO_REASON, now),

  reject_accepted: async (tx, t, report, now) => {
    const entry = await creditCustomer(tx, t, amountOf(t), (creditor) => [reversal(t, creditor)], now)
    if (entry !== 'suspended') await feed.completed({ now }, tx, [givenBack(t, report.reasonCode, entry)])
    await endAsRejected(tx, t, 'reject_accepted', report.reasonCode ?? NO_REASON, now)
  },

  contradiction: async (tx, t, report, now) => {
    await publish(tx, [creditTransferEvent('contradicted', factOf(t, report.reasonCode ?? report.status), now)])
  },

  settle_after_rejection: async (tx, t, _, now) => {
    const steps = lateSettlement(t)
    const [debited] = await postAll(tx, t, steps, now)
    const entry = { amount: amountOf(t), ledgerKey: steps[0].key, balanceMinor: debited?.debitBalance ?? null }
    const late = { ...givenBack(t, null, entry), kind: 'late_transfer', reference: t.remittanceInformation } as const
    await feed.completed({ now }, tx, [late])
    await move(tx, t, 'settle_after_rejection', now)
    await publish(tx, [creditTransferEvent('settled_after_rejection', factOf(t), now)])
  },
}
