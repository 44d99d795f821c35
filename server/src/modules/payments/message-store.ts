import type { Held } from '../../platform/passes/pass.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { BookId } from '../ledger/index.ts'
import type { RailMessage } from './rail.ts'

// Messages to the rail, remembered before they are sent; messages of the rail, each stored, read and applied once.

export type OutgoingMessage = {
  id: string
  messageId: string
  messageName: string
  /** The transfers that it pays, or asks about. */
  transferIds: readonly string[]
  /** The receipt that it sends back, or asks about. */
  incomingTransferId: string | null
  xml: string
}

export const insertMessages = async (tx: Tx, messages: readonly OutgoingMessage[], now: Date): Promise<void> => {
  await tx.run`
    insert into payments.outgoing_message (id, message_id, message_name, incoming_transfer_id, xml, created_at)
    select id, message_id, message_name, incoming_transfer_id, xml, ${now} from unnest(
      ${messages.map((m) => m.id)}::uuid[], ${messages.map((m) => m.messageId)}::text[], ${messages.map((m) => m.messageName)}::text[],
      ${messages.map((m) => m.incomingTransferId)}::uuid[], ${messages.map((m) => m.xml)}::text[])
      as m(id, message_id, message_name, incoming_transfer_id, xml)`
  const pairs = messages.flatMap(({ id, transferIds }) => transferIds.map((transferId) => ({ id, transferId })))
  if (pairs.length === 0) return
  await tx.run`
    insert into payments.outgoing_message_transfer (message_id, transfer_id)
    select * from unnest(${pairs.map((p) => p.id)}::uuid[], ${pairs.map((p) => p.transferId)}::uuid[])`
}

/**
 * Takes messages that were never tried, and marks them as tried before they are: a crash in between leaves a question, not a second
 * payment. A payment of which a transfer is no longer `submitted` has been decided without it and never leaves.
 */
export const takeMessages = (tx: Tx, now: Date, limit: number) => tx.rows<OutgoingMessage>`
  update payments.outgoing_message message set attempted_at = ${now}
   where id in (
     select m.id from payments.outgoing_message m
      where m.attempted_at is null
        and not (m.message_name like 'pacs.008%' and exists (
          select 1 from payments.outgoing_message_transfer c join payments.credit_transfer t on t.id = c.transfer_id
           where c.message_id = m.id and t.status <> 'submitted'))
      order by m.created_at, m.id limit ${limit} for update of m skip locked)
   returning id, message_id as "messageId", message_name as "messageName", incoming_transfer_id as "incomingTransferId", xml,
             array(select c.transfer_id from payments.outgoing_message_transfer c where c.message_id = message.id) as "transferIds"`

export const markDelivered = (tx: Tx, id: string, now: Date) =>
  tx.run`update payments.outgoing_message set delivered_at = ${now} where id = ${id}`

export const markNotSent = (tx: Tx, id: string) =>
  tx.run`update payments.outgoing_message set attempted_at = null where id = ${id}`

export const markRefused = (tx: Tx, id: string, reason: string) =>
  tx.run`update payments.outgoing_message set refused_reason = ${reason} where id = ${id}`

/** Payments that were marked as tried before a crash: nobody knows whether the rail has them. @returns the transfers concerned. */
export const findInterrupted = async (tx: Tx, before: Date): Promise<string[]> => {
  const rows = await tx.rows<{ transferId: string }>`
    select c.transfer_id as "transferId"
      from payments.outgoing_message m
      join payments.outgoing_message_transfer c on c.message_id = m.id
      join payments.credit_transfer t on t.id = c.transfer_id
     where m.attempted_at < ${before} and m.delivered_at is null and m.refused_reason is null and t.status = 'submitted'
       and (t.answer_due_at is null or t.answer_due_at > ${before})
     limit 100`
  return rows.map((row) => row.transferId)
}

/** The transfers that one of our payments carried. */
export const transactionIdsOfMessage = async (tx: Tx, messageId: string | null): Promise<string[]> => {
  const rows = await tx.rows<{ transactionId: string }>`
    select t.transaction_id as "transactionId"
      from payments.outgoing_message m
      join payments.outgoing_message_transfer c on c.message_id = m.id
      join payments.credit_transfer t on t.id = c.transfer_id
     where m.message_id = ${messageId} and m.message_name like 'pacs.008%'`
  return rows.map((row) => row.transactionId)
}

/** The MsgId of the payments that carry these transfers, by transfer. */
export const messageIdsOfTransfers = async (tx: Tx, transferIds: readonly string[]): Promise<Map<string, string>> => {
  const rows = await tx.rows<{ transferId: string; messageId: string }>`
    select c.transfer_id as "transferId", m.message_id as "messageId"
      from payments.outgoing_message_transfer c join payments.outgoing_message m on m.id = c.message_id
     where c.transfer_id = any(${transferIds}::uuid[]) and m.message_name like 'pacs.008%'`
  return new Map(rows.map((row) => [row.transferId, row.messageId]))
}

/** The books that messages about these transfers and messages of ours will post in. */
export const booksSpokenOf = async (
  tx: Tx,
  spokenOf: { readonly transactionIds: readonly string[]; readonly messageIds: readonly string[] },
): Promise<BookId[]> => {
  const rows = await tx.rows<{ bookId: BookId }>`
    select book_id as "bookId" from payments.credit_transfer where transaction_id = any(${spokenOf.transactionIds}::text[])
     union
    select t.book_id
      from payments.outgoing_message m
      join payments.outgoing_message_transfer c on c.message_id = m.id
      join payments.credit_transfer t on t.id = c.transfer_id
     where m.message_id = any(${spokenOf.messageIds}::text[])
     union
    select t.book_id
      from payments.outgoing_message m join payments.incoming_transfer t on t.id = m.incoming_transfer_id
     where m.message_id = any(${spokenOf.messageIds}::text[]) and t.book_id is not null`
  return rows.map((row) => row.bookId)
}

