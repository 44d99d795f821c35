import { createHash, randomFillSync } from 'node:crypto'
import { assert } from './assert.ts'

declare const idBrand: unique symbol

/** A UUID in lower case, branded by what it names, so that a transfer's id cannot be passed where an account's is expected. */
export type Id<Kind extends string> = string & { readonly [idBrand]: Kind }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

// Random bytes are drawn in blocks: one call per id costs more than the id itself.
const pool = Buffer.alloc(16 * 512)
let poolOffset = pool.length
let lastMillisecond = 0
let counter = 0

/**
 * A new UUID version 7 (RFC 9562 §5.7): milliseconds, then a 12-bit counter within the millisecond, then random. Ids made by one
 * process therefore sort in the order they were made, which keeps index inserts at the right edge.
 */
export function newId<Kind extends string>(): Id<Kind> {
  if (poolOffset === pool.length) {
    randomFillSync(pool)
    poolOffset = 0
  }
  const at = poolOffset
  poolOffset += 16
  const now = Math.max(currentMillisecond(), lastMillisecond) // never backwards within the process
  counter = now === lastMillisecond ? counter + 1 : pool.readUInt16BE(at + 6) & 0x3ff
  lastMillisecond = counter > 0xfff ? now + 1 : now
  counter &= 0xfff
  pool.writeUIntBE(lastMillisecond, at, 6)
  pool.writeUInt16BE(0x7000 | counter, at + 6)
  pool[at + 8] = ((pool[at + 8] ?? 0) & 0x3f) | 0x80
  return format(pool, at) as Id<Kind>
}

// An id's time part only orders inserts; it is not a business time, so it does not follow the bank's clock.
const currentMillisecond = (): number => Math.trunc(performance.timeOrigin + performance.now())

/** The same parts always give the same id (UUID version 8, SHA-256): for keys that a retry must repeat. */
export function derivedId<Kind extends string>(kind: Kind, ...parts: readonly (string | number | bigint)[]): Id<Kind> {
  const hash = createHash('sha256').update(kind)
  for (const part of parts) hash.update('\u0000').update(String(part))
  const bytes = hash.digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return format(bytes, 0) as Id<Kind>
}

/** Reads an id that came from outside. @returns undefined when it is not a UUID. */
export function asId<Kind extends string>(text: string): Id<Kind> | undefined {
  const lower = text.toLowerCase()
  return UUID.test(lower) ? (lower as Id<Kind>) : undefined
}

/** Reads an id that we stored ourselves. @throws Bug when it is not one. */
export function knownId<Kind extends string>(text: string): Id<Kind> {
  const id = asId<Kind>(text)
  assert(id, 'stored id is not a UUID')
  return id
}

function format(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
