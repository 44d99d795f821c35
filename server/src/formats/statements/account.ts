import type { Counterparty } from './types.ts'

const LOOKS_LIKE_IBAN = /^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/

/** Compact capitals when the text has the shape of an IBAN, whatever its check digits. */
export function ibanShaped(text: string | null | undefined): string | null {
  const compact = text?.replace(/[\s-]+/g, '').toUpperCase() ?? ''
  return LOOKS_LIKE_IBAN.test(compact) ? compact : null
}

/** Do the check digits hold (ISO 13616, mod 97)? */
export function ibanChecks(iban: string): boolean {
  const digits = `${iban.slice(4)}${iban.slice(0, 4)}`.replace(/[A-Z]/g, (letter) => (letter.charCodeAt(0) - 55).toString())
  let remainder = 0
  for (const digit of digits) remainder = (remainder * 10 + Number(digit)) % 97
  return remainder === 1
}

/** ISO 9362: 8 or 11 characters. */
export const bicShaped = (text: string | null | undefined): string | null => {
  const compact = text?.trim().toUpperCase() ?? ''
  return /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(compact) ? compact : null
}

/** A counterparty from loose texts: an account that has the shape of an IBAN is one. */
export function counterpartyOf(
  name: string | null | undefined,
  account: string | null | undefined,
  bic: string | null | undefined,
): Counterparty {
  const iban = ibanShaped(account)
  return { name: name?.trim() || null, iban, account: iban ? null : account?.trim() || null, bic: bicShaped(bic) }
}
