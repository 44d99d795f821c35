import type { CommandContext } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import { localDateOf } from '../../../platform/clock.ts'
import type { NewEvent } from '../../../platform/events/definition.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ok } from '../../../platform/result.ts'
import { ref } from '../../../platform/subject.ts'
import { type Write, write } from '../../../platform/write.ts'
import type { PaymentAccount } from '../../accounts/index.ts'
import * as feed from '../../feed/index.ts'
import { BATCH_MAX, carryOut, type Operation, type Outcome, type Posted } from '../../ledger/index.ts'
import { creditTransferEvent, incomingTransferEvent, internalTransferCompleted } from '../events.ts'
import { type IncomingTransfer, incomingTransferRows } from '../incoming-store.ts'
import { acceptance, acceptKeyOf, factOf, holdKeyOf, receipt, receiptKeyOf, release, settlement } from '../postings.ts'
import { openSettlementAccounts } from '../settlement-accounts.ts'
import * as store from '../store.ts'
import { holdOf, newTransfer } from './initiate-credit-transfers.ts'
import { internalTransferMovements, internalTransferOperation } from './transfer-internally.ts'

/** Somebody at another bank. */
export type PastParty = { readonly name: string; readonly cleanName?: string; readonly iban: string; readonly bic: string }

type Told = {
  readonly at: Date
  readonly amount: Money
  readonly reference: string
  readonly note?: string | undefined
  /** What it was for, where that is known. */
  readonly category: feed.Category
  readonly initiatorId: Id<'membership'> | null
  /** The row in the feed. */
  readonly feedId: Id<'transaction'>
}

export type PastCreditTransfer = Told & {
  readonly kind: 'credit_transfer'
  readonly id: Id<'credit_transfer'>
  readonly debtor: PaymentAccount
  readonly creditor: PastParty
  /** The ISO reason for which the other bank rejected it; without, it was settled. */
  readonly rejected?: string | undefined
}

export type PastIncomingTransfer = Told & {
  readonly kind: 'incoming_transfer'
  readonly id: Id<'incoming_transfer'>
  readonly debtor: PastParty
  readonly creditor: PaymentAccount
}

export type PastInternalTransfer = Told & {
  readonly kind: 'internal_transfer'
  readonly id: Id<'internal_transfer'>
  readonly debtor: PaymentAccount
  readonly creditor: PaymentAccount
  /** The row in the creditor's feed; `feedId` is the debtor's. */
  readonly creditFeedId: Id<'transaction'>
}

/** A payment that had come to its end when it was told: of another system's books, or of an invented past. */
export type PastPayment = PastCreditTransfer | PastIncomingTransfer | PastInternalTransfer

/** The most operations that one payment needs: hold, acceptance, settlement. */
const OPERATIONS_MAX = 3
const PAYMENTS_A_BATCH = Math.trunc(BATCH_MAX / OPERATIONS_MAX)

/**
 * Records payments of the past as if each had gone its whole way on its day: the entries, the rows, the feed and the events are those of a
 * payment of today; only nothing was sent to the rail. Told in the order of their dates, since each row in the feed says what balance it left.
 *
 * @param payments of accounts of one book. Each date becomes the effective time of the entries and the time of events and rows.
 * @throws Bug when one is not covered, or was told before: a past must have been possible.
 */
export async function recordPast(ctx: CommandContext, tx: Tx, payments: readonly PastPayment[]): Promise<void> {
  const [first] = payments
  if (!first) return
  const { bookId } = ownAccountOf(first)
  await openSettlementAccounts(tx, bookId, ctx.now)
  for (const batch of batchesOf(payments)) {
    const steps = batch.map(stepsOf)
    await carryOut(ctx, tx, {
      bookId,
      operations: steps.flatMap(({ operations }) => operations),
      effects: (outcomes) => ok({ ...effectsOf(steps, outcomes), answer: undefined }),
    })
    await endPast(
      tx,
      batch.filter((payment) => payment.kind === 'credit_transfer'),
    )
  }
}

/** A rejected payment ends its batch: its row in the feed is another kind of write, and rows are numbered in the order of their dates. */
function batchesOf(payments: readonly PastPayment[]): PastPayment[][] {
  const batches: PastPayment[][] = [[]]
  for (const payment of payments) {
    const last = batches.at(-1) as PastPayment[]
    last.push(payment)
    const isRejected = payment.kind === 'credit_transfer' && payment.rejected !== undefined
    if (isRejected || last.length === PAYMENTS_A_BATCH) batches.push([])
  }
  return batches.filter((batch) => batch.length > 0)
}

const ownAccountOf = (payment: PastPayment): PaymentAccount =>
  payment.kind === 'incoming_transfer' ? payment.creditor : payment.debtor

type Steps = {
  readonly operations: readonly Operation[]
  effects(posted: readonly Posted[]): { readonly writes: readonly Write[]; readonly events: readonly NewEvent[] }
}

function effectsOf(steps: readonly Steps[], outcomes: readonly Outcome[]) {
  const posted = outcomes
    .map((outcome): Posted => {
      assert(outcome.ok, `a payment of the past was refused: ${outcome.ok ? '' : outcome.refusal}`)
      return outcome.value
    })
    .values()
  const effects = steps.map((step) => step.effects(posted.take(step.operations.length).toArray()))
  return { writes: effects.flatMap(({ writes }) => writes), events: effects.flatMap(({ events }) => events) }
}

function stepsOf(payment: PastPayment): Steps {
  switch (payment.kind) {
    case 'credit_transfer':
      return outgoing(payment)
    case 'incoming_transfer':
      return incoming(payment)
    case 'internal_transfer':
      return internal(payment)
  }
}

