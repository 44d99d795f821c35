import { createHash } from 'node:crypto'
import { readIban } from '../../../formats/payments/iban.ts'
import { type PaymentInitiation, readPaymentInitiation, type UnreadableInitiation } from '../../../formats/payments/pain001.ts'
import {
  type AcceptedTransfer,
  decidePaymentInitiation,
  type InitiationDecision,
} from '../../../formats/payments/pain001-rules.ts'
import { assert } from '../../../platform/assert.ts'
import { localDateOf } from '../../../platform/clock.ts'
import { type Id, newId } from '../../../platform/ids.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result } from '../../../platform/result.ts'
import { findAccountsByIban, type PaymentAccount } from '../../accounts/index.ts'
import { CREDIT_TRANSFER_REFUSALS, type CreditTransferRefusal } from '../domain/instruction.ts'
import * as files from '../file-store.ts'
import { ordersOf, type PaymentOrder } from '../payment-orders.ts'
import * as store from '../store.ts'
import { initiateCreditTransfers } from './initiate-credit-transfers.ts'

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

const REFUSAL_WORDS: Readonly<Record<CreditTransferRefusal, string>> = {
  debtor_account_closed: 'The debtor account is closed',
  creditor_is_debtor: 'Creditor and debtor account are the same',
  amount_out_of_range: 'The amount is out of range',
  currency_not_euro: 'The account or the amount is not in EUR',
  available_balance_insufficient: 'The available balance does not cover the amount',
}

/** A payment file as it was handed in. */
export type HandedInFile = {
  readonly bytes: Uint8Array
  /** The account to debit. It stands in for the first account that the file names as debtor, unless the file names accounts of ours. */
  readonly debtor: PaymentAccount
  /**
   * Whether the same file, accepted before and never answered, is taken up where it was interrupted. Only for a caller who knows that
   * nobody else is at work on it.
   */
  readonly mayResume?: boolean
  readonly now: Date
}

/**
 * Accepts a customer's payment file (pain.001.001.03 or .09) to the debit of one account, in one transaction (system scope): the file is
 * remembered by its MsgId and every transfer that passes the rules and is covered is held; another with the same MsgId is refused (AM05).
 * A file of which nothing is accepted is not remembered: its MsgId can be used again once it is right.
 *
 * @returns what was decided of each transaction, or why the file cannot be read (FF01); then nothing was written.
 * @see EPC132-08; sepa.md §4, §9
 */
export async function acceptPaymentFile(
  database: Database,
  file: HandedInFile,
): Promise<Result<AcceptedPaymentFile, UnreadableInitiation>> {
  const read = readPaymentInitiation(file.bytes)
  if (!read.ok) return read
  return ok(await database.transaction('system', (tx) => accept(tx, read.value, file)))
}

/** Notes that the sender of an accepted file has his answer: from now on the same file again is a duplicate. */
export const recordPaymentFileAnswer = async (database: Database, id: Id<'payment_file'>, now: Date): Promise<void> => {
  await database.transaction('system', (tx) => files.recordFileAnswer(tx, id, now))
}

async function accept(tx: Tx, initiation: PaymentInitiation, file: HandedInFile): Promise<AcceptedPaymentFile> {
  const { debtor, now } = file
  const standsInFor = await standInOf(tx, initiation, debtor)
  const decide = (isUsed: boolean, receivedAt = now) =>
    decidePaymentInitiation(initiation, {
      accountIban: debtor.iban,
      standsInFor,
      today: localDateOf(receivedAt),
      isMessageIdUsed: () => isUsed,
    })
  const earlier = await files.findPaymentFile(tx, debtor.organizationId, initiation.messageId)
  if (earlier && isSameUnanswered(earlier, file)) return resume(tx, earlier.id, decide(false, earlier.receivedAt))
  const decision = decide(earlier !== undefined)
  const orders = ordersOf(decision)
  if (orders.length === 0) return { decision, transfers: new Map() }

  const isWhole = orders.length === countOf(initiation)
  await files.markPaymentFile(tx)
  const first = await execute(tx, initiation, orders, isWhole ? 'accepted' : 'partly_accepted', file)
  if (!first) return { decision: decide(true), transfers: new Map() } // somebody else sent the same MsgId since we looked
  const filed = [...first.transfers.values()]
  if (!filed.some(({ id }) => id)) {
    await files.undoPaymentFile(tx)
    return { decision, transfers: first.transfers }
  }
  if (!isWhole || filed.every(({ id }) => id)) return { decision, ...first }
  // The account did not cover all of it. The record of a file is never changed, so it is written anew with the right status.
  await files.undoPaymentFile(tx)
  const second = await execute(tx, initiation, orders, 'partly_accepted', file)
  return second ? { decision, ...second } : { decision: decide(true), transfers: new Map() }
}