/** Locks how far we have read the rail's outbox: one worker at a time stores what it fetched. */
export const lockCursor = (tx: Tx) => tx.one<{ sequence: bigint }>`select sequence from payments.rail_cursor for update`

export const readCursor = (tx: Tx) => tx.one<{ sequence: bigint }>`select sequence from payments.rail_cursor`

export const moveCursor = (tx: Tx, sequence: bigint) =>
  tx.run`update payments.rail_cursor set sequence = ${sequence} where sequence < ${sequence}`

/** Keeps messages of the rail as they came; one that came before is left as it is. @returns how many are new. */
export const storeIncoming = (tx: Tx, messages: readonly FetchedMessage[], now: Date) => tx.run`
  insert into payments.incoming_message (rail_message_id, sequence, message_name, xml, received_at, outcome, read_at)
  select id, sequence, message_name, xml, ${now}, outcome, case when outcome is not null then ${now}::timestamptz end
    from unnest(
      ${messages.map((m) => m.id)}::text[], ${messages.map((m) => m.sequence)}::bigint[], ${messages.map((m) => m.messageName)}::text[],
      ${messages.map((m) => m.xml)}::text[], ${messages.map((m) => m.outcome)}::text[]) as m(id, sequence, message_name, xml, outcome)
  on conflict do nothing`

/** `outcome`: that it cannot even be kept as it came, and so must not be read later; else null. */
export type FetchedMessage = RailMessage & { readonly outcome: string | null }

export type IncomingMessage = { railMessageId: string; sequence: bigint; xml: string }

/** Messages that nobody has read yet, in the rail's order, locked for this worker. */
export const takeUnread = (tx: Tx, limit: number, held: Held) => tx.rows<IncomingMessage>`
  select rail_message_id as "railMessageId", sequence, xml from payments.incoming_message
   where read_at is null and rail_message_id not in (select platform.held(${held.pass}, ${held.at}))
   order by sequence limit ${limit} for update skip locked`

/** What was made of a message; null when its parts will say. */
export const markRead = (tx: Tx, railMessageId: string, outcome: string | null, now: Date) => tx.run`
  update payments.incoming_message set read_at = ${now}, outcome = ${outcome} where rail_message_id = ${railMessageId}`

/** The parts of a message, in order; one that cannot be read has its outcome already. */
export const insertParts = (tx: Tx, message: IncomingMessage, outcomes: readonly (string | null)[], now: Date) => tx.run`
  insert into payments.incoming_message_part (rail_message_id, position, sequence, outcome, applied_at)
  select ${message.railMessageId}, position - 1, ${message.sequence}, outcome, case when outcome is not null then ${now}::timestamptz end
    from unnest(${outcomes}::text[]) with ordinality as p(outcome, position)`

export type MessagePart = { railMessageId: string; position: number; xml: string }

/** What a part is called by cases. */
export const nameOfPart = (part: Pick<MessagePart, 'railMessageId' | 'position'>): string =>
  `${part.railMessageId}#${part.position}`

/** Parts that are not applied yet, in the rail's order, locked for this worker. */
export const takeParts = (tx: Tx, limit: number, held: Held) => tx.rows<MessagePart>`
  select p.rail_message_id as "railMessageId", p.position, m.xml
    from payments.incoming_message_part p join payments.incoming_message m on m.rail_message_id = p.rail_message_id
   where p.applied_at is null and p.rail_message_id || '#' || p.position not in (select platform.held(${held.pass}, ${held.at}))
   order by p.sequence, p.rail_message_id, p.position limit ${limit} for update of p skip locked`

export const recordOutcome = (tx: Tx, part: MessagePart, outcome: string, now: Date) => tx.run`
  update payments.incoming_message_part set outcome = ${outcome}, applied_at = ${now}
   where rail_message_id = ${part.railMessageId} and position = ${part.position}`

/** Messages, or parts of them, that somebody must look at: unreadable, not applied for a failure, or at odds with what we know. */
export const troubledMessages = async (tx: Tx, limit: number) => {
  const rows = await tx.rows<{ name: string; messageName: string; outcome: string; count: bigint }>`
    select name, message_name as "messageName", outcome, count(*) over () as count
      from (
        select rail_message_id as name, message_name, received_at, outcome
          from payments.incoming_message
         where outcome ~ '^unreadable: |contradiction|transfer_not_found'
         union all
        select p.rail_message_id || '#' || p.position, m.message_name, m.received_at, p.outcome
          from payments.incoming_message_part p join payments.incoming_message m on m.rail_message_id = p.rail_message_id
         where p.outcome ~ '^unreadable: |contradiction|transfer_not_found'
         union all
        select rail_message_id, message_name, received_at, 'failed: "partita worker status" says why'
          from payments.incoming_message
         where read_at is null and rail_message_id in (select platform.held('payments.read', '-infinity'))
         union all
        select p.rail_message_id || '#' || p.position, m.message_name, m.received_at, 'failed: "partita worker status" says why'
          from payments.incoming_message_part p join payments.incoming_message m on m.rail_message_id = p.rail_message_id
         where p.applied_at is null and p.rail_message_id || '#' || p.position in (select platform.held('payments.apply', '-infinity'))
      ) as troubled
     order by received_at desc limit ${limit}`
  return { count: rows[0]?.count ?? 0n, examples: rows }
}
