/** Reads a decimal amount in euro as cents: `12.5` is 1250n. Undefined when malformed, negative or finer than a cent. */
export function parseCents(text: string): bigint | undefined {
  const match = /^(\d{1,16})(?:\.(\d{1,10}))?$/.exec(text)
  if (!match) return undefined
  const fraction = match[2] ?? ''
  if (/[1-9]/.test(fraction.slice(2))) return undefined
  return BigInt(`${match[1]}${fraction.slice(0, 2).padEnd(2, '0')}`)
}

/** Cents as a decimal with two places. */
export function formatCents(cents: bigint): string {
  const sign = cents < 0n ? '-' : ''
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0')
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** ISO 13616: letters count 10 to 35, the first four characters go last, the remainder by 97 is 1. Countries' own rules are the banks' business. */
export function isIban(text: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(text)) return false
  let remainder = 0
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder === 1
}
