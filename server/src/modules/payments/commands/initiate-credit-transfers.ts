import { randomUUID } from 'node:crypto'
import type { CommandContext } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import { localDateOf } from '../../../platform/clock.ts'
import { newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import { ref } from '../../../platform/subject.ts'
import { write } from '../../../platform/write.ts'
import type { PaymentAccount } from '../../accounts/index.ts'
import { type PendingMovement, pendingMovements, sepaAccount } from '../../feed/index.ts'
import {
  carryOut,
  type HoldOperation,
  type MoneyDecision,
  type MoneyEffects,
  type Outcome,
  type PostingRefusal,
} from '../../ledger/index.ts'
import { type CreditTransferInstruction, type CreditTransferRefusal, decideInitiation } from '../domain/instruction.ts'
import { creditTransferEvent } from '../events.ts'
import { factOf, holdKeyOf } from '../postings.ts'
import type * as store from '../store.ts'
import { creditTransferRows } from '../store.ts'

export type InitiationAnswer = Result<store.StoredCreditTransfer, CreditTransferRefusal>

/** SEPA credit transfers to the debit of one account. */
export type InitiationOrder = {
  readonly debtor: PaymentAccount
  readonly instructions: readonly CreditTransferInstruction[]
  /** The pain.001 file they come from, if they come from one. */
  readonly paymentFileId: store.StoredCreditTransfer['paymentFileId']
}

/**
 * Accepts SEPA credit transfers and holds their amounts on the debtor's account, in the order given: one that the balance no longer
 * covers is refused, the others stand.
 *
 * @returns one answer per instruction, in order: the transfer, `pending` until its day, or the first refusal that applies.
 * @see EPC125-05 §4.3.1; sepa.md §12.1 "accepted"
 */
export async function initiateCreditTransfers(ctx: CommandContext, tx: Tx, order: InitiationOrder): Promise<InitiationAnswer[]> {
  const done = await carryOut(ctx, tx, initiationOf(order, ctx.now))
  return done.ok ? done.value : []
}

/** The same as a decision, for orders that share a commit. */
export function initiationOf(order: InitiationOrder, now: Date): MoneyDecision<InitiationAnswer[], never> {
  const decided = order.instructions.map((instruction) => {
    const decision = decideInitiation(instruction, order.debtor, localDateOf(now))
    return decision.ok ? ok(newTransfer(instruction, order, now)) : decision
  })
  const transfers = decided.flatMap((one) => (one.ok ? [one.value] : []))
  return {
    bookId: order.debtor.bookId,
    operations: transfers.map(holdOf),
    effects: (outcomes) => {
      const outcomeOf = new Map(transfers.map((transfer, index) => [transfer, outcomes[index]]))
      const answers = decided.map((one) => (one.ok ? answerOf(one.value, outcomeOf.get(one.value)) : one))
      return ok({ ...acceptanceOf(answers, now), answer: answers })
    },
  }
}

/** Rows and events of the transfers that were accepted. */
function acceptanceOf(answers: readonly InitiationAnswer[], now: Date): Omit<MoneyEffects<unknown>, 'answer'> {
  const accepted = answers.flatMap((answer) => (answer.ok ? [answer.value] : []))
  return {
    writes: [
      write(creditTransferRows, accepted),
      write(
        pendingMovements,
        accepted.map((transfer) => movementOf(transfer, now)),
      ),
    ],
    events: accepted.map((transfer) => creditTransferEvent('initiated', factOf(transfer), now)),
  }
}

function answerOf(transfer: store.StoredCreditTransfer, outcome: Outcome | undefined): InitiationAnswer {
  assert(outcome, 'the ledger left a hold unanswered')
  return outcome.ok ? ok(transfer) : refuse(refusalOf(outcome.refusal))
}

export function newTransfer(
  instruction: CreditTransferInstruction,
  { debtor, paymentFileId }: InitiationOrder,
  now: Date,
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

export const holdOf = (transfer: store.StoredCreditTransfer): HoldOperation => ({
  kind: 'hold',
  key: holdKeyOf(transfer.id),
  code: 'sct.out',
  account: transfer.ledgerAccountId,
  amount: factOf(transfer).amount,
  reference: transfer.id,
})

function refusalOf(refusal: PostingRefusal): CreditTransferRefusal {
  if (refusal === 'available_balance_insufficient') return 'available_balance_insufficient'
  if (refusal === 'debit_account_closed') return 'debtor_account_closed'
  throw new Error(`the ledger refused to hold a credit transfer: ${refusal}`)
}

/** What the debtor sees of it until the rail has answered. */
const movementOf = (transfer: store.StoredCreditTransfer, now: Date): PendingMovement => ({
  id: transfer.feedTransactionId,
  subject: ref('credit_transfer', transfer.id),
  account: { id: transfer.debtorAccountId, organizationId: transfer.organizationId },
  kind: 'transfer',
  amount: factOf(transfer).amount,
  counterparty: {
    name: transfer.creditorName,
    account: sepaAccount(transfer.creditorIban, transfer.creditorBic ?? ''),
  },
  reference: transfer.remittanceInformation ?? transfer.creditorReference,
  ledgerKey: holdKeyOf(transfer.id),
  at: now,
})
