import { isCreditorReference } from '../../../formats/payments/iban.ts'
import { type PaymentInitiation, readPaymentInitiation, type UnreadableInitiation } from '../../../formats/payments/pain001.ts'
import {
  type AcceptedTransfer,
  decidePaymentInitiation,
  type InitiationDecision,
} from '../../../formats/payments/pain001-rules.ts'
import { assert } from '../../../platform/assert.ts'
import { localDateOf } from '../../../platform/clock.ts'
import { newId } from '../../../platform/ids.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result } from '../../../platform/result.ts'
import type { PaymentAccount } from '../../accounts/index.ts'
import { CREDIT_TRANSFER_REFUSALS, type CreditTransferInstruction, type CreditTransferRefusal } from '../domain/instruction.ts'
import * as store from '../store.ts'
import { initiateCreditTransfers } from './initiate-credit-transfers.ts'

/** What became of a transfer that the rules let through: it is on its way, or the account refused it. */
export type FiledTransfer =
  | { readonly id: store.StoredCreditTransfer['id']; readonly refusal?: never }
  | { readonly id?: never; readonly refusal: { readonly code: string; readonly message: string } }

export type AcceptedPaymentFile = {
  readonly decision: InitiationDecision
  /** By the decision's own transfers; none when the whole file is refused. */
  readonly transfers: ReadonlyMap<AcceptedTransfer, FiledTransfer>
}

const REFUSAL_WORDS: Readonly<Record<CreditTransferRefusal, string>> = {
  debtor_account_closed: 'The debtor account is closed',
  amount_out_of_range: 'The amount is out of range',
  currency_not_euro: 'The account or the amount is not in EUR',
  available_balance_insufficient: 'The available balance does not cover the amount',
}

/**
 * Accepts a customer's payment file (pain.001.001.03 or .09) to the debit of one account, in one transaction (system scope): the file is
 * remembered by its MsgId and every transfer that passes the rules and is covered is held; another with the same MsgId is refused (AM05).
 * A file of which nothing is accepted is not remembered: its MsgId can be used again once it is right.
 *
 * @param file.debtor the account to debit, whichever valid account the file itself names.
 * @returns what was decided of each transaction, or why the file cannot be read (FF01); then nothing was written.
 * @see EPC132-08; sepa.md §4, §9
 */
export async function acceptPaymentFile(
  database: Database,
  file: { readonly bytes: Uint8Array; readonly debtor: PaymentAccount; readonly now: Date },
): Promise<Result<AcceptedPaymentFile, UnreadableInitiation>> {
  const read = readPaymentInitiation(file.bytes)
  if (!read.ok) return read
  return ok(await database.transaction('system', (tx) => accept(tx, read.value, file)))
}

async function accept(
  tx: Tx,
  initiation: PaymentInitiation,
  { debtor, now }: { debtor: PaymentAccount; now: Date },
): Promise<AcceptedPaymentFile> {
  const decide = (isUsed: boolean) =>
    decidePaymentInitiation(initiation, {
      accountIban: debtor.iban,
      debtorAccountMayDiffer: true,
      today: localDateOf(now),
      isMessageIdUsed: () => isUsed,
    })
  const decision = decide(await store.isMessageIdUsed(tx, debtor.organizationId, initiation.messageId))
  const orders = instructionsOf(decision)
  if (orders.length === 0) return { decision, transfers: new Map() }

  const isWhole = orders.length === countOf(initiation)
  await store.markPaymentFile(tx)
  const first = await execute(tx, initiation, orders, isWhole ? 'accepted' : 'partly_accepted', { debtor, now })
  if (!first) return { decision: decide(true), transfers: new Map() } // somebody else sent the same MsgId since we looked
  const filed = [...first.values()]
  if (!filed.some(({ id }) => id)) {
    await store.undoPaymentFile(tx)
    return { decision, transfers: first }
  }
  if (!isWhole || filed.every(({ id }) => id)) return { decision, transfers: first }
  // The account did not cover all of it. The record of a file is never changed, so it is written anew with the right status.
  await store.undoPaymentFile(tx)
  const second = await execute(tx, initiation, orders, 'partly_accepted', { debtor, now })
  return second ? { decision, transfers: second } : { decision: decide(true), transfers: new Map() }
}

