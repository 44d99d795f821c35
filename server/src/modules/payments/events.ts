import type { Id } from '../../platform/ids.ts'
import { formatDecimal, type Money } from '../../platform/money.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { InternalTransferInstruction } from './domain/internal-transfer.ts'

const TOPIC = 'payments'

/** `payments.internal_transfer_completed.v1`: money moved between two accounts of one organization. */
export const internalTransferCompleted = (transfer: InternalTransferInstruction): NewEvent => ({
  topic: TOPIC,
  type: 'payments.internal_transfer_completed.v1',
  aggregateId: transfer.id,
  organizationId: transfer.organizationId,
  payload: {
    id: transfer.id,
    debtor_iban: transfer.debtorIban,
    creditor_iban: transfer.creditorIban,
    ...wireAmount(transfer.amount),
    remittance_information: transfer.remittanceInformation,
  },
  occurredAt: transfer.orderedAt,
})

/** What every event of an outgoing SEPA credit transfer says. */
export type CreditTransferFact = {
  readonly id: Id<'credit_transfer'>
  readonly organizationId: Id<'organization'>
  readonly amount: Money
  readonly creditorIban: string
  readonly endToEndId: string
  readonly reasonCode?: string | null
}

export const CREDIT_TRANSFER_EVENTS = [
  'initiated',
  'submitted',
  'became_unknown',
  'accepted',
  'settled',
  'rejected',
  'returned',
  'settled_after_rejection',
  'contradicted',
] as const

/** `payments.credit_transfer_<what>.v1`: a step of an outgoing SEPA credit transfer; its states are drawn in domain/credit-transfer.ts. */
export const creditTransferEvent = (
  what: (typeof CREDIT_TRANSFER_EVENTS)[number],
  transfer: CreditTransferFact,
  now: Date,
): NewEvent => ({
  topic: TOPIC,
  type: `payments.credit_transfer_${what}.v1`,
  aggregateId: transfer.id,
  organizationId: transfer.organizationId,
  payload: {
    id: transfer.id,
    ...wireAmount(transfer.amount),
    creditor_iban: transfer.creditorIban,
    end_to_end_id: transfer.endToEndId,
    ...(transfer.reasonCode ? { status_reason_code: transfer.reasonCode } : {}),
  },
  occurredAt: now,
})

/** `payments.incoming_transfer_<what>.v1`: a SEPA credit transfer that came in. */
export const incomingTransferEvent = (
  what: 'credited' | 'suspended' | 'returned' | 'return_refused',
  transfer: { id: Id<'incoming_transfer'>; organizationId: Id<'organization'> | null; amount: Money; endToEndId: string },
  now: Date,
): NewEvent => ({
  topic: TOPIC,
  type: `payments.incoming_transfer_${what}.v1`,
  aggregateId: transfer.id,
  organizationId: transfer.organizationId,
  payload: { id: transfer.id, ...wireAmount(transfer.amount), end_to_end_id: transfer.endToEndId },
  occurredAt: now,
})

const wireAmount = (amount: Money) => ({ amount: formatDecimal(amount), currency: amount.currency })
