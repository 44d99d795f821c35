import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'

export type KnownPaymentFile = {
  readonly id: Id<'payment_file'>
  readonly debtorAccountId: Id<'bank_account'>
  readonly contentSha256: Buffer | null
  readonly receivedAt: Date
  /** Whether its sender has been told what became of it. */
  readonly isAnswered: boolean
}

/** The file that an organization sent under this MsgId before. */
export const findPaymentFile = (tx: Tx, organizationId: string, messageId: string) => tx.maybe<KnownPaymentFile>`
  select f.id, f.debtor_account_id as "debtorAccountId", f.content_sha256 as "contentSha256", f.received_at as "receivedAt",
         a.payment_file_id is not null as "isAnswered"
    from payments.payment_file f left join payments.payment_file_answer a on a.payment_file_id = f.id
   where f.organization_id = ${organizationId} and f.message_id = ${messageId}`

export type NewPaymentFile = {
  readonly id: Id<'payment_file'>
  readonly organizationId: Id<'organization'>
  readonly messageId: string
  readonly debtorAccountId: Id<'bank_account'>
  readonly messageName: string
  readonly status: 'accepted' | 'partly_accepted'
  readonly transactions: number
  readonly controlSumMinor: bigint
  readonly contentSha256: Buffer
  readonly receivedAt: Date
}

/** Waits for another transaction that inserts the same MsgId. @returns false when the organization used it before. */
export const insertPaymentFile = async (tx: Tx, f: NewPaymentFile): Promise<boolean> =>
  (await tx.run`
    insert into payments.payment_file (
      id, organization_id, message_id, debtor_account_id, message_name, status, transactions, control_sum_minor, content_sha256, received_at)
    values (
      ${f.id}, ${f.organizationId}, ${f.messageId}, ${f.debtorAccountId}, ${f.messageName}, ${f.status}, ${f.transactions},
      ${f.controlSumMinor}, ${f.contentSha256}, ${f.receivedAt})
    on conflict (organization_id, message_id) do nothing`) === 1

/** What became of one transaction of a file when it was accepted: a transfer, or the account's refusal. */
export type FileOutcome = {
  readonly filePosition: number
  readonly transferId: Id<'credit_transfer'> | null
  readonly statusReasonCode: string | null
}

/** Remembers which transfers of a file the account refused; the others are known by their own rows. */
export const insertFileRefusals = (
  tx: Tx,
  file: Pick<NewPaymentFile, 'id' | 'organizationId'>,
  refusals: readonly { filePosition: number; statusReasonCode: string }[],
) => tx.run`
  insert into payments.payment_file_refusal (payment_file_id, organization_id, file_position, status_reason_code)
  select ${file.id}, ${file.organizationId}, r.file_position, r.status_reason_code
    from unnest(${refusals.map((r) => r.filePosition)}::int[], ${refusals.map((r) => r.statusReasonCode)}::text[])
      as r(file_position, status_reason_code)`

export const outcomesOfFile = (tx: Tx, id: Id<'payment_file'>) => tx.rows<FileOutcome>`
  select file_position as "filePosition", id as "transferId", null as "statusReasonCode"
    from payments.credit_transfer where payment_file_id = ${id} and file_position is not null
   union all
  select file_position, null, status_reason_code from payments.payment_file_refusal where payment_file_id = ${id}`

/** The sender of the file has his answer; repeated, nothing happens. */
export const recordFileAnswer = (tx: Tx, id: Id<'payment_file'>, now: Date) => tx.run`
  insert into payments.payment_file_answer (payment_file_id, organization_id, answered_at)
  select id, organization_id, ${now} from payments.payment_file where id = ${id} on conflict do nothing`

/** A point in the transaction to which `undoPaymentFile` returns: a file's record is written once its outcome is known. */
export const markPaymentFile = (tx: Tx) => tx.run`savepoint payment_file`

export const undoPaymentFile = (tx: Tx) => tx.run`rollback to savepoint payment_file`
