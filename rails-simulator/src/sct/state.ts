import type { CreditTransfer } from '../messages/pacs008.ts'

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

/** What one request changed in credit transfers. */
export type CreditTransferEvent =
  | Readonly<{ type: 'payment_taken'; payment: PaymentRecord }>
  | Readonly<{ type: 'payment_seen_again'; key: string }>
  | Readonly<{ type: 'payment_lost'; txId: string }>
  /** The bank was told "never received"; the same TxId arriving later must not be executed any more. */
  | Readonly<{ type: 'never_received_told'; key: string }>
  | Readonly<{ type: 'incoming_made'; incoming: IncomingRecord; idempotencyKey?: string | undefined; requestHash: string }>
  | Readonly<{ type: 'incoming_returned'; txId: string; bankReturn: BankReturnRecord }>

/** Everything that is known of credit transfers. Changed by `applyEvent` only, so that a journal read again gives the same. */
export type CreditTransferState = {
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
}

export const emptyState = (): CreditTransferState => ({
  payments: new Map(),
  keysByTxId: new Map(),
  received: new Map(),
  lost: new Map(),
  neverReceived: new Set(),
  incoming: new Map(),
  bankReturns: new Map(),
  simulated: new Map(),
})

/** A payment is one bank's: its BIC in full length, and the TxId that is unique for it. */
export const paymentKey = (instructingAgent: string | undefined, txId: string): string =>
  `${instructingAgent === undefined ? '' : instructingAgent.padEnd(11, 'X')}|${txId}`

/** A return of the bank, by the message that it came in. */
export const returnKey = (msgId: string, originalTxId: string): string => `return|${msgId}|${originalTxId}`

/** @returns false when the event is another scheme's. */
export function applyEvent(state: CreditTransferState, event: CreditTransferEvent): boolean {
  switch (event.type) {
    case 'payment_taken':
      state.payments.set(event.payment.key, event.payment)
      rememberKey(state, event.payment)
      countOne(state.received, event.payment.key)
      return true
    case 'payment_seen_again':
      countOne(state.received, event.key)
      return true
    case 'payment_lost':
      countOne(state.lost, event.txId)
      return true
    case 'never_received_told':
      state.neverReceived.add(event.key)
      return true
    case 'incoming_made': {
      const { txId } = event.incoming.transaction
      state.incoming.set(txId, event.incoming)
      if (event.idempotencyKey !== undefined) state.simulated.set(event.idempotencyKey, { txId, requestHash: event.requestHash })
      return true
    }
    case 'incoming_returned':
      state.bankReturns.set(event.txId, event.bankReturn)
      return true
    default:
      return false
  }
}

const countOne = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function rememberKey(state: CreditTransferState, { key, transaction: { txId } }: PaymentRecord): void {
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
