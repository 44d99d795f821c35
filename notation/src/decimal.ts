/**
 * Reads a decimal such as `12.5`, `-0.05` or `7` as a whole number of its smallest units, digit by digit: with two digits `12.5` is
 * 1250n. Zeros beyond the digits are accepted (`8.850` is 885n), a lost digit is not.
 *
 * @returns undefined when the text is not a plain decimal of at most 30 digits on either side, or has too many decimals.
 */
export function parseUnits(text: string, digits: number): bigint | undefined {
  const match = /^([+-]?)(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text)
  if (!match) return undefined
  const fraction = match[3] ?? ''
  if (/[1-9]/.test(fraction.slice(digits))) return undefined
  const size = BigInt(`${match[2]}${fraction.slice(0, digits).padEnd(digits, '0')}`)
  return match[1] === '-' ? -size : size
}

/** Writes a number of smallest units as a decimal with exactly that many digits: with two `-0.05`, `12.50`; with none `7`. */
export function formatUnits(units: bigint, digits: number): string {
  const text = (units < 0n ? -units : units).toString().padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  return `${units < 0n ? '-' : ''}${whole}${digits === 0 ? '' : `.${text.slice(-digits)}`}`
}
