import { createHash } from 'node:crypto'
import { readIban } from '../../../formats/payments/iban.ts'
import { type PaymentInitiation, readPaymentInitiation, type UnreadableInitiation } from '../../../formats/payments/pain001.ts'
import {
  type AcceptedTransfer,
  decidePaymentInitiation,
  type InitiationDecision,
} from '../../../formats/payments/pain001-rules.ts'
import { TRANSFER_RULES, type TransferRule } from '../../../formats/payments/sepa-transfer.ts'
import { type CommandContext, systemActor } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import { localDateOf } from '../../../platform/clock.ts'
import { need } from '../../../platform/gather.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result } from '../../../platform/result.ts'
import { type Write, write } from '../../../platform/write.ts'
import { findAccountsByIban, type PaymentAccount } from '../../accounts/index.ts'
import type { MoneyDecision, MoneyLane, MoneyOrder } from '../../ledger/index.ts'
import { CREDIT_TRANSFER_REFUSALS, type CreditTransferRefusal } from '../domain/instruction.ts'
import * as files from '../file-store.ts'
import { ordersOf, type PaymentOrder } from '../payment-orders.ts'
import * as store from '../store.ts'
import { initiationOf } from './initiate-credit-transfers.ts'

/** What became of a transfer that the rules let through: it is on its way, or the account refused it. */
export type FiledTransfer =
  | { readonly id: store.StoredCreditTransfer['id']; readonly refusal?: never }
  | { readonly id?: never; readonly refusal: { readonly code: string; readonly message: string } }

export type AcceptedPaymentFile = {
  /** The file as it is remembered; undefined when nothing of it was accepted. */
  readonly id?: Id<'payment_file'>
  readonly decision: InitiationDecision
  /** By the decision's own transfers; none when the whole file is refused. */
  readonly transfers: ReadonlyMap<AcceptedTransfer, FiledTransfer>
}

const REFUSAL_WORDS: Readonly<Record<Exclude<CreditTransferRefusal, TransferRule>, string>> = {
  text_not_storable: 'The order has characters that cannot be stored',
  debtor_account_closed: 'The debtor account is closed',
  debtor_name_missing: 'The debtor account has no holder’s name',
  creditor_is_debtor: 'Creditor and debtor account are the same',
  amount_out_of_range: 'The amount is out of range',
  currency_not_euro: 'The account or the amount is not in EUR',
  available_balance_insufficient: 'The available balance does not cover the amount',
}

/** A payment file as it was handed in. */
export type HandedInFile = {
  readonly bytes: Uint8Array
  /** The account to debit. */
  readonly debtor: PaymentAccount
  /**
   * Whether it may stand in for another account that the file names as debtor: for a file that was made for an account elsewhere, when the customer
   * says so. Without his word such a file is refused, for it may be the wrong account that he named.
   */
  readonly mayReplaceDebtor?: boolean
  /**
   * Whether the same file, accepted before and never answered, is taken up where it was interrupted. Only for a caller who knows that
   * nobody else is at work on it.
   */
  readonly mayResume?: boolean
}

/**
 * Accepts a customer's payment file (pain.001.001.03 or .09) to the debit of one account, as one money order: the file is
 * remembered by its MsgId and every transfer that passes the rules and is covered is held; another with the same MsgId is refused (AM05).
 * A file of which nothing is accepted is not remembered: its MsgId can be used again once it is right.
 *
 * @returns what was decided of each transaction, or why the file cannot be read (FF01); then nothing was written.
 * @see EPC132-08; sepa.md §4, §9
 */
export async function acceptPaymentFile(
  ctx: CommandContext & { readonly database: Database; readonly moneyLane: MoneyLane },
  file: HandedInFile,
): Promise<Result<AcceptedPaymentFile, UnreadableInitiation>> {
  const read = readPaymentInitiation(file.bytes)
  if (!read.ok) return read
  const standsInFor = await standInOf(ctx.database, read.value, file)
  const answer = await ctx.moneyLane.submit(orderOf(read.value, standsInFor, file, ctx.now))
  assert(answer.ok && answer.value.value, 'a payment file has no key, and what is refused of it is said in its answer')
  return ok(answer.value.value)
}

