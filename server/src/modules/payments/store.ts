import type { LocalDate } from '../../platform/clock.ts'
import type { Id } from '../../platform/ids.ts'
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

/** After the file that they come from. */
export const creditTransferRows = writer(
  'payments.credit_transfer',
  (_, tx, rows: readonly StoredCreditTransfer[]) => tx.run`
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
           status_reason_code, feed_transaction_id, created_at)`,
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
export const takeDueTransfers = (tx: Tx, today: LocalDate, limit: number) =>
  tx.query<StoredCreditTransfer>(
    `select ${COLUMNS} from payments.credit_transfer
      where status = 'pending' and requested_execution_date <= $1 order by requested_execution_date, id limit $2 for update skip locked`,
    [today, limit],
  )

/** Transfers whose answer is overdue and which nobody has asked about yet, locked for this worker. */
export const takeSilentTransfers = (tx: Tx, now: Date, limit: number) =>
  tx.query<StoredCreditTransfer>(
    `select ${COLUMNS} from payments.credit_transfer
      where status in ('submitted', 'unknown', 'accepted') and answer_due_at <= $1 order by answer_due_at limit $2 for update skip locked`,
    [now, limit],
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

/** Notes money that came back for a debtor who has no account any more. */
export const addSuspended = (tx: Tx, transferId: string, minor: bigint) => tx.run`
  update payments.credit_transfer set suspended_minor = suspended_minor + ${minor} where id = ${transferId}`

/** When the answer of a transfer is overdue that is under way: `submitted`, unless told otherwise. */
export const expectAnswer = (
  tx: Tx,
  transferId: string,
  dueAt: Date,
  statuses: readonly CreditTransferStatus[] = ['submitted'],
) =>
  tx.run`
  update payments.credit_transfer set answer_due_at = ${dueAt} where id = ${transferId} and status = any(${statuses}::text[])`

/** The transfers that one of our messages carried. */
export const transactionIdsOfMessage = async (tx: Tx, messageId: string | null): Promise<string[]> => {
  const rows = await tx.rows<{ transactionId: string }>`
    select t.transaction_id as "transactionId"
      from payments.outgoing_message m join payments.credit_transfer t on t.id = m.transfer_id
     where m.message_id = ${messageId} and m.message_name like 'pacs.008%'`
  return rows.map((row) => row.transactionId)
}

export type OutgoingMessage = {
  id: string
  messageId: string
  messageName: string
  /** What it pays or asks about: a transfer of ours, or a receipt that goes back. */
  transferId: string | null
  incomingTransferId: string | null
  xml: string
}

export const insertMessages = (tx: Tx, messages: readonly OutgoingMessage[], now: Date) => tx.run`
  insert into payments.outgoing_message (id, message_id, message_name, transfer_id, incoming_transfer_id, xml, created_at)
  select id, message_id, message_name, transfer_id, incoming_transfer_id, xml, ${now} from unnest(
    ${messages.map((m) => m.id)}::uuid[], ${messages.map((m) => m.messageId)}::text[], ${messages.map((m) => m.messageName)}::text[],
    ${messages.map((m) => m.transferId)}::uuid[], ${messages.map((m) => m.incomingTransferId)}::uuid[],
    ${messages.map((m) => m.xml)}::text[]) as m(id, message_id, message_name, transfer_id, incoming_transfer_id, xml)`

/**
 * Takes messages that were never tried, and marks them as tried before they are: a crash in between leaves a question, not a second
 * payment. A payment whose transfer is no longer `submitted` has been decided without it and never leaves.
 */
export const takeMessages = (tx: Tx, now: Date, limit: number) => tx.rows<OutgoingMessage>`
  update payments.outgoing_message set attempted_at = ${now}
   where id in (
     select m.id from payments.outgoing_message m
      where m.attempted_at is null
        and not (m.message_name like 'pacs.008%'
                 and exists (select 1 from payments.credit_transfer t where t.id = m.transfer_id and t.status <> 'submitted'))
      order by m.created_at, m.id limit ${limit} for update of m skip locked)
   returning id, message_id as "messageId", message_name as "messageName", transfer_id as "transferId",
             incoming_transfer_id as "incomingTransferId", xml`

export const markDelivered = (tx: Tx, id: string, now: Date) =>
  tx.run`update payments.outgoing_message set delivered_at = ${now} where id = ${id}`

export const markNotSent = (tx: Tx, id: string) =>
  tx.run`update payments.outgoing_message set attempted_at = null where id = ${id}`

export const markRefused = (tx: Tx, id: string, reason: string) =>
  tx.run`update payments.outgoing_message set refused_reason = ${reason} where id = ${id}`

/** Payments that were marked as tried before a crash: nobody knows whether the rail has them. @returns the transfers concerned. */
export const findInterrupted = (tx: Tx, before: Date) => tx.rows<{ transferId: string }>`
  select m.transfer_id as "transferId"
    from payments.outgoing_message m join payments.credit_transfer t on t.id = m.transfer_id
   where m.attempted_at < ${before} and m.delivered_at is null and m.refused_reason is null and t.status = 'submitted'
     and (t.answer_due_at is null or t.answer_due_at > ${before})
   limit 100`

/** Locks the cursor: one worker at a time reads the rail's outbox. */
export const lockCursor = (tx: Tx) => tx.one<{ sequence: bigint }>`select sequence from payments.rail_cursor for update`

export const readCursor = (tx: Tx) => tx.one<{ sequence: bigint }>`select sequence from payments.rail_cursor`

export const moveCursor = (tx: Tx, sequence: bigint) =>
  tx.run`update payments.rail_cursor set sequence = ${sequence} where sequence < ${sequence}`

export const wasReceived = async (tx: Tx, railMessageId: string): Promise<boolean> =>
  (await tx.maybe`select 1 from payments.incoming_message where rail_message_id = ${railMessageId}`) !== undefined

export const rememberIncoming = (
  tx: Tx,
  message: { id: string; sequence: bigint; messageName: string; xml: string; outcome: string; now: Date },
) => tx.run`
    insert into payments.incoming_message (rail_message_id, sequence, message_name, xml, received_at, outcome)
    values (${message.id}, ${message.sequence}, ${message.messageName}, ${message.xml}, ${message.now}, ${message.outcome})
    on conflict do nothing`

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

/** Messages that somebody must look at: unreadable, their effect failed, or they contradict what we know. */
export const troubledMessages = async (tx: Tx, limit: number) => {
  const [row] = await tx.rows<{ count: bigint }>`
    select count(*) as count from payments.incoming_message
     where outcome ~ '^(unreadable|failed): |contradiction|transfer_not_found'`
  const examples = await tx.rows<{ railMessageId: string; messageName: string; outcome: string }>`
    select rail_message_id as "railMessageId", message_name as "messageName", outcome
      from payments.incoming_message
     where outcome ~ '^(unreadable|failed): |contradiction|transfer_not_found' order by received_at desc limit ${limit}`
  return { count: row?.count ?? 0n, examples }
}
