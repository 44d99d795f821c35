import { Type } from 'typebox'
import {
  CurrencyCode,
  DecimalText,
  defineEvent,
  Instant,
  type NewEvent,
  Nullable,
  Text,
  Uuid,
} from '../../platform/events/definition.ts'
import type { Id } from '../../platform/ids.ts'
import { formatDecimal, type Money, money } from '../../platform/money.ts'
import type { SubjectRef } from '../../platform/subject.ts'

const common = {
  id: Uuid('the transaction'),
  bank_account_id: Uuid('in whose feed it stands'),
  side: Type.Union([Type.Literal('credit'), Type.Literal('debit')], { description: 'whether the account was given or paid' }),
  amount: DecimalText('above zero; the side says which way'),
  currency: CurrencyCode(),
  operation_type: Text('`transfer`, `income`, `card`, …: an open list'),
  label: Text("the counterparty's name as received; where another bank names nobody, its text, or nothing"),
  reference: Nullable(Text('the message that came with it')),
  subject_kind: Text('what it is about: `credit_transfer`, `internal_transfer`, …'),
  subject_id: Uuid('which one'),
  emitted_at: Instant('when it was ordered or received'),
}

export const transactionCreated = defineEvent(
  'feed.transaction_created.v1',
  Type.Object({ ...common, status: Type.Literal('pending') }),
  {
    aggregate: 'id',
    describe: 'A transaction that waits appeared in the feed of an account: its money is held, or not certain yet.',
  },
)

export const transactionCompleted = defineEvent(
  'feed.transaction_completed.v1',
  Type.Object({
    ...common,
    status: Type.Literal('completed'),
    was_pending: Type.Boolean({ description: 'false where it was booked at once: then no `created` came before it' }),
    settled_balance: Nullable(DecimalText('on the account after it')),
    settled_at: Instant('when it counts'),
  }),
  {
    aggregate: 'id',
    describe: "A transaction's money has moved. Every booked transaction has exactly one of these, whoever booked it.",
  },
)

export const transactionDeclined = defineEvent(
  'feed.transaction_declined.v1',
  Type.Object({ ...common, status: Type.Literal('declined') }),
  { aggregate: 'id', describe: 'A transaction that waited was given up, and its money is free again.' },
)

/** Everything that this module publishes, whoever writes the feed. */
export const EVENTS = [transactionCreated, transactionCompleted, transactionDeclined]

/** What its events say of a transaction. */
export type TransactionFact = {
  readonly id: Id<'transaction'>
  readonly account: { readonly id: Id<'bank_account'>; readonly organizationId: Id<'organization'> }
  readonly side: 'credit' | 'debit'
  readonly operationType: string
  readonly amount: Money
  readonly counterparty: { readonly name: string }
  readonly reference?: string | null
  readonly subject: SubjectRef
  readonly emittedAt: Date
}

export const created = (fact: TransactionFact, occurredAt: Date): NewEvent =>
  transactionCreated.of({ ...payloadOf(fact), status: 'pending' }, { organizationId: fact.account.organizationId, occurredAt })

export const completed = (
  fact: TransactionFact & { readonly wasPending: boolean; readonly settledAt: Date; readonly balanceMinor: bigint | null },
  occurredAt: Date,
): NewEvent =>
  transactionCompleted.of(
    {
      ...payloadOf(fact),
      status: 'completed',
      was_pending: fact.wasPending,
      settled_balance: fact.balanceMinor === null ? null : formatDecimal(money(fact.amount.currency, fact.balanceMinor)),
      settled_at: fact.settledAt.toISOString(),
    },
    { organizationId: fact.account.organizationId, occurredAt },
  )

export const declined = (fact: TransactionFact, occurredAt: Date): NewEvent =>
  transactionDeclined.of({ ...payloadOf(fact), status: 'declined' }, { organizationId: fact.account.organizationId, occurredAt })

const payloadOf = (fact: TransactionFact) => ({
  id: fact.id,
  bank_account_id: fact.account.id,
  side: fact.side,
  amount: formatDecimal(fact.amount),
  currency: fact.amount.currency,
  operation_type: fact.operationType,
  label: fact.counterparty.name,
  reference: fact.reference ?? null,
  subject_kind: fact.subject.kind,
  subject_id: fact.subject.id,
  emitted_at: fact.emittedAt.toISOString(),
})
