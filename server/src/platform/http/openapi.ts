import type { FastifySchema, RouteShorthandOptions } from 'fastify'
import { type TSchema, Type } from 'typebox'
import { assert } from '../assert.ts'

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
            header: Type.Optional(Type.String({ description: 'Request header.' })),
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
const ERROR_MEANINGS: Readonly<Record<number, string>> = {
  400: 'The request cannot be read, or cannot be carried out as it is.',
  401: 'No valid credential. Too many of these block the address for an hour.',
  404: 'No such object of the organization.',
  413: 'The body is too large.',
  422: 'A value is missing or not what it should be.',
  429: 'Too many requests from this address.',
  500: 'Our fault.',
  503: 'Too busy, or a part is away: nothing has been done.',
}
const TRACE_ID = { type: 'string', pattern: '^[0-9a-f]{32}$', description: 'Names the request; errors carry it as trace_id.' }
const RETRY_AFTER = { type: 'integer', minimum: 1, description: 'Seconds until it is worth trying again.' }

function errorAnswer(status: number) {
  const description = ERROR_MEANINGS[status]
  assert(description, `status ${status} has no meaning in the API's description`)
  const headers = { 'X-Tyk-Trace-Id': TRACE_ID, ...(status === 429 || status === 503 ? { 'Retry-After': RETRY_AFTER } : {}) }
  return { $ref: 'Error#', description, headers }
}

const StagingToken = Type.Optional(
  Type.String({ description: 'Needed only where a sandbox is configured to ask for it; ignored elsewhere.' }),
)

export type OperationDescription = {
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly deprecated?: boolean
  /** OAuth scope that the contract names for it. */
  readonly scope: string
  readonly params?: TSchema
  readonly query?: TSchema
  readonly headers?: Record<string, TSchema>
  readonly body?: TSchema
  readonly answer: TSchema
  /** Success status, 200 unless said. */
  readonly status?: number
  /** Headers of the success beyond the trace id. */
  readonly answerHeaders?: Readonly<Record<string, TSchema>>
  /** Further error statuses it can give. */
  readonly errors?: readonly number[]
}

/**
 * A route's options: its documentation, and the validation of its body. Query strings and path parameters are read by the handler
 * (`defineQuery`, `asId`), because the contract has its own words for what is wrong with them.
 */
export function describeOperation(operation: OperationDescription): RouteShorthandOptions {
  const ownErrors = [...(operation.errors ?? (operation.query ? [422] : [])), ...(operation.body ? BODY_ERRORS : [])]
  const errors = Object.fromEntries([...COMMON_ERRORS, ...ownErrors].map((status) => [status, errorAnswer(status)]))
  const success = {
    ...operation.answer,
    'x-response-description': 'Success.',
    headers: { 'X-Tyk-Trace-Id': TRACE_ID, ...operation.answerHeaders },
  }
  const schema = {
    operationId: operation.operationId,
    tags: [operation.tag],
    summary: operation.summary,
    description: `${operation.description ? `${operation.description}\n\n` : ''}Scope: \`${operation.scope}\`.`,
    ...(operation.deprecated && { deprecated: true }),
    security: [{ SecretKey: [] }],
    ...(operation.params && { params: operation.params }),
    ...(operation.query && { querystring: operation.query }),
    documentedHeaders: Type.Object({ 'X-Qonto-Staging-Token': StagingToken, ...operation.headers }),
    ...(operation.body && { body: operation.body }),
    response: { [operation.status ?? 200]: success, ...errors },
  }
  return operation.body ? { schema } : { schema, validatorCompiler: () => () => true }
}

/** What the description shows of a route beyond what Fastify checks: its headers, which it would otherwise validate on every request. */
export function documentHeaders<S extends FastifySchema>({
  schema,
  url,
}: {
  schema: S
  url: string
}): { schema: S; url: string } {
  const { documentedHeaders, ...rest } = (schema ?? {}) as S & { documentedHeaders?: TSchema }
  return { schema: { ...rest, ...(documentedHeaders && { headers: documentedHeaders }) } as S, url }
}

/** The documentation of a route for whoever runs the bank: it has no part in the contract, takes nothing, and is in no organization's scope. */
export const describeHealth = (operationId: string, summary: string, response: Readonly<Record<number, object>>) => ({
  operationId,
  tags: ['Health'],
  summary,
  security: [],
  response,
})

/** Path parameter `id`. */
export const IdParams = Type.Object({ id: Type.String() })
