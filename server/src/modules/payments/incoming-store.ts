import type { LocalDate } from '../../platform/clock.ts'
import type { Id } from '../../platform/ids.ts'
import type { Taking } from '../../platform/passes/pass.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { writer } from '../../platform/write.ts'
import type { BookId } from '../ledger/index.ts'

/** A SEPA credit transfer that came in. */
export type IncomingTransfer = {
  id: Id<'incoming_transfer'>
  organizationId: Id<'organization'> | null
  creditorAccountId: Id<'bank_account'> | null
  instructingAgent: string
  transactionId: string
  endToEndId: string
  originalMessageId: string
  debtorName: string
  debtorIban: string
  debtorBic: string | null
  creditorName: string
  creditorIban: string
  amountMinor: bigint
  remittanceInformation: string | null
  settlementDate: LocalDate
  /** Null in rows of before it was kept: then the book of its account, or the home book. */
  bookId: BookId | null
  status: IncomingStatus
  statusReasonCode: string | null
}

/**
 * credited; or suspended ──pacs.004──▶ returning ──settled──▶ returned
 *                                          └──rejected──▶ return_refused: back in suspense, for an operator
 */
export type IncomingStatus = 'credited' | 'suspended' | 'returning' | 'returned' | 'return_refused'

/** @returns false when this (instructing agent, transaction id) came before. */
export const insertIncomingTransfer = async (tx: Tx, t: IncomingTransfer, now: Date): Promise<boolean> =>
  (await tx.run`
    insert into payments.incoming_transfer (
      id, organization_id, creditor_account_id, instructing_agent, transaction_id, end_to_end_id, original_message_id, debtor_name, debtor_iban,
      debtor_bic, creditor_name, creditor_iban, amount_minor, currency, remittance_information, settlement_date, book_id, status,
      status_reason_code, received_at)
    values (
      ${t.id}, ${t.organizationId}, ${t.creditorAccountId}, ${t.instructingAgent}, ${t.transactionId}, ${t.endToEndId},
      ${t.originalMessageId}, ${t.debtorName}, ${t.debtorIban}, ${t.debtorBic}, ${t.creditorName}, ${t.creditorIban}, ${t.amountMinor}, 'EUR',
      ${t.remittanceInformation}, ${t.settlementDate}, ${t.bookId}, ${t.status}, ${t.statusReasonCode}, ${now})
    on conflict (instructing_agent, transaction_id) do nothing`) === 1

/** Transfers that nobody can have told before. */
export const incomingTransferRows = writer(
  'payments.incoming_transfer',
  (_, tx, rows: readonly (IncomingTransfer & { readonly receivedAt: Date })[]) => tx.run`
    insert into payments.incoming_transfer (
      id, organization_id, creditor_account_id, instructing_agent, transaction_id, end_to_end_id, original_message_id, debtor_name, debtor_iban,
      debtor_bic, creditor_name, creditor_iban, amount_minor, currency, remittance_information, settlement_date, book_id, status,
      status_reason_code, received_at)
    select id, organization_id, creditor_account_id, instructing_agent, transaction_id, end_to_end_id, original_message_id, debtor_name, debtor_iban,
           debtor_bic, creditor_name, creditor_iban, amount_minor, 'EUR', remittance_information, settlement_date, book_id, status,
           status_reason_code, received_at
      from unnest(
        ${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.organizationId)}::uuid[], ${rows.map((r) => r.creditorAccountId)}::uuid[],
        ${rows.map((r) => r.instructingAgent)}::text[], ${rows.map((r) => r.transactionId)}::text[], ${rows.map((r) => r.endToEndId)}::text[],
        ${rows.map((r) => r.originalMessageId)}::text[], ${rows.map((r) => r.debtorName)}::text[], ${rows.map((r) => r.debtorIban)}::text[],
        ${rows.map((r) => r.debtorBic)}::text[], ${rows.map((r) => r.creditorName)}::text[], ${rows.map((r) => r.creditorIban)}::text[],
        ${rows.map((r) => r.amountMinor)}::bigint[], ${rows.map((r) => r.remittanceInformation)}::text[],
        ${rows.map((r) => r.settlementDate)}::date[], ${rows.map((r) => r.bookId)}::int[], ${rows.map((r) => r.status)}::text[],
        ${rows.map((r) => r.statusReasonCode)}::text[], ${rows.map((r) => r.receivedAt.toISOString())}::timestamptz[])
        as r(id, organization_id, creditor_account_id, instructing_agent, transaction_id, end_to_end_id, original_message_id, debtor_name,
             debtor_iban, debtor_bic, creditor_name, creditor_iban, amount_minor, remittance_information, settlement_date, book_id, status,
             status_reason_code, received_at)`,
)

const COLUMNS = `
  id, organization_id as "organizationId", creditor_account_id as "creditorAccountId", instructing_agent as "instructingAgent",
  transaction_id as "transactionId", end_to_end_id as "endToEndId", original_message_id as "originalMessageId",
  debtor_name as "debtorName", debtor_iban as "debtorIban", debtor_bic as "debtorBic", creditor_name as "creditorName",
  creditor_iban as "creditorIban", amount_minor as "amountMinor", remittance_information as "remittanceInformation",
  settlement_date as "settlementDate", book_id as "bookId", status, status_reason_code as "statusReasonCode"`

