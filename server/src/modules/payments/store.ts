import type { LocalDate } from '../../platform/clock.ts'
import type { Id } from '../../platform/ids.ts'
import type { Taking } from '../../platform/passes/pass.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { writer } from '../../platform/write.ts'
import type { BookId, LedgerAccountId } from '../ledger/index.ts'
import type { CreditTransferStatus } from './domain/credit-transfer.ts'
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
      ${rows.map((r) => r.instruction.id)}::uuid[], ${rows.map((r) => r.instruction.organizationId)}::uuid[],
      ${rows.map((r) => r.parties.debtor.id)}::uuid[], ${rows.map((r) => r.parties.creditor.id)}::uuid[],
      ${rows.map((r) => r.instruction.amount.minor)}::bigint[], ${rows.map((r) => r.instruction.amount.currency)}::text[],
      ${rows.map((r) => r.instruction.remittanceInformation)}::text[],
      ${rows.map((r) => r.instruction.orderedAt.toISOString())}::timestamptz[])`,
)

/** An outgoing credit transfer as it is stored. */
export type StoredCreditTransfer = {
  id: Id<'credit_transfer'>
  organizationId: Id<'organization'>
  debtorAccountId: Id<'bank_account'>
  bookId: BookId
  ledgerAccountId: LedgerAccountId
  debtorName: string
  debtorIban: string
  creditorName: string
  creditorIban: string
  creditorBic: string | null
  amountMinor: bigint
  endToEndId: string
  transactionId: string
  uetr: string
  remittanceInformation: string | null
  creditorReference: string | null
  purpose: string | null
  requestedExecutionDate: LocalDate
  paymentFileId: Id<'payment_file'> | null
  paymentInformationId: string | null
  instructionId: string | null
  filePosition: number | null
  details: TransferDetails
  status: CreditTransferStatus
  statusReasonCode: string | null
  feedTransactionId: Id<'transaction'>
  createdAt: Date
  /** When the rail was last asked what became of it. */
  investigatedAt: Date | null
}

const insertCreditTransfers = (tx: Tx, rows: readonly StoredCreditTransfer[]) => tx.run`
  insert into payments.credit_transfer (
    id, organization_id, debtor_account_id, book_id, ledger_account_id, debtor_name, debtor_iban, creditor_name, creditor_iban, creditor_bic,
    amount_minor, currency, end_to_end_id, transaction_id, uetr, remittance_information, creditor_reference, purpose,
    requested_execution_date, payment_file_id, payment_information_id, instruction_id, file_position, details, status, status_reason_code,
    feed_transaction_id, created_at, updated_at)
  select id, organization_id, debtor_account_id, book_id, ledger_account_id, debtor_name, debtor_iban, creditor_name, creditor_iban, creditor_bic,
         amount_minor, 'EUR', end_to_end_id, transaction_id, uetr, remittance_information, creditor_reference, purpose,
         requested_execution_date, payment_file_id, payment_information_id, instruction_id, file_position, details::jsonb, status,
         status_reason_code, feed_transaction_id, created_at, created_at
    from unnest(
      ${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.organizationId)}::uuid[], ${rows.map((r) => r.debtorAccountId)}::uuid[],
      ${rows.map((r) => r.bookId)}::int[], ${rows.map((r) => r.ledgerAccountId)}::uuid[], ${rows.map((r) => r.debtorName)}::text[],
      ${rows.map((r) => r.debtorIban)}::text[], ${rows.map((r) => r.creditorName)}::text[], ${rows.map((r) => r.creditorIban)}::text[],
      ${rows.map((r) => r.creditorBic)}::text[], ${rows.map((r) => r.amountMinor)}::bigint[], ${rows.map((r) => r.endToEndId)}::text[],
      ${rows.map((r) => r.transactionId)}::text[], ${rows.map((r) => r.uetr)}::uuid[], ${rows.map((r) => r.remittanceInformation)}::text[],
      ${rows.map((r) => r.creditorReference)}::text[], ${rows.map((r) => r.purpose)}::text[],
      ${rows.map((r) => r.requestedExecutionDate)}::date[], ${rows.map((r) => r.paymentFileId)}::uuid[],
      ${rows.map((r) => r.paymentInformationId)}::text[], ${rows.map((r) => r.instructionId)}::text[],
      ${rows.map((r) => r.filePosition)}::int[], ${rows.map((r) => JSON.stringify(r.details))}::text[], ${rows.map((r) => r.status)}::text[],
      ${rows.map((r) => r.statusReasonCode)}::text[], ${rows.map((r) => r.feedTransactionId)}::uuid[],
      ${rows.map((r) => r.createdAt.toISOString())}::timestamptz[])
      as r(id, organization_id, debtor_account_id, book_id, ledger_account_id, debtor_name, debtor_iban, creditor_name, creditor_iban,
           creditor_bic, amount_minor, end_to_end_id, transaction_id, uetr, remittance_information, creditor_reference, purpose,
           requested_execution_date, payment_file_id, payment_information_id, instruction_id, file_position, details, status,
           status_reason_code, feed_transaction_id, created_at)`

/** After the file that they come from. Who hands them to the rail is woken. */
export const creditTransferRows = writer(
  'payments.credit_transfer',
  (_, tx, rows: readonly StoredCreditTransfer[]) => {
    tx.wake('payments.submit')
    return insertCreditTransfers(tx, rows)
  },
  [paymentFileRows],
)

const COLUMNS = `
  id, organization_id as "organizationId", debtor_account_id as "debtorAccountId", book_id as "bookId", ledger_account_id as "ledgerAccountId",
  debtor_name as "debtorName", debtor_iban as "debtorIban", creditor_name as "creditorName", creditor_iban as "creditorIban",
  creditor_bic as "creditorBic", amount_minor as "amountMinor", end_to_end_id as "endToEndId", transaction_id as "transactionId", uetr,
  remittance_information as "remittanceInformation", creditor_reference as "creditorReference", purpose,
  requested_execution_date as "requestedExecutionDate", payment_file_id as "paymentFileId", payment_information_id as "paymentInformationId",
  instruction_id as "instructionId", file_position as "filePosition", details, status, status_reason_code as "statusReasonCode", feed_transaction_id as "feedTransactionId",
  created_at as "createdAt", investigated_at as "investigatedAt"`

/** Pending transfers whose day has come, locked for this worker; another worker takes others. */
export const takeDueTransfers = (tx: Tx, today: LocalDate, { limit, held }: Taking) =>
  tx.query<StoredCreditTransfer>(
    `select ${COLUMNS} from payments.credit_transfer
      where status = 'pending' and requested_execution_date <= $1 and id::text not in (select platform.held($3, $4))
      order by requested_execution_date, id limit $2 for update skip locked`,
    [today, limit, held.pass, held.at],
  )

/** Transfers whose answer is overdue and which nobody has asked about yet, locked for this worker. */
export const takeSilentTransfers = (tx: Tx, { now, limit, held }: Taking) =>
  tx.query<StoredCreditTransfer>(
    `select ${COLUMNS} from payments.credit_transfer
      where status in ('submitted', 'unknown', 'accepted') and answer_due_at <= $1 and id::text not in (select platform.held($3, $4))
      order by answer_due_at limit $2 for update skip locked`,
    [now, limit, held.pass, held.at],
  )

/** The transfer that a rail message names, locked: its status moves one message at a time. */
export const lockTransfer = async (tx: Tx, transactionId: string): Promise<StoredCreditTransfer | undefined> =>
  (
    await tx.query<StoredCreditTransfer>(`select ${COLUMNS} from payments.credit_transfer where transaction_id = $1 for update`, [
      transactionId,
    ])
  )[0]

/** Where these transfers stand. */
export const statusesOf = (tx: Tx, ids: readonly string[]) => tx.rows<
  Pick<StoredCreditTransfer, 'id' | 'status' | 'statusReasonCode' | 'requestedExecutionDate'>
>`
  select id, status, status_reason_code as "statusReasonCode", requested_execution_date as "requestedExecutionDate"
    from payments.credit_transfer where id = any(${ids}::uuid[])`

/** Moves transfers to a status. `answerDueAt`: when the next answer is overdue; null when none is awaited. */
export const setStatus = (
  tx: Tx,
  ids: readonly string[],
  change: {
    status: CreditTransferStatus
    reasonCode?: string | null
    answerDueAt?: Date | null
    investigatedAt?: Date
    now: Date
  },
) => tx.run`
  update payments.credit_transfer
     set status = ${change.status}, status_reason_code = coalesce(${change.reasonCode ?? null}, status_reason_code),
         answer_due_at = ${change.answerDueAt ?? null}, updated_at = ${change.now},
         submitted_at = case when ${change.status} = 'submitted' then ${change.now}::timestamptz else submitted_at end,
         investigated_at = coalesce(${change.investigatedAt ?? null}, investigated_at)
   where id = any(${ids}::uuid[])`

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
