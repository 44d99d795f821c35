import { randomUUID } from 'node:crypto'
import { assert } from '../../../platform/assert.ts'
import { newId } from '../../../platform/ids.ts'
import { publish } from '../../../platform/outbox.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import type { PaymentAccount } from '../../accounts/index.ts'
import { type NewTransaction, recordTransactions, sepaAccount } from '../../feed/index.ts'
import { BATCH_MAX, type HoldOperation, type Outcome, post } from '../../ledger/index.ts'
import { type CreditTransferInstruction, type CreditTransferRefusal, decideInitiation } from '../domain/instruction.ts'
import { creditTransferEvent } from '../events.ts'
import { factOf, holdKeyOf } from '../postings.ts'
import { openSettlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'

export type InitiationAnswer = Result<store.StoredCreditTransfer, CreditTransferRefusal>

/**
 * Accepts SEPA credit transfers and holds their amounts on the debtor's account, in the order given: one that the balance no longer
 * covers is refused, the others stand.
 *
 * @param paymentFileId the pain.001 file they come from, if they come from one.
 * @returns one answer per instruction, in order: the transfer, `pending` until its day, or the first refusal that applies.
 * @see EPC125-05 §4.3.1; sepa.md §12.1 "accepted"
 */
export async function initiateCreditTransfers(
  tx: Tx,
  order: {
    readonly debtor: PaymentAccount
    readonly instructions: readonly CreditTransferInstruction[]
    readonly paymentFileId: store.StoredCreditTransfer['paymentFileId']
    readonly now: Date
  },
): Promise<InitiationAnswer[]> {
  const decided = order.instructions.map((instruction) => {
    const decision = decideInitiation(instruction, order.debtor)
    return decision.ok ? ok(newTransfer(instruction, order)) : decision
  })
  await openSettlementAccounts(tx, order.debtor.bookId, order.now)
  const outcomes = await holdAll(
    tx,
    order,
    decided.flatMap((d) => (d.ok ? [d.value] : [])),
  )
  const answers = decided.map((decision): InitiationAnswer => {
    if (!decision.ok) return decision
    const outcome = outcomes.get(decision.value.id)
    assert(outcome, 'the ledger left a hold unanswered')
    return outcome.ok ? decision : refuse(refusalOf(outcome.refusal))
  })
  const accepted = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
  if (accepted.length === 0) return answers
  await store.insertCreditTransfers(tx, accepted)
  await recordTransactions(
    tx,
    accepted.map((transfer) => pendingFeedRow(transfer, order.now)),
  )
  await publish(
    tx,
    accepted.map((transfer) => creditTransferEvent('initiated', factOf(transfer), order.now)),
  )
  return answers
}

function newTransfer(
  instruction: CreditTransferInstruction,
  {
    debtor,
    paymentFileId,
    now,
  }: { debtor: PaymentAccount; paymentFileId: store.StoredCreditTransfer['paymentFileId']; now: Date },
): store.StoredCreditTransfer {
  const { id, amount, uetr, filePosition, details, ...rest } = instruction
  return {
    ...rest,
    id,
    organizationId: debtor.organizationId,
    debtorAccountId: debtor.id,
    bookId: debtor.bookId,
    ledgerAccountId: debtor.ledgerAccountId,
    debtorName: debtor.holderName,
    debtorIban: debtor.iban,
    amountMinor: amount.minor,
    // 35 characters at most, unique for us: the id without its hyphens.
    transactionId: id.replaceAll('-', ''),
    uetr: uetr ?? randomUUID(),
    filePosition: filePosition ?? null,
    details: details ?? {},
    paymentFileId,
    status: 'pending',
    statusReasonCode: null,
    feedTransactionId: newId<'transaction'>(),
    createdAt: now,
    investigatedAt: null,
  }
}

async function holdAll(
  tx: Tx,
  { debtor, now }: { debtor: PaymentAccount; now: Date },
  transfers: readonly store.StoredCreditTransfer[],
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>()
  for (let start = 0; start < transfers.length; start += BATCH_MAX) {
    const batch = transfers.slice(start, start + BATCH_MAX)
    const answers = await post(tx, debtor.bookId, batch.map(holdOf), now)
    batch.forEach((transfer, index) => {
      const answer = answers[index]
      if (answer) outcomes.set(transfer.id, answer)
    })
  }
  return outcomes
}

const holdOf = (transfer: store.StoredCreditTransfer): HoldOperation => ({
  kind: 'hold',
  key: holdKeyOf(transfer.id),
  code: 'sct.out',
  account: transfer.ledgerAccountId,
  amount: factOf(transfer).amount,
  reference: transfer.id,
})

function refusalOf(refusal: Extract<Outcome, { ok: false }>['refusal']): CreditTransferRefusal {
  if (refusal === 'available_balance_insufficient') return 'available_balance_insufficient'
  if (refusal === 'debit_account_closed') return 'debtor_account_closed'
  throw new Error(`the ledger refused to hold a credit transfer: ${refusal}`)
}

const pendingFeedRow = (transfer: store.StoredCreditTransfer, now: Date): NewTransaction => ({
  id: transfer.feedTransactionId,
  organizationId: transfer.organizationId,
  bankAccountId: transfer.debtorAccountId,
  status: 'pending',
  side: 'debit',
  operationType: 'transfer',
  amount: factOf(transfer).amount,
  settledBalanceMinor: null,
  label: transfer.creditorName,
  reference: transfer.remittanceInformation ?? transfer.creditorReference,
  category: 'pending',
  initiatorId: null,
  subjectType: 'Transfer',
  counterparty: sepaAccount(transfer.creditorIban, transfer.creditorBic ?? ''),
  attachmentRequired: true,
  ledgerReference: holdKeyOf(transfer.id),
  emittedAt: now,
  settledAt: null,
  recordedAt: now,
})
