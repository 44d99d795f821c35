import { Overtaken } from '../../platform/errors.ts'
import { gatherer } from '../../platform/gather.ts'
import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { writer } from '../../platform/write.ts'

export type KnownPaymentFile = {
  readonly id: Id<'payment_file'>
  readonly debtorAccountId: Id<'bank_account'>
  readonly contentSha256: Buffer | null
  readonly receivedAt: Date
  /** Whether its sender has been told what became of it. */
  readonly isAnswered: boolean
  /** What became of each of its transactions that passed the rules, as long as it is not answered. */
  readonly outcomes: readonly FileOutcome[]
}

/** What became of one transaction of a file when it was accepted: a transfer, or the account's refusal. */
export type FileOutcome = {
  readonly filePosition: number
  readonly transferId: Id<'credit_transfer'> | null
  readonly statusReasonCode: string | null
}

/** A MsgId is unique within the organization that sent it. */
export const fileKey = (organizationId: Id<'organization'>, messageId: string): string => `${organizationId} ${messageId}`

/** Files that organizations sent before, by `fileKey`. */
export const filesByMessageId = gatherer('payments.file_by_message_id', async (tx, keys) => {
  const files = await findPaymentFiles(
    tx,
    keys.map((key) => [key.slice(0, UUID_LENGTH), key.slice(UUID_LENGTH + 1)] as const),
  )
  const open = files.filter((file) => !file.isAnswered).map((file) => file.id)
  const outcomes = Map.groupBy(open.length === 0 ? [] : await outcomesOfFiles(tx, open), (outcome) => outcome.fileId)
  return new Map(
    files.map(({ organizationId, messageId, ...file }): [string, KnownPaymentFile] => [
      fileKey(organizationId, messageId),
      { ...file, outcomes: outcomes.get(file.id) ?? [] },
    ]),
  )
})

const UUID_LENGTH = 36

type FoundFile = Omit<KnownPaymentFile, 'outcomes'> & {
  readonly organizationId: Id<'organization'>
  readonly messageId: string
}

const findPaymentFiles = (tx: Tx, named: readonly (readonly [organizationId: string, messageId: string])[]) => tx.rows<FoundFile>`
  select f.id, f.organization_id as "organizationId", f.message_id as "messageId", f.debtor_account_id as "debtorAccountId",
         f.content_sha256 as "contentSha256", f.received_at as "receivedAt", a.payment_file_id is not null as "isAnswered"
    from unnest(${named.map(([id]) => id)}::uuid[], ${named.map(([, id]) => id)}::text[]) as w(organization_id, message_id)
    join payments.payment_file f using (organization_id, message_id)
    left join payments.payment_file_answer a on a.payment_file_id = f.id`

const outcomesOfFiles = (tx: Tx, ids: readonly Id<'payment_file'>[]) => tx.rows<
  FileOutcome & { readonly fileId: Id<'payment_file'> }
>`
  select payment_file_id as "fileId", file_position as "filePosition", id as "transferId", null as "statusReasonCode"
    from payments.credit_transfer where payment_file_id = any(${ids}::uuid[]) and file_position is not null
   union all
  select payment_file_id, file_position, null, status_reason_code
    from payments.payment_file_refusal where payment_file_id = any(${ids}::uuid[])`

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

/** Waits for another transaction that inserts one of the MsgIds. @throws Overtaken when it was used since we looked. */
export const paymentFileRows = writer('payments.payment_file', async (_, tx, rows: readonly NewPaymentFile[]) => {
  const inserted = await tx.run`
    insert into payments.payment_file (
      id, organization_id, message_id, debtor_account_id, message_name, status, transactions, control_sum_minor, content_sha256, received_at)
    select * from unnest(
      ${rows.map((f) => f.id)}::uuid[], ${rows.map((f) => f.organizationId)}::uuid[], ${rows.map((f) => f.messageId)}::text[],
      ${rows.map((f) => f.debtorAccountId)}::uuid[], ${rows.map((f) => f.messageName)}::text[], ${rows.map((f) => f.status)}::text[],
      ${rows.map((f) => f.transactions)}::int[], ${rows.map((f) => f.controlSumMinor)}::bigint[],
      ${rows.map((f) => f.contentSha256)}::bytea[], ${rows.map((f) => f.receivedAt.toISOString())}::timestamptz[])
    on conflict (organization_id, message_id) do nothing`
  if (inserted < rows.length) throw new Overtaken('a MsgId was used by somebody else meanwhile')
})

/** A transfer of a file that the account refused; the others are known by their own rows. */
export type FileRefusal = Pick<NewPaymentFile, 'id' | 'organizationId'> & {
  readonly filePosition: number
  readonly statusReasonCode: string
}

export const fileRefusalRows = writer(
  'payments.payment_file_refusal',
  (_, tx, rows: readonly FileRefusal[]) => tx.run`
    insert into payments.payment_file_refusal (payment_file_id, organization_id, file_position, status_reason_code)
    select * from unnest(
      ${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.organizationId)}::uuid[], ${rows.map((r) => r.filePosition)}::int[],
      ${rows.map((r) => r.statusReasonCode)}::text[])`,
  [paymentFileRows],
)

/** The sender of the file has his answer; repeated, nothing happens. */
export const recordFileAnswer = (tx: Tx, id: Id<'payment_file'>, now: Date) => tx.run`
  insert into payments.payment_file_answer (payment_file_id, organization_id, answered_at)
  select id, organization_id, ${now} from payments.payment_file where id = ${id} on conflict do nothing`
