import type { RouteShorthandOptions } from 'fastify'
import { type TSchema, Type } from 'typebox'

/** The body of every error. Registered once per server and referred to by every operation. */
export const ErrorSchema = Type.Object(
  {
    errors: Type.Array(
      Type.Object({
        code: Type.String({ description: 'What went wrong, for programs.' }),
        detail: Type.String({ description: 'What went wrong, for people.' }),
        source: Type.Optional(
          Type.Object({
            pointer: Type.Optional(Type.String({ description: 'JSON pointer into the request body.' })),
            parameter: Type.Optional(Type.String({ description: 'Query or path parameter.' })),
          }),
        ),
        meta: Type.Optional(Type.Object({}, { additionalProperties: true })),
      }),
    ),
    trace_id: Type.String({ pattern: '^[0-9a-f]{32}$', description: 'Equals the header X-Tyk-Trace-Id.' }),
  },
  { $id: 'Error', description: 'An error.' },
)

/** Answers that any operation can give: no credentials, too many requests, our fault, too busy. */
const COMMON_ERRORS = [401, 429, 500, 503]
/** Further ones of operations that take a body: it is not JSON, too large, or not what it should be. */
const BODY_ERRORS = [400, 413, 422]
const ERROR = { $ref: 'Error#', description: 'An error.' }

export type OperationDescription = {
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** OAuth scope that the contract names for it. */
  readonly scope: string
  readonly params?: TSchema
  readonly query?: TSchema
  readonly headers?: TSchema
  readonly body?: TSchema
  readonly answer: TSchema
  /** Success status, 200 unless said. */
  readonly status?: number
  /** Further error statuses it can give. */
  readonly errors?: readonly number[]
}

/**
 * A route's options: its documentation, and the validation of its body. Query strings and path parameters are read by the handler
 * (`defineQuery`, `asId`), because the contract has its own words for what is wrong with them.
 */
export function describeOperation(operation: OperationDescription): RouteShorthandOptions {
  const ownErrors = [...(operation.errors ?? (operation.query ? [422] : [])), ...(operation.body ? BODY_ERRORS : [])]
  const errors = Object.fromEntries([...COMMON_ERRORS, ...ownErrors].map((status) => [status, ERROR]))
  const schema = {
    operationId: operation.operationId,
    tags: [operation.tag],
    summary: operation.summary,
    description: `${operation.description ? `${operation.description}\n\n` : ''}Scope: \`${operation.scope}\`.`,
    security: [{ SecretKey: [] }],
    ...(operation.params && { params: operation.params }),
    ...(operation.query && { querystring: operation.query }),
    ...(operation.headers && { headers: operation.headers }),
    ...(operation.body && { body: operation.body }),
    response: { [operation.status ?? 200]: operation.answer, ...errors },
  }
  return operation.body ? { schema } : { schema, validatorCompiler: () => () => true }
}

/** Path parameter `id`. */
export const IdParams = Type.Object({ id: Type.String() })
