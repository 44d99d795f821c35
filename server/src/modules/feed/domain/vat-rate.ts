import { allocate, type Money } from '../../../platform/money.ts'

/** A rate of VAT, exact: 5.5 % is 5,500 thousandths of a percent. Three decimals, as they are stored. */
export type VatRate = { readonly thousandths: bigint }

const HUNDRED_PERCENT = 100_000n

/** Reads a rate in percent such as `20`, `5.5` or `2.1`. @returns undefined when it is no such number, has more than three decimals, or is above 100. */
export function parseVatRate(percent: string): VatRate | undefined {
  const match = /^(\d{1,3})(?:\.(\d{1,3}))?$/.exec(percent)
  if (!match) return undefined
  const thousandths = BigInt(`${match[1]}${(match[2] ?? '').padEnd(3, '0')}`)
  return thousandths <= HUNDRED_PERCENT ? { thousandths } : undefined
}

/** In percent, without zeros at the end: `20`, `5.5`. */
export function formatVatRate({ thousandths }: VatRate): string {
  const whole = thousandths / 1_000n
  const fraction = (thousandths % 1_000n).toString().padStart(3, '0').replace(/0+$/, '')
  return fraction === '' ? `${whole}` : `${whole}.${fraction}`
}

/** The VAT contained in an amount. What remains without it and the VAT add up to the cent. */
export const vatIn = (amount: Money, { thousandths }: VatRate): Money =>
  allocate(amount, [HUNDRED_PERCENT, thousandths])[1] as Money
