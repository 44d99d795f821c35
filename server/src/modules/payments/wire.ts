import { type Static, Type } from 'typebox'
import { type ApiError, atPointer } from '../../platform/http/api-error.ts'
import { decimalNumber, integerNumber } from '../../platform/http/json-numbers.ts'
import { named } from '../../platform/http/openapi.ts'
import { type Refused, refused } from '../../platform/http/operation.ts'
import { currency, type Money, parseDecimal } from '../../platform/money.ts'
import type { InternalTransferInstruction, InternalTransferRefusal } from './domain/internal-transfer.ts'

/** A decimal amount as text: digits, at most two decimals (W3C "valid decimal monetary value"). */
const AmountText = Type.String({ pattern: '^\\d{0,12}(\\.\\d{1,2})?$', minLength: 1, maxLength: 15, examples: ['12.50'] })
const Iban = (description: string) => Type.String({ minLength: 1, maxLength: 42, description })

// Fields that we do not know are let through: the contract grows by optional ones, and clients send what their version of it has.
export const InternalTransferBody = named(
  'InternalTransferOrder',
  Type.Object({
    internal_transfer: Type.Object({
      debit_iban: Iban('IBAN of the account that pays; one of the organization’s own.'),
      credit_iban: Iban('IBAN of the account that receives; another of the organization’s own.'),
      reference: Type.String({ minLength: 1, maxLength: 99, description: 'Shown on both accounts. Not blank.' }),
      amount: AmountText,
      currency: Type.String({ enum: ['EUR'] }),
    }),
  }),
)
export type InternalTransferBody = Static<typeof InternalTransferBody>

export const InternalTransferAnswer = named(
  'InternalTransfer',
  Type.Object({
    internal_transfer: Type.Object({
      id: Type.String({ format: 'uuid' }),
      slug: Type.String(),
      status: Type.String({ enum: ['pending'], description: 'Always pending, as the contract has it; the money has moved.' }),
      amount: Type.Number({ description: 'A decimal number.' }),
      amount_cents: Type.Integer({ description: 'In minor units.' }),
      currency: Type.String(),
      amount_currency: Type.String(),
      reference: Type.String(),
      created_at: Type.String({ format: 'date-time' }),
    }),
  }),
)

/** Reads an amount that the schema let through; undefined when it is no amount (`.` alone) or not above zero. */
export function amountFromWire(text: string, code: string): Money | undefined {
  const amount = parseDecimal(currency(code), text.startsWith('.') ? `0${text}` : text)
  return amount && amount.minor > 0n ? amount : undefined
}

export const ibanFromWire = (text: string): string => text.replace(/\s/g, '').toUpperCase()

export const internalTransferToWire = (transfer: InternalTransferInstruction) => ({
  internal_transfer: {
    id: transfer.id,
    slug: `internal-transfer-${transfer.id.replaceAll('-', '')}`,
    status: 'pending',
    amount: decimalNumber(transfer.amount),
    amount_cents: integerNumber(transfer.amount.minor),
    currency: transfer.amount.currency,
    amount_currency: transfer.amount.currency,
    reference: transfer.remittanceInformation,
    created_at: transfer.orderedAt,
  },
})

/** What is wrong with a field of an internal transfer. */
export const wrongField = (code: string, field: string, problem: string): ApiError =>
  atPointer(code, `${field} ${problem}`, `/internal_transfer/${field}`)

/** Each refusal on the wire. A referenced account that is not there is a 422 that names the field (qonto-api.md §6.2, §27). */
export const INTERNAL_TRANSFER_ERRORS = {
  debtor_account_not_found: refused(422, wrongField('not_found', 'debit_iban', 'is not found or not active')),
  creditor_account_not_found: refused(422, wrongField('not_found', 'credit_iban', 'is not found or not active')),
  same_account_on_both_sides: refused(422, wrongField('invalid', 'credit_iban', 'must differ from debit_iban')),
  currency_mismatch: refused(422, wrongField('not_in_list', 'currency', 'must be the currency of both accounts')),
  available_balance_insufficient: refused(400, atPointer('insufficient_funds', 'Insufficient funds', '/amount')),
} satisfies Record<InternalTransferRefusal, Refused>

