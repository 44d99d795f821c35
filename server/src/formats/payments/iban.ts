import { countrySpecs } from 'ibantools'
import { assert } from '../../platform/assert.ts'
import { ok, type Result, refuse } from '../../platform/result.ts'
import { hasValidNationalCheck, italianCin, remainder97, ribKey, spanishCheckDigits } from './national-check-digits.ts'

/** Why a text is not an IBAN, in the order of the checks: the first that fails is the answer. */
export const IBAN_REFUSALS = [
  'format_invalid',
  'country_unknown',
  'length_wrong',
  'structure_wrong',
  'check_digits_wrong',
  'national_check_digits_wrong',
] as const
export type IbanRefusal = (typeof IBAN_REFUSALS)[number]

/**
 * Reads an IBAN as people write it, with blanks and in any case.
 * @returns the compact form in capitals, or the first reason why it is none.
 * @see ISO 13616, SWIFT IBAN registry (lengths and structures by ibantools)
 */
export function readIban(text: string): Result<string, IbanRefusal> {
  const iban = text.replace(/\s+/g, '').toUpperCase()
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{1,30}$/.test(iban)) return refuse('format_invalid')
  const country = iban.slice(0, 2)
  const spec = Object.hasOwn(countrySpecs, country) ? countrySpecs[country] : undefined
  if (!spec?.chars || !spec.bban_regexp) return refuse('country_unknown')
  if (iban.length !== spec.chars) return refuse('length_wrong')
  if (!new RegExp(spec.bban_regexp).test(iban.slice(4))) return refuse('structure_wrong')
  // 00, 01 and 99 satisfy the remainder too, but 98 minus a remainder never gives them.
  if (/^..(00|01|99)/.test(iban) || remainder97(iban.slice(4) + iban.slice(0, 4)) !== 1) return refuse('check_digits_wrong')
  return hasValidNationalCheck(country, iban.slice(4)) ? ok(iban) : refuse('national_check_digits_wrong')
}

export const isIban = (text: string): boolean => readIban(text).ok

/** The two digits after the country: 98 minus the remainder of BBAN, country and 00 by 97. */
const checkDigits = (country: string, bban: string): string => String(98 - remainder97(`${bban}${country}00`)).padStart(2, '0')

/**
 * For each country that we issue IBANs of: how many digits its account numbers have, and the BBAN made of the bank's code there (bank
 * and branch together) and an account number of that length.
 */
const ISSUED = {
  FR: {
    digits: 11,
    bban: (bank: string, account: string) => `${bank}${account}${ribKey(bank.slice(0, 5), bank.slice(5), account)}`,
  },
  DE: { digits: 10, bban: (bank: string, account: string) => `${bank}${account}` },
  ES: { digits: 10, bban: (bank: string, account: string) => `${bank}${spanishCheckDigits(bank, account)}${account}` },
  IT: { digits: 12, bban: (bank: string, account: string) => `${italianCin(`${bank}${account}`)}${bank}${account}` },
  NL: { digits: 10, bban: (bank: string, account: string) => `${bank}${account}` },
  BE: {
    digits: 7,
    bban: (bank: string, account: string) =>
      `${bank}${account}${String(Number(`${bank}${account}`) % 97 || 97).padStart(2, '0')}`,
  },
  PT: {
    digits: 11,
    bban: (bank: string, account: string) =>
      `${bank}${account}${String(98 - remainder97(`${bank}${account}00`)).padStart(2, '0')}`,
  },
  AT: { digits: 11, bban: (bank: string, account: string) => `${bank}${account}` },
} as const satisfies Record<string, { digits: number; bban: (bank: string, account: string) => string }>

export type IssuingCountry = keyof typeof ISSUED

/**
 * Makes the IBAN of an account of ours, with national check digits. Different numbers give different IBANs.
 *
 * @param bankCode the bank's code as the country writes it: FR 10 digits (banque, guichet), DE 8, ES 8, IT 10 (ABI, CAB), NL 4 letters,
 *   BE 3, PT 8, AT 5.
 * @param number the account's number, from 1; 7 digits at most for BE, 9 for NL, 10 or more elsewhere.
 * @throws Bug when bank code or number do not fit the country.
 */
export function buildIban(country: IssuingCountry, bankCode: string, number: bigint): string {
  assert(number > 0n, 'an account number begins with 1')
  const { digits, bban } = ISSUED[country]
  const account = (country === 'NL' ? dutchAccountNumber(number) : number).toString().padStart(digits, '0')
  assert(account.length === digits, `account number ${number} is too long for ${country}`)
  const national = bban(bankCode, account)
  const iban = `${country}${checkDigits(country, national)}${national}`
  const read = readIban(iban)
  assert(read.ok, `bank code ${bankCode} and account ${account} make no IBAN of ${country}`)
  return iban
}

/**
 * The number with a tenth digit that passes the Dutch eleven-test: weights 10 to 1, the sum divisible by 11. The number's own last digit
 * has weight 2; a number for which the last digit would have to be 10 is moved on by using the digit before as a counter, so that every
 * number has one account of its own.
 */
function dutchAccountNumber(number: bigint): bigint {
  // Of ten neighbouring numbers of nine digits, one at most needs "10" as its last digit; numbering by 9 of 10 leaves it out.
  const block = (number - 1n) / 9n
  let place = (number - 1n) % 9n
  for (let last = 0n; ; last += 1n) {
    const body = block * 10n + last
    const sum = [...body.toString().padStart(9, '0')].reduce((total, digit, index) => total + Number(digit) * (10 - index), 0)
    const check = (11 - (sum % 11)) % 11
    if (check === 10) continue
    if (place === 0n) return body * 10n + BigInt(check)
    place -= 1n
  }
}

/** The IBAN with everything but the country hidden, same length: what a list shows to whoever may see the account's existence only. */
export const maskIban = (iban: string): string => iban.slice(0, 2) + 'X'.repeat(Math.max(0, iban.length - 2))

/**
 * Whether a text has the form of a BIC (ISO 9362) of an existing country: party prefix, country, location, optionally a branch.
 * The prefix may hold digits since 2014. `NOTPROVIDED`, which the market writes for "none", has that form by accident (Romania).
 */
export function isBic(text: string): boolean {
  if (text === 'NOTPROVIDED') return false
  const country = /^[A-Z0-9]{4}([A-Z]{2})[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/.exec(text)?.[1]
  return country !== undefined && (Object.hasOwn(countrySpecs, country) || country === 'XK')
}

/** Territories whose banks have BICs of their own and IBANs of another country, and neighbours that share their banks. */
const SHARED_BANKING: Readonly<Record<string, readonly string[]>> = {
  FR: ['BL', 'GF', 'GP', 'MC', 'MF', 'MQ', 'PM', 'RE', 'YT'],
  MC: ['FR'],
  GB: ['GG', 'IM', 'JE'],
  FI: ['AX'],
  LI: ['CH'],
}

/** Whether the bank of that BIC can keep the account of that IBAN, as far as their countries tell. */
export function isBicOfIban(bic: string, iban: string): boolean {
  const [bankCountry, accountCountry] = [bic.slice(4, 6), iban.slice(0, 2)]
  return bankCountry === accountCountry || (SHARED_BANKING[accountCountry]?.includes(bankCountry) ?? false)
}

/** ISO 11649: RF, two check digits, up to 21 characters. */
export function isCreditorReference(text: string): boolean {
  const compact = text.replace(/\s+/g, '').toUpperCase()
  return /^RF\d{2}[A-Z0-9]{1,21}$/.test(compact) && remainder97(compact.slice(4) + compact.slice(0, 4)) === 1
}
