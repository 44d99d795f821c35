import { defineMoves } from '../../../platform/moves.ts'

/**
 * One movement in an account's feed. A pending one touches the authorized balance.
 *
 * What happened is never rewritten: a return is a new transaction of the other side. What people say about it is (note, labels, VAT,
 * attachments), and so are the balances of a connected account, whose bank may tell its bookings in another order than their days.
 */
export const TRANSACTION_STATUSES = ['pending', 'declined', 'completed'] as const

/** All that its status may do. What is booked at once begins as completed. */
export const TRANSACTION_MOVES = defineMoves({
  complete: [['pending'], 'completed'], // touches the balance
  decline: [['pending'], 'declined'], // gives the authorized balance back
})
export type TransactionStatus = (typeof TRANSACTION_STATUSES)[number]

export const TRANSACTION_SIDES = ['credit', 'debit'] as const
export type TransactionSide = (typeof TRANSACTION_SIDES)[number]

/** The kinds of movement we know today; the contract leaves the list open. */
export const OPERATION_TYPES = [
  'income',
  'transfer',
  'card',
  'direct_debit',
  'direct_debit_collection',
  'direct_debit_hold',
  'qonto_fee',
  'cheque',
  'recall',
  'swift_income',
  'pay_later',
  'financing_installment',
  'other',
] as const
export type OperationType = (typeof OPERATION_TYPES)[number]

/** What the money was for, as bookkeeping sees it. `pending` and `fallback` mean that nobody has said yet. */
export const CATEGORIES = [
  'restaurant_and_bar',
  'food_and_grocery',
  'transport',
  'gas_station',
  'hotel_and_lodging',
  'it_and_electronics',
  'hardware_and_equipment',
  'office_supply',
  'office_rental',
  'utility',
  'insurance',
  'logistics',
  'online_service',
  'legal_and_accounting',
  'finance',
  'tax',
  'salary',
  'marketing',
  'manufacturing',
  'atm',
  'other_service',
  'other_expense',
  'treasury_and_interco',
  'sales',
  'other_income',
  'refund',
  'fees',
  'subscription',
  'voucher',
  'fallback',
  'pending',
] as const
export type Category = (typeof CATEGORIES)[number]

/** What lies behind a transaction, and under which key its details stand on the wire (undefined: it has none). */
export const SUBJECT_KEYS = {
  Transfer: 'transfer',
  Income: 'income',
  SwiftIncome: 'swift_income',
  DirectDebit: 'direct_debit',
  DirectDebitCollection: 'direct_debit_collection',
  DirectDebitHold: 'direct_debit_hold',
  Check: 'check',
  FinancingInstallment: 'financing_installment',
  PagopaPayment: 'pagopa_payment',
  Card: undefined,
  WalletToWallet: undefined,
  F24Payment: undefined,
  BillingTransfer: undefined,
  FinancingIncome: undefined,
  Other: undefined,
} as const
export type SubjectType = keyof typeof SUBJECT_KEYS

/** Subjects whose details are the counterparty's account. */
export const SUBJECTS_WITH_COUNTERPARTY: ReadonlySet<string> = new Set([
  'Transfer',
  'Income',
  'SwiftIncome',
  'DirectDebit',
  'DirectDebitCollection',
])

/** The other side's account, as the rail gave it. */
export type CounterpartyAccount = {
  readonly number: string
  readonly numberFormat: 'IBAN' | 'unstructured' | 'sort_code'
  readonly bankIdentifier: string
  readonly bankIdentifierFormat: 'SWIFT_BIC' | 'unstructured' | 'sort_code'
}

/** An account given by IBAN and BIC, the SEPA way. */
export const sepaAccount = (iban: string, bic: string): CounterpartyAccount => ({
  number: iban,
  numberFormat: 'IBAN',
  bankIdentifier: bic,
  bankIdentifierFormat: 'SWIFT_BIC',
})
