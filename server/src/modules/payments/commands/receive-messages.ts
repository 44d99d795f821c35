import type { CommandContext } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { type Result, refuse } from '../../../platform/result.ts'
import { findAccountsByIban } from '../../accounts/index.ts'
import { type BookId, lockBooks } from '../../ledger/index.ts'
import type { RailEvent } from '../domain/rail-event.ts'
import * as store from '../message-store.ts'
import { type Rail, type RailMessage, storable } from '../rail.ts'
import { readRailMessage } from '../rail-messages.ts'
import { applyReturn } from './apply-return.ts'
import { applyStatusReport } from './apply-status-report.ts'
import { receiveCreditTransfer } from './receive-credit-transfer.ts'

const PAGE = 100

/** What somebody must look at; `partita verify` counts it, and what contradicts our books. */
const UNREADABLE = 'unreadable: '

/**
 * Fetches what waits in the rail's outbox and keeps it as it came, together with how far we have read. A message handed out twice is kept
 * once. Nothing is read or done yet: whatever is wrong with a message, the next ones are fetched.
 * @returns how many messages were handed out. @throws Failure when the rail is away.
 */
export async function fetchMessages(
  { actor, now, database }: CommandContext & { database: Database },
  rail: Rail,
): Promise<number> {
  const { sequence } = await database.read(actor, store.readCursor)
  const handedOut = await rail.fetchAfter(sequence, PAGE)
  const last = handedOut.at(-1)
  if (!last) return 0
  await database.transaction(actor, async (tx) => {
    await store.lockCursor(tx)
    await store.storeIncoming(tx, handedOut.map(kept), now)
    await store.moveCursor(tx, last.sequence)
    tx.wake('payments.read')
  })
  return handedOut.length
}

/** What stands in the database instead of a NUL is not what was said, so it is not read. */
function kept(message: RailMessage): store.FetchedMessage {
  const xml = storable(message.xml)
  return { ...message, xml, outcome: xml === message.xml ? null : unreadable('it holds a NUL, which no XML may') }
}

/** Reads a message into its parts, which are then applied one by one. What cannot be read is kept with the reason. */
export async function readMessage({ now }: CommandContext, tx: Tx, message: store.IncomingMessage): Promise<void> {
  const read = readRailMessage(message.xml)
  if (!read.ok) return void (await store.markRead(tx, message.railMessageId, unreadable(read.refusal), now))
  const outcomes = read.value.map((part) => (part.ok ? null : unreadable(part.refusal)))
  await store.insertParts(tx, message, outcomes, now)
  await store.markRead(tx, message.railMessageId, outcomes.length === 0 ? 'nothing' : null, now)
  tx.wake('payments.apply')
}

const unreadable = (reason: string): string => storable(`${UNREADABLE}${reason}`)

/**
 * Does what parts of the rail's messages say, each with the memory of what was made of it: a transaction that cannot be applied takes no other
 * of its message with it.
 * @param homeBook where receipts that belong to nobody are booked.
 */
export async function applyParts(
  { now }: CommandContext,
  tx: Tx,
  { parts, homeBook }: { readonly parts: readonly store.MessagePart[]; readonly homeBook: BookId },
): Promise<void> {
  const events = eventsOf(parts)
  await lockBooks(tx, await booksOf(tx, [...events.values()], homeBook))
  for (const part of parts) {
    const outcome = await apply(tx, events.get(part) as RailEvent, homeBook, now)
    await store.recordOutcome(tx, part, storable(outcome), now)
  }
}

/** What each part says. Parts of one message stand together, so that it is read once. */
function eventsOf(parts: readonly store.MessagePart[]): Map<store.MessagePart, RailEvent> {
  const messages = new Map<string, ReturnType<typeof readRailMessage>>()
  const events = new Map<store.MessagePart, RailEvent>()
  for (const part of parts) {
    const message = messages.get(part.railMessageId) ?? readRailMessage(part.xml)
    messages.set(part.railMessageId, message)
    const read: Result<RailEvent, string> | undefined = message.ok ? message.value[part.position] : refuse(message.refusal)
    assert(read?.ok, `the part cannot be read any more: ${read?.ok === false ? read.refusal : 'it is not there'}`)
    events.set(part, read.value)
  }
  return events
}

/** The books that the events will post in, so that they can be locked in one order: two workers then wait instead of deadlocking. */
async function booksOf(tx: Tx, events: readonly RailEvent[], homeBook: BookId): Promise<BookId[]> {
  const receipts = events.flatMap((event) => (event.kind === 'transfer_received' ? [event] : []))
  const accounts = await findAccountsByIban(
    tx,
    receipts.map((event) => event.creditorIban),
  )
  const spokenOf = await store.booksSpokenOf(tx, {
    transactionIds: events.flatMap((event) => transactionIdOf(event) ?? []),
    messageIds: events.flatMap((event) => (event.kind === 'status_reported' ? (event.originalMessageId ?? []) : [])),
  })
  return [...spokenOf, ...receipts.map((event) => accounts.get(event.creditorIban)?.bookId ?? homeBook)]
}

function transactionIdOf(event: RailEvent): string | null {
  if (event.kind === 'transfer_returned') return event.originalTransactionId
  return event.kind === 'status_reported' && event.about === 'transfer' ? event.transactionId : null
}

function apply(tx: Tx, event: RailEvent, homeBook: BookId, now: Date): Promise<string> {
  switch (event.kind) {
    case 'status_reported':
      return applyStatusReport(tx, event, now)
    case 'transfer_returned':
      return applyReturn(tx, event, now)
    case 'transfer_received':
      return receiveCreditTransfer(tx, event, homeBook, now)
  }
}
