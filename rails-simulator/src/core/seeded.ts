import { createHash } from 'node:crypto'

/**
 * Everything that would be random in a real clearing system, computed from the seed and the name of what it is for: the same seed
 * and the same requests give the same identifiers and the same delays.
 */
export type Seeded = Readonly<{
  /** Whole number from 0 to below `limit`. */
  number(limit: number, ...parts: readonly string[]): number
  /** Capital letters and digits. */
  reference(length: number, ...parts: readonly string[]): string
  /** A version 4 UUID, as pacs messages want it. */
  uetr(...parts: readonly string[]): string
}>

export function seeded(seed: string): Seeded {
  const digest = (parts: readonly string[]) =>
    createHash('sha256')
      .update(JSON.stringify([seed, ...parts]))
      .digest()
  return {
    number: (limit, ...parts) => digest(parts).readUInt32BE(0) % limit,
    reference: (length, ...parts) => {
      const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
      return [...digest(parts)]
        .slice(0, length)
        .map((byte) => alphabet.charAt(byte % 32))
        .join('')
    },
    uetr: (...parts) => {
      const hex = digest(parts).toString('hex')
      const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) % 4)
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
    },
  }
}