/** Notes that the sender of an accepted file has his answer: from now on the same file again is a duplicate. */
export const recordPaymentFileAnswer = async (ctx: CommandContext, tx: Tx, id: Id<'payment_file'>): Promise<void> => {
  await files.recordFileAnswer(tx, id, ctx.now)
}

/**
 * Which debtor accounts of the file mean the account that the customer named beside it: another one only by his word. Even then a file that
 * names accounts of this bank, whosever, is taken at its own. Otherwise it was made for an account elsewhere: the first one that it names,
 * and no other, is this one.
 */
async function standInOf(
  database: Database,
  initiation: PaymentInitiation,
  { debtor, mayReplaceDebtor }: HandedInFile,
): Promise<StandIn> {
  if (!mayReplaceDebtor) return (iban) => iban === debtor.iban
  const named = initiation.paymentInformations.flatMap(({ debtorIban }) => {
    const iban = readIban(debtorIban ?? '')
    return iban.ok ? [iban.value] : []
  })
  const ours = await database.read(systemActor('payments.payment_file'), (tx) => findAccountsByIban(tx, named))
  return (iban) => iban === debtor.iban || (ours.size === 0 && iban === named[0])
}

type StandIn = (iban: string) => boolean

function orderOf(
  initiation: PaymentInitiation,
  standsInFor: StandIn,
  file: HandedInFile,
  now: Date,
): MoneyOrder<AcceptedPaymentFile, never> {
  const { debtor } = file
  const { organizationId } = debtor
  const transactions = initiation.paymentInformations.reduce((count, block) => count + block.transactions.length, 0)
  const handedIn: Received = {
    initiation,
    debtor,
    id: newId<'payment_file'>(),
    contentSha256: createHash('sha256').update(file.bytes).digest(),
    transferIds: Array.from({ length: transactions }, () => newId<'credit_transfer'>()),
    now,
  }
  const decide = (isUsed: boolean, receivedAt = now) =>
    decidePaymentInitiation(initiation, {
      accountIban: debtor.iban,
      standsInFor,
      today: localDateOf(receivedAt),
      isMessageIdUsed: () => isUsed,
    })
  const key = files.fileKey(organizationId, initiation.messageId)
  return {
    organizationId,
    orderedAt: now,
    apart: `payments.payment_file ${initiation.messageId}`,
    weight: transactions,
    needs: [need(files.filesByMessageId, [key])],
    decide: (facts) => {
      const earlier = facts.of(files.filesByMessageId).get(key)
      if (earlier && isTakenUp(earlier, handedIn, file))
        return ok(withoutMoney(debtor, resumed(earlier, decide(false, earlier.receivedAt), handedIn)))
      const decision = decide(earlier !== undefined)
      const orders = ordersOf(decision, handedIn.transferIds)
      return ok(
        orders.length === 0 ? withoutMoney(debtor, { decision, transfers: new Map() }) : acceptance(handedIn, decision, orders),
      )
    },
  }
}

/** A file that is being accepted. Its ids are made once, however often it is decided. */
type Received = {
  readonly initiation: PaymentInitiation
  readonly debtor: PaymentAccount
  readonly id: Id<'payment_file'>
  readonly contentSha256: Buffer
  readonly transferIds: readonly Id<'credit_transfer'>[]
  readonly now: Date
}

/** An earlier file that is this one: accepted by an attempt whose commit we did not hear of, or interrupted before its sender was answered. */
const isTakenUp = (
  earlier: files.KnownPaymentFile,
  { id, contentSha256 }: Received,
  { debtor, mayResume }: HandedInFile,
): boolean =>
  earlier.id === id ||
  (mayResume === true &&
    !earlier.isAnswered &&
    earlier.debtorAccountId === debtor.id &&
    earlier.contentSha256?.equals(contentSha256) === true)

const withoutMoney = ({ bookId }: PaymentAccount, answer: AcceptedPaymentFile): MoneyDecision<AcceptedPaymentFile, never> => ({
  bookId,
  operations: [],
  effects: () => ok({ writes: [], events: [], answer }),
})

