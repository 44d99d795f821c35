import { Type } from 'typebox'
import type { NewEvent } from '../../platform/events/definition.ts'
import { CurrencyCode, DecimalText, defineEvent, Text, Uuid } from '../../platform/events/definition.ts'
import type { Id } from '../../platform/ids.ts'
import { formatDecimal, type Money } from '../../platform/money.ts'
import type { InternalTransferInstruction } from './domain/internal-transfer.ts'

const amountFields = { amount: DecimalText('what was moved, above zero'), currency: CurrencyCode() }

const internalTransferCompletedEvent = defineEvent(
  'payments.internal_transfer_completed.v1',
  Type.Object({
    id: Uuid('the internal transfer'),
    debtor_iban: Text('the account that paid'),
    creditor_iban: Text('the account that was paid'),
    ...amountFields,
    remittance_information: Text('the reference that the orderer gave'),
  }),
  { aggregate: 'id', describe: 'Money moved between two accounts of one organization.' },
)

export const internalTransferCompleted = (transfer: InternalTransferInstruction): NewEvent =>
  internalTransferCompletedEvent.of(
    {
      id: transfer.id,
      debtor_iban: transfer.debtorIban,
      creditor_iban: transfer.creditorIban,
      ...wireAmount(transfer.amount),
      remittance_information: transfer.remittanceInformation,
    },
    { organizationId: transfer.organizationId, occurredAt: transfer.orderedAt },
  )

/** What every event of an outgoing SEPA credit transfer says. */
export type CreditTransferFact = {
  readonly id: Id<'credit_transfer'>
  readonly organizationId: Id<'organization'>
  readonly amount: Money
  readonly creditorIban: string
  readonly endToEndId: string
  readonly reasonCode?: string | null
}

const CreditTransferPayload = Type.Object({
  id: Uuid('the credit transfer'),
  ...amountFields,
  creditor_iban: Text('whom it pays'),
  end_to_end_id: Text("the debtor's own reference, which reaches the creditor unchanged"),
  status_reason_code: Type.Optional(Text('ISO 20022 reason, where there is one: `AC04`, account closed')),
})

const creditTransfer = <const What extends string>(what: What, describe: string) =>
  defineEvent(`payments.credit_transfer_${what}.v1`, CreditTransferPayload, { aggregate: 'id', describe })

/** The steps of an outgoing SEPA credit transfer; its states are drawn in domain/credit-transfer.ts. */
export const CREDIT_TRANSFER_EVENTS = {
  initiated: creditTransfer('initiated', 'A credit transfer was accepted and its amount is held on the debtor’s account.'),
  submitted: creditTransfer('submitted', 'It was written to the rail.'),
  became_unknown: creditTransfer('became_unknown', 'The rail did not answer in time and is being asked; it is never sent again.'),
  accepted: creditTransfer('accepted', 'The rail took it on, and the amount was debited.'),
  settled: creditTransfer('settled', 'It reached the creditor’s bank.'),
  rejected: creditTransfer('rejected', 'It was refused before settlement, and the amount is free again or was given back.'),
  returned: creditTransfer('returned', 'The creditor’s bank sent the amount back after settlement; `amount` is what came back.'),
  settled_after_rejection: creditTransfer(
    'settled_after_rejection',
    'The rail reported it settled after it had reported it rejected.',
  ),
  contradicted: creditTransfer(
    'contradicted',
    'The rail said something that cannot follow from what it said before; a person has to look.',
  ),
} as const

export const creditTransferEvent = (
  what: keyof typeof CREDIT_TRANSFER_EVENTS,
  transfer: CreditTransferFact,
  now: Date,
): NewEvent =>
  CREDIT_TRANSFER_EVENTS[what].of(
    {
      id: transfer.id,
      ...wireAmount(transfer.amount),
      creditor_iban: transfer.creditorIban,
      end_to_end_id: transfer.endToEndId,
      ...(transfer.reasonCode ? { status_reason_code: transfer.reasonCode } : {}),
    },
    { organizationId: transfer.organizationId, occurredAt: now },
  )

const IncomingTransferPayload = Type.Object({
  id: Uuid('the incoming transfer'),
  ...amountFields,
  end_to_end_id: Text("the debtor's reference"),
})

const incomingTransfer = <const What extends string>(what: What, describe: string) =>
  defineEvent(`payments.incoming_transfer_${what}.v1`, IncomingTransferPayload, { aggregate: 'id', describe })

/** What becomes of a SEPA credit transfer that comes in. */
export const INCOMING_TRANSFER_EVENTS = {
  credited: incomingTransfer('credited', 'A credit transfer came in and stands on the creditor’s account.'),
  suspended: incomingTransfer(
    'suspended',
    'A credit transfer came in that no account can take; it goes back within three banking days.',
  ),
  returned: incomingTransfer('returned', 'The rail took the return of a suspended transfer.'),
  return_refused: incomingTransfer(
    'return_refused',
    'The rail refused the return of a suspended transfer, which waits for a person.',
  ),
} as const

export const incomingTransferEvent = (
  what: keyof typeof INCOMING_TRANSFER_EVENTS,
  transfer: { id: Id<'incoming_transfer'>; organizationId: Id<'organization'> | null; amount: Money; endToEndId: string },
  now: Date,
): NewEvent =>
  INCOMING_TRANSFER_EVENTS[what].of(
    { id: transfer.id, ...wireAmount(transfer.amount), end_to_end_id: transfer.endToEndId },
    { organizationId: transfer.organizationId, occurredAt: now },
  )

const wireAmount = (amount: Money) => ({ amount: formatDecimal(amount), currency: amount.currency })

/** Everything that this module publishes. */
export const EVENTS = [
  internalTransferCompletedEvent,
  ...Object.values(CREDIT_TRANSFER_EVENTS),
  ...Object.values(INCOMING_TRANSFER_EVENTS),
]
