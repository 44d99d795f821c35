import { parseCents } from '../core/cents.ts'
import { isIban } from '../core/iban.ts'
import type { IncomingOrder } from './decide-incoming.ts'

type OrderResult =
  | Readonly<{ ok: true; value: IncomingOrder }>
  | Readonly<{ ok: false; problem: Readonly<{ code: 'order_invalid'; message: string }> }>

const COPIES_MAX = 10
const DELAY_SECONDS_MAX = 400 * 86_400

/** Reads the JSON body of `POST /simulate/incoming`; the first thing wrong with it is named. */
export function readIncomingOrder(body: unknown): OrderResult {
  let json: unknown
  try {
    json = JSON.parse(typeof body === 'string' ? body : '')
  } catch {
    return invalid('the body is not JSON')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return invalid('the body must be an object')
  const fields = json as Readonly<Record<string, unknown>>
  const problems: string[] = []
  const text = (name: string, max: number): string => {
    const value = fields[name]
    if (typeof value === 'string' && value.trim() !== '' && value.length <= max) return value.trim()
    problems.push(`${name} must be text of 1 to ${max} characters`)
    return ''
  }
  const optionalText = (name: string, max: number): string | undefined =>
    fields[name] === undefined || fields[name] === null || fields[name] === '' ? undefined : text(name, max)
  const whole = (name: string, fallback: number, min: number, max: number): number => {
    const value = fields[name] ?? fallback
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    problems.push(`${name} must be a whole number from ${min} to ${max}`)
    return fallback
  }
  const bic = (name: string): string | undefined => {
    const value = optionalText(name, 11)
    if (value !== undefined && !/^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(value))
      problems.push(`${name} must be a BIC`)
    return value
  }
  const cents = typeof fields.amount === 'string' ? parseCents(fields.amount) : undefined
  if (cents === undefined || cents < 1n || cents > 99_999_999_999n)
    problems.push('amount must be a decimal text from 0.01 to 999999999.99')
  if ((fields.currency ?? 'EUR') !== 'EUR') problems.push('currency must be EUR')
  const order: IncomingOrder = {
    cents: cents ?? 0n,
    debtorName: text('debtor_name', 140),
    debtorIban: text('debtor_iban', 34),
    debtorBic: bic('debtor_bic'),
    creditorName: text('creditor_name', 140),
    // Not checked: an account number that cannot be applied is the bank's case to handle.
    creditorIban: text('creditor_iban', 34),
    creditorBic: bic('creditor_bic'),
    remittance: optionalText('remittance_information', 140),
    endToEndId: optionalText('end_to_end_id', 35),
    copies: whole('copies', 1, 1, COPIES_MAX),
    delayMs: whole('delay_seconds', 0, 0, DELAY_SECONDS_MAX) * 1_000,
  }
  if (order.debtorIban !== '' && !isIban(order.debtorIban)) problems.push('debtor_iban must be an IBAN')
  if (!/^([A-Z]{2}\d{2}[A-Za-z0-9]{1,30})?$/.test(order.creditorIban))
    problems.push('creditor_iban must have the form of an IBAN')
  return problems.length > 0 ? invalid(problems.join('; ')) : { ok: true, value: order }
}

const invalid = (message: string): OrderResult => ({ ok: false, problem: { code: 'order_invalid', message } })
