import { decideCreditTransfers, type Reply } from './decide-credit-transfers.ts'
import { decideIncoming, hashOf, type IncomingOrder } from './decide-incoming.ts'
import { decideReturns } from './decide-returns.ts'
import { decideStatusRequest } from './decide-status-request.ts'
import { Draft } from './draft.ts'
import type { Journal } from './journal.ts'
import type { ReceivedMessage } from './messages/types.ts'
import { type Seeded, seeded } from './seeded.ts'
import {
  applyLine,
  emptyState,
  executions,
  happened,
  type JournalLine,
  type ReleasedMessage,
  type State,
  wouldRelease,
} from './state.ts'

export type Options = Readonly<{ seed: string; journal: Journal; lines?: readonly JournalLine[] }>

/** What is known of one TxId: `executions` counts the times that its money moved, and must never be above one. */
export type TransactionView = Readonly<{
  tx_id: string
  received: number
  executions: number
  returns: number
  status: string | null
  reason: string | null
}>

/**
 * The clearing system: takes messages, moves its clock with the bank's, and keeps messages for the bank to pull. Decisions are made on
 * the state in memory; a request is answered when its journal line is on disk.
 */
export class Simulator {
  private readonly state: State
  private readonly seeded: Seeded
  private readonly journal: Journal

  constructor({ seed, journal, lines = [] }: Options) {
    this.state = emptyState()
    this.seeded = seeded(seed)
    this.journal = journal
    for (const line of lines) applyLine(this.state, line)
  }

  /** The latest bank time seen. */
  get now(): string | undefined {
    return this.state.now
  }

  /** Moves the clock; a time before the latest one changes nothing. */
  async advance(bankTime: string): Promise<void> {
    if (wouldRelease(this.state, bankTime)) await this.record({ at: bankTime, events: [] })
    else if (this.state.now === undefined || bankTime > this.state.now) this.state.now = bankTime
  }

  /** Takes a message that could be read. */
  async take(message: ReceivedMessage, now: string): Promise<Reply> {
    const draft = new Draft(this.state, now, this.seeded)
    let reply: Reply = 'taken'
    if (message.type === 'pacs.008.001.08') reply = decideCreditTransfers(draft, message)
    else if (message.type === 'pacs.004.001.09') decideReturns(draft, message)
    else decideStatusRequest(draft, message)
    if (draft.events.length > 0) await this.record({ at: now, events: draft.events })
    return reply
  }

  /** Makes an incoming payment. Repeated under one key: the same payment, or `key_reused` when the order differs. */
  async simulateIncoming(
    order: IncomingOrder,
    idempotencyKey: string | undefined,
    now: string,
  ): Promise<{ txId: string; repeated: boolean } | 'key_reused'> {
    const earlier = idempotencyKey === undefined ? undefined : this.state.simulated.get(idempotencyKey)
    if (earlier) return earlier.requestHash === hashOf(order) ? { txId: earlier.txId, repeated: true } : 'key_reused'
    const draft = new Draft(this.state, now, this.seeded)
    const txId = decideIncoming(draft, order, idempotencyKey)
    await this.record({ at: now, events: draft.events })
    return { txId, repeated: false }
  }

  incoming(txId: string) {
    return this.state.incoming.get(txId)
  }

  /** Messages that are due, after a sequence, oldest first. */
  messages(after: number, limit: number): readonly ReleasedMessage[] {
    return this.state.released.slice(after, after + limit)
  }

  counts() {
    const { payments, incoming, released, waiting } = this.state
    return {
      payments: payments.size,
      incoming: incoming.size,
      messages_released: released.length,
      messages_waiting: waiting.length,
    }
  }

  /** Everything known under a TxId, whichever bank sent it. */
  transaction(txId: string): TransactionView | undefined {
    const now = this.state.now ?? ''
    const keys = this.state.keysByTxId.get(txId) ?? []
    const found = keys.flatMap((key) => this.state.payments.get(key) ?? [])
    const lost = this.state.lost.get(txId) ?? 0
    if (found.length === 0 && lost === 0) return undefined
    const last = found.map((payment) => happened(payment.timeline, now).at(-1)).find((entry) => entry !== undefined)
    const sum = (count: (payment: (typeof found)[number]) => number) =>
      found.reduce((total, payment) => total + count(payment), 0)
    return {
      tx_id: txId,
      received: lost + sum((payment) => this.state.received.get(payment.key) ?? 0),
      executions: sum((payment) => executions(payment, now)),
      returns: sum((payment) => (payment.returnAt !== undefined && payment.returnAt <= now ? 1 : 0)),
      status: last?.status ?? null,
      reason: last?.reason ?? null,
    }
  }

  /** For statements: the records themselves, read only. */
  get records(): Readonly<Pick<State, 'payments' | 'incoming' | 'bankReturns' | 'bankBic'>> {
    return this.state
  }

  close(): Promise<void> {
    return this.journal.close()
  }

  private async record(line: JournalLine): Promise<void> {
    applyLine(this.state, line)
    await this.journal.append(line)
  }
}
