import type { LocalDate } from '../../platform/clock.ts'
import type { Id } from '../../platform/ids.ts'
import type { Taking } from '../../platform/passes/pass.ts'
import * as binary from '../../platform/postgres/binary-arrays.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { date, instant, integer, json, minor, nullable, type RowOf, table, text, uuid } from '../../platform/postgres/table.ts'
import { transition } from '../../platform/postgres/transition.ts'
import { writer } from '../../platform/write.ts'
import type { BookId, LedgerAccountId } from '../ledger/index.ts'
import { CREDIT_TRANSFER_MOVES, type CreditTransferMove, type CreditTransferStatus } from './domain/credit-transfer.ts'
import type { TransferDetails } from './domain/instruction.ts'
import type { InternalTransferInstruction, InternalTransferParties } from './domain/internal-transfer.ts'
import { paymentFileRows } from './file-store.ts'

type PostedInternalTransfer = {
  readonly instruction: InternalTransferInstruction
  readonly parties: InternalTransferParties
}

export const internalTransferRows = writer(
  'payments.internal_transfer',
  (_, tx, rows: readonly PostedInternalTransfer[]) => tx.run`
    insert into payments.internal_transfer (
      id, organization_id, debtor_account_id, creditor_account_id, amount_minor, currency, remittance_information, created_at)
    select * from unnest(
      ${binary.uuidArray(rows.map((r) => r.instruction.id))}::uuid[], ${binary.uuidArray(rows.map((r) => r.instruction.organizationId))}::uuid[],
      ${binary.uuidArray(rows.map((r) => r.parties.debtor.id))}::uuid[], ${binary.uuidArray(rows.map((r) => r.parties.creditor.id))}::uuid[],
      ${binary.int8Array(rows.map((r) => r.instruction.amount.minor))}::bigint[],
      ${binary.textArray(rows.map((r) => r.instruction.amount.currency))}::text[],
      ${binary.textArray(rows.map((r) => r.instruction.remittanceInformation))}::text[],
      ${binary.timestamptzArray(rows.map((r) => r.instruction.orderedAt))}::timestamptz[])`,
)

export const creditTransfers = table(
  'payments.credit_transfer',
  {
    id: uuid<'credit_transfer'>(),
    organizationId: uuid<'organization'>(),
    debtorAccountId: uuid<'bank_account'>(),
    bookId: integer<BookId>(),
    ledgerAccountId: uuid<LedgerAccountId>(),
    debtorName: text(),
    debtorIban: text(),
    creditorName: text(),
    creditorIban: text(),
    creditorBic: nullable(text()),
    amountMinor: minor(),
    endToEndId: text(),
    transactionId: text(),
    uetr: uuid(),
    remittanceInformation: nullable(text()),
    creditorReference: nullable(text()),
    purpose: nullable(text()),
    requestedExecutionDate: date(),
    paymentFileId: nullable(uuid<'payment_file'>()),
    paymentInformationId: nullable(text()),
    instructionId: nullable(text()),
    filePosition: nullable(integer()),
    details: json<TransferDetails>(),
    status: text<CreditTransferStatus>(),
    statusReasonCode: nullable(text()),
    feedTransactionId: uuid<'transaction'>(),
    createdAt: instant(),
    /** When the rail was last asked what became of it. */
    investigatedAt: nullable(instant()),
  },
  {
    written: { submittedAt: nullable(instant()), answerDueAt: nullable(instant()), updatedAt: instant() },
    filled: { currency: `'EUR'`, updated_at: 'created_at' },
  },
)

/** An outgoing credit transfer as it is stored. */
export type StoredCreditTransfer = RowOf<typeof creditTransfers>

/** After the file that they come from. Who hands them to the rail is woken. */
export const creditTransferRows = writer(
  'payments.credit_transfer',
  (_, tx, rows: readonly StoredCreditTransfer[]) => {
    tx.wake('payments.submit')
    return creditTransfers.insert(tx, rows)
  },
  [paymentFileRows],
)

/** Pending transfers whose day has come, locked for this worker; another worker takes others. */
export const takeDueTransfers = (tx: Tx, today: LocalDate, { limit, held }: Taking) =>
  creditTransfers.select(tx)`
    where status = 'pending' and requested_execution_date <= ${today} and id::text not in (select platform.held(${held.pass}, ${held.at}))
    order by requested_execution_date, id limit ${limit} for update skip locked`

