import type { Id } from '../../platform/ids.ts'
import type { Taking } from '../../platform/passes/pass.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { date, instant, integer, minor, nullable, type RowOf, table, text, uuid } from '../../platform/postgres/table.ts'
import { transition } from '../../platform/postgres/transition.ts'
import { writer } from '../../platform/write.ts'
import type { BookId } from '../ledger/index.ts'
import { INCOMING_TRANSFER_MOVES, type IncomingStatus } from './domain/incoming-transfer.ts'

export const incomingTransfers = table(
  'payments.incoming_transfer',
  {
    id: uuid<'incoming_transfer'>(),
    organizationId: nullable(uuid<'organization'>()),
    creditorAccountId: nullable(uuid<'bank_account'>()),
    instructingAgent: text(),
    transactionId: text(),
    endToEndId: text(),
    originalMessageId: text(),
    debtorName: text(),
    debtorIban: text(),
    debtorBic: nullable(text()),
    creditorName: text(),
    creditorIban: text(),
    amountMinor: minor(),
    remittanceInformation: nullable(text()),
    settlementDate: date(),
    /** Null in rows of before it was kept: then the book of its account, or the home book. */
    bookId: nullable(integer<BookId>()),
    status: text<IncomingStatus>(),
    statusReasonCode: nullable(text()),
    receivedAt: instant(),
  },
  { written: { answerDueAt: nullable(instant()) }, filled: { currency: `'EUR'` } },
)

/** A SEPA credit transfer that came in. */
export type IncomingTransfer = Omit<RowOf<typeof incomingTransfers>, 'receivedAt'>

/** @returns false when this (instructing agent, transaction id) came before. */
export const insertIncomingTransfer = async (tx: Tx, transfer: IncomingTransfer, receivedAt: Date): Promise<boolean> =>
  (await incomingTransfers.insert(
    tx,
    [{ ...transfer, receivedAt }],
    'on conflict (instructing_agent, transaction_id) do nothing',
  )) === 1

/** Transfers that nobody can have told before. */
export const incomingTransferRows = writer(
  'payments.incoming_transfer',
  (_, tx, rows: readonly RowOf<typeof incomingTransfers>[]) => incomingTransfers.insert(tx, rows),
)

/** What came before under this key. */
export const findIncomingTransfer = async (
  tx: Tx,
  key: Pick<IncomingTransfer, 'instructingAgent' | 'transactionId'>,
): Promise<IncomingTransfer | undefined> =>
  (
    await incomingTransfers.select(tx)`
      where instructing_agent = ${key.instructingAgent} and transaction_id = ${key.transactionId}`
  )[0]

/** Receipts in suspense, to be sent back, locked for this worker. */
export const takeSuspended = (tx: Tx, { limit, held }: Taking) =>
  incomingTransfers.select(tx)`
    where status = 'suspended' and id::text not in (select platform.held(${held.pass}, ${held.at}))
    order by received_at, id limit ${limit} for update skip locked`

/** Returns of ours about which the rail has said nothing in time, locked for this worker. */
export const takeSilentReturns = (tx: Tx, { now, limit, held }: Taking) =>
  tx.query<IncomingTransfer & { returnMessageId: string }>(
    `select ${incomingTransfers.list}, (
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
       select ${incomingTransfers.list},
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

/** When the rail's answer to a return is overdue; null while it has not been sent. */
export const expectReturnAnswer = (tx: Tx, ids: readonly string[], dueAt: Date | null) => tx.run`
  update payments.incoming_transfer set answer_due_at = ${dueAt} where id = any(${ids}::uuid[]) and status = 'returning'`

/** Makes a move with a receipt that is locked. `answerDueAt`: when the rail's answer is overdue; without, none is awaited, or nothing was sent yet. */
export const moveIncoming = (
  tx: Tx,
  id: Id<'incoming_transfer'>,
  move: keyof typeof INCOMING_TRANSFER_MOVES,
  change: { bookId?: BookId; answerDueAt?: Date } = {},
): Promise<void> =>
  transition(tx, incomingTransfers, [id], INCOMING_TRANSFER_MOVES[move], {
    bookId: change.bookId,
    answerDueAt: change.answerDueAt ?? null,
  })

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