const IncomingTransfer = named(
  'SimulatedTransfer',
  Type.Object(
    {
      creditor_iban: Type.Optional(
        Iban('IBAN that is paid. One that is not ours shows what happens to such money. This or `iban` is required.'),
      ),
      iban: Type.Optional(Iban('The same.')),
      amount: AmountText,
      currency: Type.Optional(Type.String({ enum: ['EUR'] })),
      debtor_name: Type.Optional(Type.String({ minLength: 1, maxLength: 70 })),
      debtor_iban: Type.Optional(Iban('IBAN of who pays.')),
      remittance_information: Type.Optional(Type.String({ maxLength: 140, description: 'The message to the payee.' })),
      reference: Type.Optional(Type.String({ maxLength: 140, description: 'The same.' })),
      end_to_end_id: Type.Optional(Type.String({ minLength: 1, maxLength: 35 })),
      copies: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 10,
          description: 'How often the rail sends the same message; the money comes once.',
        }),
      ),
    },
    { additionalProperties: false },
  ),
)
export type IncomingTransfer = Static<typeof IncomingTransfer>

/** Flat, or wrapped in its name. A conditional, so that what is wrong is told of the form that was used. */
export const IncomingTransferBody = Type.Unsafe<IncomingTransfer | { incoming_transfer: IncomingTransfer }>({
  description: 'The transfer, flat or wrapped in `incoming_transfer`.',
  examples: [{ iban: 'FR7619999000010000000000121', amount: '250.00', debtor_name: 'Jane Customer', reference: 'Invoice 42' }],
  if: { type: 'object', required: ['incoming_transfer'] },
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
  then: Type.Object({ incoming_transfer: IncomingTransfer }, { additionalProperties: false }),
  else: IncomingTransfer,
})

export const IncomingTransferAnswer = named(
  'SimulatedTransferAnswer',
  Type.Object({
    incoming_transfer: Type.Object({
      tx_id: Type.String({ description: 'The payment’s identification on the rail.' }),
      message_id: Type.String({ description: 'Of the pacs.008 that will carry it.' }),
      end_to_end_id: Type.String({ description: 'NOTPROVIDED when none was given.' }),
      uetr: Type.String({ format: 'uuid' }),
      available_at: Type.String({ format: 'date-time', description: 'Bank time from which the message can be fetched.' }),
      settlement_date: Type.String({ format: 'date' }),
    }),
  }),
)

const OTHER_NAMES: Readonly<Record<string, keyof IncomingTransfer>> = {
  creditor_iban: 'iban',
  remittance_information: 'reference',
}

/** A complaint of the rail, which begins with its field, about the field as the caller wrote it. @param at pointer to the transfer. */
export function railComplaint(complaint: string, transfer: IncomingTransfer, at: string): ApiError {
  const field = complaint.split(' ', 1)[0] as string
  const written = [field, OTHER_NAMES[field]].find((name) => name !== undefined && name in transfer)
  return written
    ? atPointer('invalid', `${written}${complaint.slice(field.length)}`, `${at}/${written}`)
    : { code: 'invalid', detail: complaint }
}

/** How far one request may move the clock: ten years. Further on, dates leave what files and databases can hold. */
export const CLOCK_STEP_MAX_SECONDS = 315_360_000

export const ClockBody = named(
  'ClockOrder',
  Type.Object(
    {
      now: Type.Optional(
        Type.String({ description: 'The moment to move to, ISO 8601; not before the present one, at most ten years ahead.' }),
      ),
      advance_seconds: Type.Optional(
        Type.Integer({ minimum: 1, maximum: CLOCK_STEP_MAX_SECONDS, description: 'Or how far to move.' }),
      ),
    },
    { additionalProperties: false },
  ),
)
export type ClockBody = Static<typeof ClockBody>

export const ClockAnswer = named('Clock', Type.Object({ clock: Type.Object({ now: Type.String({ format: 'date-time' }) }) }))

export const clockToWire = (now: Date) => ({ clock: { now } })