/**
 * Which debtor accounts of the file mean the account that the customer named beside it. A file that names accounts of this bank is taken
 * at its word. Otherwise it was made for an account elsewhere: the first one that it names, and no other, is this one.
 */
async function standInOf(tx: Tx, initiation: PaymentInitiation, debtor: PaymentAccount): Promise<(iban: string) => boolean> {
  const named = initiation.paymentInformations.flatMap(({ debtorIban }) => {
    const iban = readIban(debtorIban ?? '')
    return iban.ok ? [iban.value] : []
  })
  const ours = await findAccountsByIban(tx, named)
  return (iban) => iban === debtor.iban || (ours.size === 0 && iban === named[0])
}

const isSameUnanswered = (earlier: files.KnownPaymentFile, { bytes, debtor, mayResume }: HandedInFile): boolean =>
  mayResume === true &&
  !earlier.isAnswered &&
  earlier.debtorAccountId === debtor.id &&
  earlier.contentSha256?.equals(digestOf(bytes)) === true

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** The outcome of a file that was accepted before, read back. */
async function resume(tx: Tx, id: Id<'payment_file'>, decision: InitiationDecision): Promise<AcceptedPaymentFile> {
  const outcomes = new Map((await files.outcomesOfFile(tx, id)).map((outcome) => [outcome.filePosition, outcome]))
  const transfers = ordersOf(decision).map(({ transfer, position }): [AcceptedTransfer, FiledTransfer] => {
    const outcome = outcomes.get(position)
    assert(outcome, `transaction ${position} of payment file ${id} has no outcome`)
    return [transfer, outcome.transferId ? { id: outcome.transferId } : { refusal: reasonOfCode(outcome.statusReasonCode) }]
  })
  return { id, decision, transfers: new Map(transfers) }
}

const countOf = (initiation: PaymentInitiation): number =>
  initiation.paymentInformations.reduce((count, block) => count + block.transactions.length, 0)

/** Remembers the file and holds its transfers. @returns undefined, and nothing happens, when the MsgId was used before. */
async function execute(
  tx: Tx,
  initiation: PaymentInitiation,
  orders: readonly PaymentOrder[],
  status: files.NewPaymentFile['status'],
  { bytes, debtor, now }: HandedInFile,
): Promise<Required<Pick<AcceptedPaymentFile, 'id' | 'transfers'>> | undefined> {
  const file: files.NewPaymentFile = {
    id: newId<'payment_file'>(),
    organizationId: debtor.organizationId,
    messageId: initiation.messageId,
    debtorAccountId: debtor.id,
    messageName: initiation.messageName,
    status,
    transactions: countOf(initiation),
    controlSumMinor: orders.reduce((sum, { instruction }) => sum + instruction.amount.minor, 0n),
    contentSha256: digestOf(bytes),
    receivedAt: now,
  }
  if (!(await files.insertPaymentFile(tx, file))) return undefined
  const instructions = orders.map(({ instruction }) => instruction)
  const answers = await initiateCreditTransfers(tx, { debtor, instructions, paymentFileId: file.id, now })
  const filed = orders.map(({ transfer, position }, index) => {
    const answer = answers[index]
    assert(answer, 'an instruction was left unanswered')
    return { transfer, position, outcome: answer.ok ? { id: answer.value.id } : { refusal: reasonOf(answer.refusal) } }
  })
  await files.insertFileRefusals(
    tx,
    file,
    filed.flatMap(({ position, outcome: { refusal } }) =>
      refusal ? [{ filePosition: position, statusReasonCode: refusal.code }] : [],
    ),
  )
  return { id: file.id, transfers: new Map(filed.map(({ transfer, outcome }) => [transfer, outcome])) }
}

const reasonOf = (refusal: CreditTransferRefusal) => ({
  code: CREDIT_TRANSFER_REFUSALS[refusal],
  message: REFUSAL_WORDS[refusal],
})

const reasonOfCode = (code: string | null) => {
  const refusal = (Object.keys(CREDIT_TRANSFER_REFUSALS) as CreditTransferRefusal[]).find(
    (name) => CREDIT_TRANSFER_REFUSALS[name] === code,
  )
  assert(refusal, `${code} is no refusal of an account`)
  return reasonOf(refusal)
}

/** Where the transfers of payment files stand by now, by id. */
export const creditTransferStatuses = async (
  database: Database,
  ids: readonly store.StoredCreditTransfer['id'][],
): Promise<Map<string, Pick<store.StoredCreditTransfer, 'status' | 'statusReasonCode' | 'requestedExecutionDate'>>> => {
  const rows = await database.read('system', (tx) => store.statusesOf(tx, ids))
  return new Map(rows.map((row) => [row.id, row]))
}
