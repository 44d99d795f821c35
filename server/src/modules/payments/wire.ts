import { type Static, Type } from 'typebox'
import { decimalNumber, integerNumber } from '../../platform/http/json-numbers.ts'
import { currency, type Money, parseDecimal } from '../../platform/money.ts'
import type { InternalTransferInstruction, InternalTransferRefusal } from './domain/internal-transfer.ts'

/** A decimal amount as text: digits, at most two decimals (W3C "valid decimal monetary value"). */
const AmountText = Type.String({ pattern: '^\\d{0,12}(\\.\\d{1,2})?$', minLength: 1, maxLength: 15, examples: ['12.50'] })
const Iban = (description: string) => Type.String({ minLength: 1, maxLength: 42, description })

export const InternalTransferBody = Type.Object(
  {
    internal_transfer: Type.Object(
      {
        debit_iban: Iban('IBAN of the account that pays; one of the organization’s own.'),
        credit_iban: Iban('IBAN of the account that receives; another of the organization’s own.'),
        reference: Type.String({ minLength: 1, maxLength: 99, description: 'Shown on both accounts.' }),
        amount: AmountText,
        currency: Type.String({ enum: ['EUR'] }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)
export type InternalTransferBody = Static<typeof InternalTransferBody>

export const InternalTransferAnswer = Type.Object({
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
})

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

/** Each refusal on the wire. A referenced account that is not there is a 422 that names the field (qonto-api.md §6.2, §27). */
export const INTERNAL_TRANSFER_ERRORS = {
  debtor_account_not_found: [422, 'not_found', 'debit_iban is not found or not active', '/internal_transfer/debit_iban'],
  creditor_account_not_found: [422, 'not_found', 'credit_iban is not found or not active', '/internal_transfer/credit_iban'],
  same_account_on_both_sides: [422, 'invalid', 'credit_iban must differ from debit_iban', '/internal_transfer/credit_iban'],
  currency_mismatch: [422, 'not_in_list', 'currency must be the currency of both accounts', '/internal_transfer/currency'],
  available_balance_insufficient: [400, 'insufficient_funds', 'Insufficient funds', '/amount'],
} as const satisfies Record<InternalTransferRefusal, readonly [number, string, string, string]>

export const IncomingTransferBody = Type.Object(
  {
    creditor_iban: Iban('IBAN that is paid; `iban` is accepted for it. One that is not ours shows what happens to such money.'),
    amount: AmountText,
    currency: Type.Optional(Type.String({ enum: ['EUR'] })),
    debtor_name: Type.Optional(Type.String({ minLength: 1, maxLength: 70 })),
    debtor_iban: Type.Optional(Iban('IBAN of who pays.')),
    remittance_information: Type.Optional(Type.String({ maxLength: 140, description: '`reference` is accepted for it.' })),
    end_to_end_id: Type.Optional(Type.String({ minLength: 1, maxLength: 35 })),
    copies: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10, description: 'How often the rail sends the same message; the money comes once.' }),
    ),
  },
  { additionalProperties: false },
)
export type IncomingTransferBody = Static<typeof IncomingTransferBody>

/** Sandbox bodies may be flat or wrapped in their name, and use the public API's words. */
export function unwrapIncomingTransfer(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body
  const inner = 'incoming_transfer' in body ? body.incoming_transfer : body
  if (typeof inner !== 'object' || inner === null) return inner
  const { iban, reference, ...rest } = inner as Record<string, unknown>
  return {
    ...(iban === undefined ? {} : { creditor_iban: iban }),
    ...(reference === undefined ? {} : { remittance_information: reference }),
    ...rest,
  }
}

export const ClockBody = Type.Object(
  {
    now: Type.Optional(Type.String({ description: 'The moment to move to, ISO 8601; not before the present one.' })),
    advance_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 315_360_000, description: 'Or how far to move.' })),
  },
  { additionalProperties: false },
)
export type ClockBody = Static<typeof ClockBody>

export const ClockAnswer = Type.Object({ clock: Type.Object({ now: Type.String({ format: 'date-time' }) }) })
