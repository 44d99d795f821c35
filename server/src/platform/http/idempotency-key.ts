import type { FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import { assert } from '../assert.ts'
import { requestHash } from '../idempotency.ts'
import { atHeader, HttpRefusal } from './api-error.ts'
import type { Idempotency } from './operation.ts'

export const KEY_LENGTH_MAX = 255

/** The header that each profile reads its key from. */
export const KEY_HEADERS = { contract: 'X-Qonto-Idempotency-Key', strict: 'Idempotency-Key' } as const
export const MISMATCH_HEADER = 'X-Partita-Idempotency-Mismatch'

/** The key of a request. @throws HttpRefusal when it is too long, or missing where it is required. */
export function keyOf(request: FastifyRequest, profile: Exclude<Idempotency, 'none'>): string | undefined {
  const header = KEY_HEADERS[profile]
  const given = request.headers[header.toLowerCase()]
  if (typeof given !== 'string' || given === '') {
    if (profile === 'contract') return undefined
    throw new HttpRefusal(400, [atHeader('missing_key', `${header} is missing`, header)])
  }
  if (given.length <= KEY_LENGTH_MAX) return given
  throw new HttpRefusal(422, [atHeader('above_max_size', `${header} size cannot be greater than ${KEY_LENGTH_MAX}`, header)])
}

/** A stored key that came back with another request. */
export const keyReused = (): HttpRefusal =>
  new HttpRefusal(422, [atHeader('invalid', `${KEY_HEADERS.strict} was used before with another request`, KEY_HEADERS.strict)])

type Shape = TSchema & {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
  readonly additionalProperties?: boolean
}
const SCALARS = new Set(['string', 'number', 'integer', 'boolean', 'null'])

type Pick = (value: unknown, into: unknown[]) => void

/**
 * The hash of what an operation reads of a body, not of the whole: that may hold more, nested deeper than can be written down again. Made
 * once per operation; fields stand in the schema's order, so the order in which a client writes them does not matter.
 */
export function hashOfDeclared(schema: TSchema | undefined): (body: unknown) => Buffer {
  if (!schema) return () => EMPTY_HASH
  const pick = pickOf(schema as Shape)
  return (body) => {
    const fields: unknown[] = []
    pick(body, fields)
    return requestHash(JSON.stringify(fields))
  }
}

const EMPTY_HASH = requestHash('')

function pickOf(shape: Shape): Pick {
  if (shape.properties && !shape.additionalProperties) {
    const members = Object.entries(shape.properties).map(([name, member]) => [name, pickOf(member)] as const)
    return (value, into) => {
      for (const [name, pick] of members) pick((value as Record<string, unknown> | undefined)?.[name], into)
    }
  }
  if (shape.items) {
    const pick = pickOf(shape.items)
    return (value, into) => {
      const items: unknown[] = []
      for (const item of (value as unknown[] | undefined) ?? []) {
        const fields: unknown[] = []
        pick(item, fields)
        items.push(fields)
      }
      into.push(value === undefined ? null : items)
    }
  }
  const isScalar = (one: Shape): boolean => SCALARS.has(one.type ?? '') || (one.anyOf?.every(isScalar) ?? false)
  assert(isScalar(shape), 'a body that a key stands for must be made of objects, lists and plain values')
  return (value, into) => into.push(value)
}