function outgoing(payment: PastCreditTransfer): Steps {
  const { at, rejected } = payment
  const transfer: store.StoredCreditTransfer = {
    ...newTransfer(
      {
        id: payment.id,
        creditorName: payment.creditor.name,
        creditorIban: payment.creditor.iban,
        creditorBic: payment.creditor.bic,
        amount: payment.amount,
        endToEndId: 'NOTPROVIDED',
        instructionId: null,
        remittanceInformation: payment.reference,
        creditorReference: null,
        purpose: null,
        requestedExecutionDate: localDateOf(at),
        paymentInformationId: null,
      },
      { debtor: payment.debtor, instructions: [], paymentFileId: null },
      at,
    ),
    feedTransactionId: payment.feedId,
    status: rejected === undefined ? 'settled' : 'rejected',
    statusReasonCode: rejected ?? null,
  }
  const movement = movementOf(payment, ref('credit_transfer', payment.id), payment.debtor, payment.creditor)
  const told = (what: 'initiated' | 'submitted' | 'accepted' | 'settled' | 'rejected') =>
    creditTransferEvent(what, factOf(transfer, what === 'rejected' ? rejected : undefined), at)
  if (rejected !== undefined) {
    const pending = { ...movement, kind: 'transfer', ledgerKey: holdKeyOf(payment.id) } as const
    return {
      operations: [holdOf(transfer), release(transfer)],
      effects: () => ({
        writes: [write(store.creditTransferRows, [transfer]), write(feed.pendingMovements, [pending])],
        events: [told('initiated'), told('submitted'), told('rejected')],
      }),
    }
  }
  return {
    operations: [holdOf(transfer), { ...acceptance(transfer), effectiveAt: at }, { ...settlement(transfer), effectiveAt: at }],
    effects: ([, accepted]) => ({
      writes: [
        write(store.creditTransferRows, [transfer]),
        write(feed.completedMovements, [
          { ...movement, kind: 'transfer', ledgerKey: acceptKeyOf(payment.id), balanceMinor: accepted?.debitBalance ?? null },
        ]),
      ],
      events: [told('initiated'), told('submitted'), told('accepted'), told('settled')],
    }),
  }
}

function incoming(payment: PastIncomingTransfer): Steps {
  const { at, creditor, debtor, amount } = payment
  const reference = payment.id.replaceAll('-', '')
  const row: IncomingTransfer = {
    id: payment.id,
    organizationId: creditor.organizationId,
    creditorAccountId: creditor.id,
    instructingAgent: debtor.bic,
    transactionId: reference,
    endToEndId: 'NOTPROVIDED',
    originalMessageId: reference,
    debtorName: debtor.name,
    debtorIban: debtor.iban,
    debtorBic: debtor.bic,
    creditorName: creditor.holderName,
    creditorIban: creditor.iban,
    amountMinor: amount.minor,
    remittanceInformation: payment.reference,
    settlementDate: localDateOf(at),
    bookId: creditor.bookId,
    status: 'credited',
    statusReasonCode: null,
  }
  const movement = movementOf(payment, ref('incoming_transfer', payment.id), creditor, debtor)
  return {
    operations: receipt({ id: payment.id, amount, bookId: creditor.bookId }, creditor.ledgerAccountId).map((leg) => ({
      ...leg,
      effectiveAt: at,
    })),
    effects: ([, applied]) => ({
      writes: [
        write(incomingTransferRows, [{ ...row, receivedAt: at }]),
        write(feed.completedMovements, [
          { ...movement, kind: 'income', ledgerKey: receiptKeyOf(payment.id), balanceMinor: applied?.creditBalance ?? null },
        ]),
      ],
      events: [incomingTransferEvent('credited', { ...row, amount }, at)],
    }),
  }
}

function internal(payment: PastInternalTransfer): Steps {
  const { at, debtor, creditor } = payment
  const parties = { debtor, creditor }
  const instruction = {
    id: payment.id,
    organizationId: debtor.organizationId,
    debtorIban: debtor.iban,
    creditorIban: creditor.iban,
    amount: payment.amount,
    remittanceInformation: payment.reference,
    initiatorId: payment.initiatorId,
    orderedAt: at,
  }
  return {
    operations: [{ ...internalTransferOperation(instruction, parties), effectiveAt: at }],
    effects: ([moved]) => {
      assert(moved, 'the ledger left an operation unanswered')
      const [debit, credit] = internalTransferMovements(instruction, parties, moved)
      return {
        writes: [
          write(store.internalTransferRows, [{ instruction, parties }]),
          write(feed.completedMovements, [
            { ...debit, id: payment.feedId },
            { ...credit, id: payment.creditFeedId },
          ]),
        ],
        events: [internalTransferCompleted(instruction)],
      }
    },
  }
}

const movementOf = (told: Told, subject: feed.Movement['subject'], account: PaymentAccount, other: PastParty) => ({
  id: told.feedId,
  subject,
  account,
  amount: told.amount,
  counterparty: {
    name: other.name,
    ...(other.cleanName !== undefined && { cleanName: other.cleanName }),
    account: feed.sepaAccount(other.iban, other.bic),
  },
  reference: told.reference,
  note: told.note ?? null,
  category: told.category,
  initiatorId: told.initiatorId,
  at: told.at,
})

/** What the rows of a transfer get only on its way: when it was submitted, and that a rejected one is declined in the feed. */
async function endPast(tx: Tx, transfers: readonly PastCreditTransfer[]): Promise<void> {
  if (transfers.length === 0) return
  await store.stampSubmitted(
    tx,
    transfers.map(({ id }) => id),
  )
  for (const { id, at, rejected } of transfers)
    if (rejected !== undefined) await feed.decline({ now: at }, tx, [ref('credit_transfer', id)])
}
