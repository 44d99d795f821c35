import type { Clock } from '../../../platform/clock.ts'
import { Failure, sqlStateOf } from '../../../platform/errors.ts'
import { type Database, isConnectionLoss, type Tx } from '../../../platform/postgres/database.ts'
import type { BookId } from '../../ledger/index.ts'
import type { RailEvent } from '../domain/rail-event.ts'
import { type Rail, type RailMessage, storable } from '../rail.ts'
import { readRailMessage } from '../rail-messages.ts'
import * as store from '../store.ts'
import { applyReturn } from './apply-return.ts'
import { applyStatusReport } from './apply-status-report.ts'
import { receiveCreditTransfer } from './receive-credit-transfer.ts'

const PAGE = 100

/** Outcomes that somebody must look at; `partita verify` counts them, and those that contradict our books. */
const UNREADABLE = 'unreadable: '
const FAILED = 'failed: '

/**
 * Fetches what waits in the rail's outbox and does what it says: each message in a transaction of its own, together with the memory
 * that it was handled and how far we have read. A message handed out twice has no second effect.
 *
 * A message that cannot be read, or whose effect our books refuse, is kept with the reason and does not hold up the others. What fails
 * around it (database away, out of space, a lock that did not come free) is tried again: the message has not been handled.
 * @returns how many messages were read. @throws Failure when the rail is away.
 */
export async function receiveMessages(database: Database, rail: Rail, homeBook: BookId, clock: Clock): Promise<number> {
  const { sequence } = await database.read('system', store.readCursor)
  const messages = await rail.fetchAfter(sequence, PAGE)
  for (const message of messages) {
    try {
      await database.transaction('system', (tx) => handle(tx, message, homeBook, clock.now()))
    } catch (error) {
      if (isPassing(error)) throw error
      const reason = error instanceof Error ? error.message : String(error)
      await database.transaction('system', (tx) => remember(tx, message, `${FAILED}${reason}`, clock.now()))
    }
  }
  return messages.length
}

// SQLSTATE classes: serialization and deadlocks, resources, locks not free, operator's intervention, disk.
const PASSING_STATES = /^(40|53|55|57|58)/

const isPassing = (error: unknown): boolean =>
  isConnectionLoss(error) || (error instanceof Failure && error.retryable) || PASSING_STATES.test(sqlStateOf(error) ?? '')

async function handle(tx: Tx, message: RailMessage, homeBook: BookId, now: Date): Promise<void> {
  await store.lockCursor(tx)
  if (await store.wasReceived(tx, message.id)) return void (await store.moveCursor(tx, message.sequence))
  const read = readRailMessage(message.xml)
  if (!read.ok) return remember(tx, message, `${UNREADABLE}${read.refusal}`, now)
  const outcomes: string[] = []
  for (const event of read.value) outcomes.push(await apply(tx, event, homeBook, now))
  await remember(tx, message, outcomes.join(' ') || 'nothing', now)
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

async function remember(tx: Tx, message: RailMessage, outcome: string, now: Date): Promise<void> {
  await store.rememberIncoming(tx, { ...message, xml: storable(message.xml), outcome: storable(outcome), now })
  await store.moveCursor(tx, message.sequence)
}