/** The outcome of a file that was accepted before, read back. */
function resumed(earlier: files.KnownPaymentFile, decision: InitiationDecision, { transferIds }: Received): AcceptedPaymentFile {
  const outcomes = new Map(earlier.outcomes.map((outcome) => [outcome.filePosition, outcome]))
  const transfers = ordersOf(decision, transferIds).map(({ transfer, position }): [AcceptedTransfer, FiledTransfer] => {
    const outcome = outcomes.get(position)
    assert(outcome, `transaction ${position} of payment file ${earlier.id} has no outcome`)
    return [transfer, outcome.transferId ? { id: outcome.transferId } : { refusal: reasonOfCode(outcome.statusReasonCode) }]
  })
  return { id: earlier.id, decision, transfers: new Map(transfers) }
}

/** Holds what the rules let through. The file is remembered with what the outcomes say of it, unless they say that nothing is covered. */
function acceptance(
  received: Received,
  decision: InitiationDecision,
  orders: readonly PaymentOrder[],
): MoneyDecision<AcceptedPaymentFile, never> {
  const initiation = initiationOf(
    { debtor: received.debtor, instructions: orders.map(({ instruction }) => instruction), paymentFileId: received.id },
    received.now,
  )
  return {
    ...initiation,
    effects: (outcomes) => {
      const initiated = initiation.effects(outcomes)
      if (!initiated.ok) return initiated
      const { writes, events, answer } = initiated.value
      const filed = orders.map(({ transfer, position }, index): Filed => {
        const one = answer[index]
        assert(one, 'an instruction was left unanswered')
        return { transfer, position, outcome: one.ok ? { id: one.value.id } : { refusal: reasonOf(one.refusal) } }
      })
      const transfers = new Map(filed.map(({ transfer, outcome }) => [transfer, outcome]))
      if (!filed.some(({ outcome }) => outcome.id)) return ok({ writes: [], events: [], answer: { decision, transfers } })
      return ok({
        writes: [...fileWrites(received, orders, filed), ...writes],
        events,
        answer: { id: received.id, decision, transfers },
      })
    },
  }
}

type Filed = { readonly transfer: AcceptedTransfer; readonly position: number; readonly outcome: FiledTransfer }

/** The record of the file and of what the account refused of it. */
function fileWrites(received: Received, orders: readonly PaymentOrder[], filed: readonly Filed[]): Write[] {
  const { id, initiation, debtor, contentSha256, transferIds, now } = received
  const isWhole = orders.length === transferIds.length && filed.every(({ outcome }) => outcome.id)
  const { organizationId } = debtor
  const file: files.NewPaymentFile = {
    id,
    organizationId,
    messageId: initiation.messageId,
    debtorAccountId: debtor.id,
    messageName: initiation.messageName,
    status: isWhole ? 'accepted' : 'partly_accepted',
    transactions: transferIds.length,
    controlSumMinor: orders.reduce((sum, { instruction }) => sum + instruction.amount.minor, 0n),
    contentSha256,
    receivedAt: now,
  }
  const refusals = filed.flatMap(({ position, outcome: { refusal } }) =>
    refusal ? [{ id, organizationId, filePosition: position, statusReasonCode: refusal.code }] : [],
  )
  return [write(files.paymentFileRows, [file]), write(files.fileRefusalRows, refusals)]
}

const reasonOf = (refusal: CreditTransferRefusal) => ({
  code: CREDIT_TRANSFER_REFUSALS[refusal],
  message: isTransferRule(refusal) ? `The transfer cannot be sent: ${refusal.replaceAll('_', ' ')}` : REFUSAL_WORDS[refusal],
})

const isTransferRule = (refusal: CreditTransferRefusal): refusal is TransferRule => refusal in TRANSFER_RULES

const reasonOfCode = (code: string | null) => {
  const refusal = (Object.keys(CREDIT_TRANSFER_REFUSALS) as CreditTransferRefusal[]).find(
    (name) => CREDIT_TRANSFER_REFUSALS[name] === code,
  )
  assert(refusal, `${code} is no refusal of an account`)
  return reasonOf(refusal)
}

/** Where the transfers of payment files stand by now, by id. */
export const creditTransferStatuses = async (
  tx: Tx,
  ids: readonly store.StoredCreditTransfer['id'][],
): Promise<Map<string, Pick<store.StoredCreditTransfer, 'status' | 'statusReasonCode' | 'requestedExecutionDate'>>> =>
  new Map((await store.statusesOf(tx, ids)).map((row) => [row.id, row]))