/** What came before under this key. */
export const findIncomingTransfer = async (
  tx: Tx,
  key: Pick<IncomingTransfer, 'instructingAgent' | 'transactionId'>,
): Promise<IncomingTransfer | undefined> =>
  (
    await tx.query<IncomingTransfer>(
      `select ${COLUMNS} from payments.incoming_transfer where instructing_agent = $1 and transaction_id = $2`,
      [key.instructingAgent, key.transactionId],
    )
  )[0]

/** Receipts in suspense, to be sent back, locked for this worker. */
export const takeSuspended = (tx: Tx, { limit, held }: Taking) =>
  tx.query<IncomingTransfer>(
    `select ${COLUMNS} from payments.incoming_transfer
      where status = 'suspended' and id::text not in (select platform.held($2, $3)) order by received_at, id limit $1 for update skip locked`,
    [limit, held.pass, held.at],
  )

/** Returns of ours about which the rail has said nothing in time, locked for this worker. */
export const takeSilentReturns = (tx: Tx, { now, limit, held }: Taking) =>
  tx.query<IncomingTransfer & { returnMessageId: string }>(
    `select ${COLUMNS}, (
        select message_id from payments.outgoing_message m
         where m.incoming_transfer_id = t.id and m.message_name like 'pacs.004%' order by created_at desc, id desc limit 1) as "returnMessageId"
       from payments.incoming_transfer t
      where status = 'returning' and answer_due_at <= $1 and id::text not in (select platform.held($3, $4))
      order by answer_due_at limit $2 for update skip locked`,
    [now, limit, held.pass, held.at],
  )

/** A receipt that goes back, with what is known of the message that our return is in. */
export type ReturnedTransfer = IncomingTransfer & {
  /** The rail did not even take the message. */
  isRefusedMessage: boolean
  /** The rail has been asked about it. */
  isInvestigated: boolean
}

/** The receipt that our return in this message sends back, locked. */
export const lockReturned = async (
  tx: Tx,
  returnMessageId: string,
  transactionId: string | null,
): Promise<ReturnedTransfer | undefined> =>
  (
    await tx.query<ReturnedTransfer>(
      `with message as (
         select id, created_at, incoming_transfer_id, refused_reason from payments.outgoing_message
          where message_id = $1 and message_name like 'pacs.004%')
       select ${COLUMNS},
              (select refused_reason is not null from message) as "isRefusedMessage",
              exists (select 1 from payments.outgoing_message question
                       where question.incoming_transfer_id = t.id and question.message_name like 'pacs.028%'
                         and (question.created_at, question.id) > (select created_at, id from message)) as "isInvestigated"
         from payments.incoming_transfer t
        where id = (select incoming_transfer_id from message) and transaction_id = coalesce($2, transaction_id)
          for update`,
      [returnMessageId, transactionId],
    )
  )[0]

/** On its way back; when an answer is overdue counts from the attempt to send it. */
export const markReturning = (tx: Tx, id: Id<'incoming_transfer'>, bookId: BookId) => tx.run`
  update payments.incoming_transfer set status = 'returning', book_id = ${bookId}, answer_due_at = null where id = ${id}`

/** When the rail's answer to a return is overdue; null while it has not been sent. */
export const expectReturnAnswer = (tx: Tx, ids: readonly string[], dueAt: Date | null) => tx.run`
  update payments.incoming_transfer set answer_due_at = ${dueAt} where id = any(${ids}::uuid[]) and status = 'returning'`

export const setIncomingStatus = (
  tx: Tx,
  id: Id<'incoming_transfer'>,
  change: { status: IncomingStatus; answerDueAt?: Date | null; reasonCode?: string },
) => tx.run`
  update payments.incoming_transfer
     set status = ${change.status}, answer_due_at = ${change.answerDueAt ?? null},
         status_reason_code = coalesce(${change.reasonCode ?? null}, status_reason_code)
   where id = ${id}`

export type TransferReturnRow = {
  readonly returningAgent: string
  readonly returnId: string
  readonly transferId: Id<'credit_transfer'>
  readonly organizationId: Id<'organization'>
  readonly amountMinor: bigint
  readonly statusReasonCode: string
}

/** What came before under this (returning agent, RtrId). */
export const findReturn = (tx: Tx, key: Pick<TransferReturnRow, 'returningAgent' | 'returnId'>) => tx.maybe<
  Pick<TransferReturnRow, 'transferId' | 'amountMinor'>
>`
  select credit_transfer_id as "transferId", amount_minor as "amountMinor"
    from payments.transfer_return where returning_agent = ${key.returningAgent} and return_id = ${key.returnId}`

export const insertTransferReturn = (tx: Tx, r: TransferReturnRow, now: Date) => tx.run`
    insert into payments.transfer_return (
      returning_agent, return_id, credit_transfer_id, organization_id, amount_minor, status_reason_code, received_at)
    values (
      ${r.returningAgent}, ${r.returnId}, ${r.transferId}, ${r.organizationId}, ${r.amountMinor}, ${r.statusReasonCode}, ${now})`

/** How much of a transfer has come back so far, and in how many returns. */
export const returnedSoFar = (tx: Tx, transferId: Id<'credit_transfer'>) => tx.one<{ minor: bigint; count: bigint }>`
  select coalesce(sum(amount_minor), 0)::bigint as minor, count(*) as count
    from payments.transfer_return where credit_transfer_id = ${transferId}`