/** Transfers whose answer is overdue and which nobody has asked about yet, locked for this worker. */
export const takeSilentTransfers = (tx: Tx, { now, limit, held }: Taking) =>
  creditTransfers.select(tx)`
    where status in ('submitted', 'unknown', 'accepted') and answer_due_at <= ${now} and id::text not in (select platform.held(${held.pass}, ${held.at}))
    order by answer_due_at limit ${limit} for update skip locked`

/** The transfer that a rail message names, locked: its status moves one message at a time. */
export const lockTransfer = async (tx: Tx, transactionId: string): Promise<StoredCreditTransfer | undefined> =>
  (await creditTransfers.select(tx)`where transaction_id = ${transactionId} for update`)[0]

/** Where these transfers stand. */
export const statusesOf = (tx: Tx, ids: readonly string[]) => tx.rows<
  Pick<StoredCreditTransfer, 'id' | 'status' | 'statusReasonCode' | 'requestedExecutionDate'>
>`
  select id, status, status_reason_code as "statusReasonCode", requested_execution_date as "requestedExecutionDate"
    from payments.credit_transfer where id = any(${ids}::uuid[])`

/** Makes a move with transfers that are locked. `answerDueAt`: when the next answer is overdue; without, none is awaited. */
export const moveTransfers = (
  tx: Tx,
  ids: readonly string[],
  move: CreditTransferMove,
  change: { now: Date; reasonCode?: string; answerDueAt?: Date; investigatedAt?: Date },
): Promise<void> =>
  transition(tx, creditTransfers, ids, CREDIT_TRANSFER_MOVES[move], {
    updatedAt: change.now,
    answerDueAt: change.answerDueAt ?? null,
    statusReasonCode: change.reasonCode,
    investigatedAt: change.investigatedAt,
    submittedAt: move === 'submit' ? change.now : undefined,
  })

/** Says of transfers that were told afterwards that they were submitted when they were ordered. */
export const stampSubmitted = (tx: Tx, ids: readonly Id<'credit_transfer'>[]) => tx.run`
  update payments.credit_transfer set submitted_at = created_at where id = any(${ids}::uuid[])`

/** Notes money that came back for a debtor who has no account any more. */
export const addSuspended = (tx: Tx, transferId: string, minor: bigint) => tx.run`
  update payments.credit_transfer set suspended_minor = suspended_minor + ${minor} where id = ${transferId}`

/** When the answer is overdue of transfers that are under way: `submitted`, unless told otherwise. */
export const expectAnswer = (
  tx: Tx,
  transferIds: readonly string[],
  dueAt: Date,
  statuses: readonly CreditTransferStatus[] = ['submitted'],
) =>
  tx.run`
  update payments.credit_transfer set answer_due_at = ${dueAt} where id = any(${transferIds}::uuid[]) and status = any(${statuses}::text[])`

/** Transfers whose money is still held, by id. */
export const openTransfersPage = (tx: Tx, after: string, limit: number) => tx.rows<
  Pick<StoredCreditTransfer, 'id' | 'bookId' | 'amountMinor' | 'status'>
>`
  select id, book_id as "bookId", amount_minor as "amountMinor", status
    from payments.credit_transfer
   where id > ${after} and status in ('pending', 'submitted', 'unknown')
   order by id limit ${limit}`

/**
 * Per book with transfers: what is under way through clearing (accepted by the rail or sent back, and not settled), and what waits in
 * suspense (receipts that nobody can be credited with, money that came back for a closed account).
 */
export const openItemsByBook = (tx: Tx) => tx.rows<{ bookId: number; clearingMinor: bigint; suspendedMinor: bigint }>`
  select book_id as "bookId", sum(clearing)::bigint as "clearingMinor", sum(suspended)::bigint as "suspendedMinor"
    from (
      select book_id, case when status = 'accepted' then amount_minor else 0 end as clearing, suspended_minor as suspended
        from payments.credit_transfer
       union all
      select book_id, case when status = 'returning' then amount_minor else 0 end,
             case when status in ('suspended', 'return_refused') then amount_minor else 0 end
        from payments.incoming_transfer where book_id is not null) as item
   group by book_id`

/** Receipts whose return the rail refused: an operator has to find their owner. */
export const refusedReturns = (tx: Tx) => tx.rows<{ id: string; amountMinor: bigint; statusReasonCode: string | null }>`
  select id, amount_minor as "amountMinor", status_reason_code as "statusReasonCode"
    from payments.incoming_transfer where status = 'return_refused' order by received_at`