type Order = { readonly transfer: AcceptedTransfer; readonly instruction: CreditTransferInstruction }

const countOf = (initiation: PaymentInitiation): number =>
  initiation.paymentInformations.reduce((count, block) => count + block.transactions.length, 0)

/** Remembers the file and holds its transfers. @returns undefined, and nothing happens, when the MsgId was used before. */
async function execute(
  tx: Tx,
  initiation: PaymentInitiation,
  orders: readonly Order[],
  status: store.NewPaymentFile['status'],
  { debtor, now }: { debtor: PaymentAccount; now: Date },
): Promise<Map<AcceptedTransfer, FiledTransfer> | undefined> {
  const id = newId<'payment_file'>()
  const isFirst = await store.insertPaymentFile(tx, {
    id,
    organizationId: debtor.organizationId,
    messageId: initiation.messageId,
    debtorAccountId: debtor.id,
    messageName: initiation.messageName,
    status,
    transactions: countOf(initiation),
    controlSumMinor: orders.reduce((sum, { instruction }) => sum + instruction.amount.minor, 0n),
    receivedAt: now,
  })
  if (!isFirst) return undefined
  const instructions = orders.map(({ instruction }) => instruction)
  const answers = await initiateCreditTransfers(tx, { debtor, instructions, paymentFileId: id, now })
  return new Map(
    orders.map(({ transfer }, index) => {
      const answer = answers[index]
      assert(answer, 'an instruction was left unanswered')
      return [transfer, answer.ok ? { id: answer.value.id } : { refusal: reasonOf(answer.refusal) }]
    }),
  )
}

const reasonOf = (refusal: CreditTransferRefusal) => ({
  code: CREDIT_TRANSFER_REFUSALS[refusal],
  message: REFUSAL_WORDS[refusal],
})

/** Every transfer that the rules let through, in the order of the file. */
function instructionsOf(decision: InitiationDecision): Order[] {
  return (decision.blocks ?? []).flatMap((block) =>
    block.transactions.flatMap(({ transfer }) => {
      if (!transfer) return []
      const instruction = {
        id: newId<'credit_transfer'>(),
        creditorName: transfer.creditor.name,
        creditorIban: transfer.creditorIban,
        creditorBic: transfer.creditorAgent ?? null,
        amount: transfer.amount,
        endToEndId: transfer.endToEndId,
        instructionId: transfer.instructionId ?? null,
        ...remittanceOf(transfer),
        purpose: transfer.purpose?.code ?? null,
        requestedExecutionDate: block.executionDate,
        paymentInformationId: block.source.id,
      }
      return [{ transfer, instruction }]
    }),
  )
}

/** An ISO 11649 reference travels as one; any other structured reference as text, because only that type can be checked on the way. */
function remittanceOf({ remittance }: AcceptedTransfer) {
  const reference = remittance?.structured[0]?.creditorReference?.reference
  if (reference === undefined) return { remittanceInformation: remittance?.unstructured[0] ?? null, creditorReference: null }
  return isCreditorReference(reference)
    ? { remittanceInformation: null, creditorReference: reference }
    : { remittanceInformation: reference, creditorReference: null }
}

/** Where the transfers of payment files stand by now, by id. */
export const creditTransferStatuses = async (
  database: Database,
  ids: readonly store.StoredCreditTransfer['id'][],
): Promise<Map<string, Pick<store.StoredCreditTransfer, 'status' | 'statusReasonCode' | 'requestedExecutionDate'>>> => {
  const rows = await database.read('system', (tx) => store.statusesOf(tx, ids))
  return new Map(rows.map((row) => [row.id, row]))
}
