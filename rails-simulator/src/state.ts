import type { CreditTransfer, OutgoingMessage } from './messages/types.ts'

/** What happened to a payment and when, in the bank's time (ISO instants, UTC). Entries after "now" have not happened yet. */
export type TimelineEntry = Readonly<{ at: string; status: 'ACSP' | 'ACSC' | 'RJCT'; reason?: string | undefined }>

/** A credit transfer that the bank sent. */
export type PaymentRecord = Readonly<{
  key: string
  msgId: string
  settlementDate: string
  transaction: CreditTransfer
  timeline: readonly TimelineEntry[]
  /** When a pacs.004 brings the money back. */
  returnAt?: string | undefined
  /** Answers nothing, not even a status request. */
  silent: boolean
}>

/** A credit transfer that this clearing system sent to the bank, and what became of its return. */
export type IncomingRecord = Readonly<{
  msgId: string
  settlementDate: string
  availableAt: string
  transaction: CreditTransfer
}>

/** A return (pacs.004) that the bank sent. */
export type BankReturnRecord = Readonly<{
  returnId: string
  msgId: string
  amount: string
  settlementDate: string
  timeline: readonly TimelineEntry[]
}>

/** Something for the bank, from the moment `dueAt`. */
export type QueuedMessage = Readonly<{ id: string; dueAt: string; content: OutgoingMessage }>

export type ReleasedMessage = QueuedMessage & Readonly<{ sequence: number }>

/** What one request changed. A journal line holds the events of one request, so that they are remembered together or not at all. */
export type SimulatorEvent =
  | Readonly<{ type: 'payment_taken'; payment: PaymentRecord }>
  | Readonly<{ type: 'payment_seen_again'; key: string }>
  | Readonly<{ type: 'payment_lost'; txId: string }>
  /** The bank was told "never received"; the same TxId arriving later must not be executed any more. */
  | Readonly<{ type: 'never_received_told'; key: string }>
  | Readonly<{ type: 'incoming_made'; incoming: IncomingRecord; idempotencyKey?: string | undefined; requestHash: string }>
  | Readonly<{ type: 'incoming_returned'; txId: string; bankReturn: BankReturnRecord }>
  | Readonly<{ type: 'bank_seen'; bic: string }>
  | Readonly<{ type: 'message_queued'; message: QueuedMessage }>

export type JournalLine = Readonly<{ at: string; events: readonly SimulatorEvent[] }>

/** Everything the clearing system knows. Changed by `applyLine` only, so that a journal read again gives the same. */
export type State = {
  /** The latest bank time seen; the only clock. Undefined before the first request that carries one. */
  now: string | undefined
  payments: Map<string, PaymentRecord>
  /** Keys by TxId: usually one. */
  keysByTxId: Map<string, string[]>
  /** How many times a pacs.008 of that key arrived. */
  received: Map<string, number>
  lost: Map<string, number>
  neverReceived: Set<string>
  incoming: Map<string, IncomingRecord>
  bankReturns: Map<string, BankReturnRecord>
  simulated: Map<string, Readonly<{ txId: string; requestHash: string }>>
  bankBic: string | undefined
  /** Messages not due yet, earliest first; equal times keep the order they were made in. */
  waiting: QueuedMessage[]
  /** Messages that the bank can pull; index + 1 is the sequence. */
  released: ReleasedMessage[]
  /** How many messages were ever queued: the source of new identifiers. */
  queuedCount: number
}

export const emptyState = (): State => ({
  now: undefined,
  payments: new Map(),
  keysByTxId: new Map(),
  received: new Map(),
  lost: new Map(),
  neverReceived: new Set(),
  incoming: new Map(),
  bankReturns: new Map(),
  simulated: new Map(),
  bankBic: undefined,
  waiting: [],
  released: [],
  queuedCount: 0,
})

/** A payment is one bank's: its BIC in full length, and the TxId that is unique for it. */
export const paymentKey = (instructingAgent: string | undefined, txId: string): string =>
  `${instructingAgent === undefined ? '' : instructingAgent.padEnd(11, 'X')}|${txId}`

/** A return of the bank, by the message that it came in. */
export const returnKey = (msgId: string, originalTxId: string): string => `return|${msgId}|${originalTxId}`

/**
 * Moves the clock to the line's time and applies its events. Messages get their sequence when they become due, not when they are made:
 * a late answer must come after everything that the bank has already pulled.
 */
export function applyLine(state: State, line: JournalLine): void {
  if (state.now === undefined || line.at > state.now) state.now = line.at
  release(state)
  for (const event of line.events) applyEvent(state, event)
  release(state)
}

/** Whether moving the clock would release a message, which the journal must then remember. */
export const wouldRelease = (state: State, at: string): boolean => {
  const [first] = state.waiting
  return first !== undefined && first.dueAt <= at
}

function release(state: State): void {
  const now = state.now
  if (now === undefined || !wouldRelease(state, now)) return
  const later = state.waiting.findIndex((message) => message.dueAt > now)
  const due = state.waiting.splice(0, later === -1 ? state.waiting.length : later)
  for (const message of due) state.released.push({ ...message, sequence: state.released.length + 1 })
}

function enqueue(waiting: QueuedMessage[], message: QueuedMessage): void {
  let low = 0
  let high = waiting.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((waiting[middle]?.dueAt ?? '') <= message.dueAt) low = middle + 1
    else high = middle
  }
  waiting.splice(low, 0, message)
}

function applyEvent(state: State, event: SimulatorEvent): void {
  switch (event.type) {
    case 'payment_taken':
      state.payments.set(event.payment.key, event.payment)
      rememberKey(state, event.payment)
      state.received.set(event.payment.key, (state.received.get(event.payment.key) ?? 0) + 1)
      return
    case 'payment_seen_again':
      state.received.set(event.key, (state.received.get(event.key) ?? 0) + 1)
      return
    case 'payment_lost':
      state.lost.set(event.txId, (state.lost.get(event.txId) ?? 0) + 1)
      return
    case 'never_received_told':
      state.neverReceived.add(event.key)
      return
    case 'incoming_made':
      state.incoming.set(event.incoming.transaction.txId, event.incoming)
      if (event.idempotencyKey !== undefined) {
        state.simulated.set(event.idempotencyKey, { txId: event.incoming.transaction.txId, requestHash: event.requestHash })
      }
      return
    case 'incoming_returned':
      state.bankReturns.set(event.txId, event.bankReturn)
      return
    case 'bank_seen':
      state.bankBic = event.bic
      return
    case 'message_queued':
      enqueue(state.waiting, event.message)
      state.queuedCount += 1
      return
  }
}

function rememberKey(state: State, { key, transaction: { txId } }: PaymentRecord): void {
  const keys = state.keysByTxId.get(txId)
  if (keys) keys.push(key)
  else state.keysByTxId.set(txId, [key])
}

/** The entries that have happened. */
export const happened = (timeline: readonly TimelineEntry[], now: string): readonly TimelineEntry[] =>
  timeline.filter((entry) => entry.at <= now)

/** How many times the money was moved to the creditor: what must never exceed one. */
export const executions = (payment: PaymentRecord, now: string): number =>
  happened(payment.timeline, now).filter((entry) => entry.status === 'ACSC').length
