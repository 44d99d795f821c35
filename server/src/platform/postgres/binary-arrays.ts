import { assert } from '../assert.ts'

/**
 * PostgreSQL's binary form of one-dimensional arrays (`array_recv`): dimensions, a null flag, the element type, the length and the lower
 * bound, then each element with its own length. Half the work of the text form on both sides, and numbers never become text.
 */
const HEADER_BYTES = 20
const OID = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, timestamptz: 1184, uuid: 2950 } as const

/** A value that may be missing. */
type Maybe<T> = T | null | undefined

function start(oid: number, length: number, bytes: number, hasNulls: boolean): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + bytes)
  buffer.writeInt32BE(1, 0)
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4)
  buffer.writeInt32BE(oid, 8)
  buffer.writeInt32BE(length, 12)
  buffer.writeInt32BE(1, 16)
  return buffer
}

export function int4Array(values: ArrayLike<number>): Buffer {
  const buffer = start(OID.int4, values.length, values.length * 8, false)
  for (let i = 0, at = HEADER_BYTES; i < values.length; i++, at += 8) {
    buffer.writeInt32BE(4, at)
    buffer.writeInt32BE(values[i] as number, at + 4)
  }
  return buffer
}

export function int2Array(values: ArrayLike<number>): Buffer {
  const buffer = start(OID.int2, values.length, values.length * 6, false)
  for (let i = 0, at = HEADER_BYTES; i < values.length; i++, at += 6) {
    buffer.writeInt32BE(2, at)
    buffer.writeInt16BE(values[i] as number, at + 4)
  }
  return buffer
}

export function boolArray(values: readonly boolean[]): Buffer {
  const buffer = start(OID.bool, values.length, values.length * 5, false)
  for (let i = 0, at = HEADER_BYTES; i < values.length; i++, at += 5) {
    buffer.writeInt32BE(1, at)
    buffer[at + 4] = values[i] ? 1 : 0
  }
  return buffer
}

export function int8Array(values: readonly Maybe<bigint>[]): Buffer {
  const buffer = start(OID.int8, values.length, values.length * 12, true)
  let at = HEADER_BYTES
  for (const value of values) {
    if (value === undefined || value === null) {
      at = buffer.writeInt32BE(-1, at)
      continue
    }
    at = buffer.writeInt32BE(8, at)
    at = buffer.writeBigInt64BE(value, at)
  }
  return buffer.subarray(0, at)
}

const POSTGRES_EPOCH_MS = 946_684_800_000 // 2000-01-01, from which PostgreSQL counts microseconds

/** To the millisecond, as Date has it; numbers hold the microseconds of thousands of years exactly. */
export function timestamptzArray(values: readonly Maybe<Date>[]): Buffer {
  const buffer = start(OID.timestamptz, values.length, values.length * 12, true)
  let at = HEADER_BYTES
  for (const value of values) {
    if (value === undefined || value === null) {
      at = buffer.writeInt32BE(-1, at)
      continue
    }
    const micros = (value.getTime() - POSTGRES_EPOCH_MS) * 1_000
    const high = Math.floor(micros / 2 ** 32)
    at = buffer.writeInt32BE(8, at)
    at = buffer.writeInt32BE(high, at)
    at = buffer.writeUInt32BE(micros - high * 2 ** 32, at)
  }
  return buffer.subarray(0, at)
}

export function textArray(values: readonly Maybe<string>[]): Buffer {
  let bytes = 0
  let hasNulls = false
  for (const value of values) {
    bytes += 4
    if (typeof value === 'string') bytes += Buffer.byteLength(value)
    else hasNulls = true
  }
  const buffer = start(OID.text, values.length, bytes, hasNulls)
  let at = HEADER_BYTES
  for (const value of values) {
    if (typeof value !== 'string') {
      at = buffer.writeInt32BE(-1, at)
      continue
    }
    const length = buffer.write(value, at + 4)
    buffer.writeInt32BE(length, at)
    at += 4 + length
  }
  return buffer
}

export function byteaArray(values: readonly Buffer[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + 4 + value.length, 0)
  const buffer = start(OID.bytea, values.length, bytes, false)
  let at = HEADER_BYTES
  for (const value of values) {
    at = buffer.writeInt32BE(value.length, at)
    at += value.copy(buffer, at)
  }
  return buffer
}

// Value of a hexadecimal digit by its character code.
const NO_DIGIT = 0xff
const NIBBLE = new Uint8Array(128).fill(NO_DIGIT)
for (let i = 0; i < 16; i++) {
  NIBBLE[i.toString(16).charCodeAt(0)] = i
  NIBBLE[i.toString(16).toUpperCase().charCodeAt(0)] = i
}

/** @throws Bug on what is no UUID: PostgreSQL could not tell any more. */
export function uuidArray(values: readonly Maybe<string>[]): Buffer {
  const buffer = start(OID.uuid, values.length, values.length * 20, true)
  let at = HEADER_BYTES
  for (const value of values) {
    if (value === undefined || value === null) {
      at = buffer.writeInt32BE(-1, at)
      continue
    }
    at = buffer.writeInt32BE(16, at)
    let seen = value.length === 36 ? 0 : NO_DIGIT
    for (let i = 0; i < 36; i += 2) {
      if (i === 8 || i === 13 || i === 18 || i === 23) i++
      const high = NIBBLE[value.charCodeAt(i)] ?? NO_DIGIT
      const low = NIBBLE[value.charCodeAt(i + 1)] ?? NO_DIGIT
      seen |= high | low
      buffer[at++] = (high << 4) | low
    }
    assert(seen < 16, 'not a UUID')
  }
  return buffer.subarray(0, at)
}
