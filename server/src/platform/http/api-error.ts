/** One entry of an error answer. `source` points into the body (JSON pointer) or names a query or path parameter, or a header. */
export type ApiError = {
  readonly code: string
  readonly detail: string
  readonly source?: { readonly pointer: string } | { readonly parameter: string } | { readonly header: string }
  readonly meta?: Readonly<Record<string, unknown>>
}

/** The body of every error (qonto-api.md §6.1). `trace_id` equals the header `X-Tyk-Trace-Id`. */
export type ErrorBody = { readonly errors: readonly ApiError[]; readonly trace_id: string }

/**
 * An answer other than success that was decided below a handler, by what all handlers share: credentials, query strings, limits.
 * Handlers themselves return refusals as values and map them in one table.
 */
export class HttpRefusal extends Error {
  override name = 'HttpRefusal'
  readonly statusCode: number
  readonly errors: readonly ApiError[]
  readonly retryAfterSeconds: number | undefined

  constructor(statusCode: number, errors: readonly ApiError[], retryAfterSeconds?: number) {
    super(errors[0]?.code ?? 'refused')
    this.statusCode = statusCode
    this.errors = errors
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** One too many: of requests, or of guesses. */
export const tooManyRequests = (retryAfterSeconds: number): HttpRefusal =>
  new HttpRefusal(429, [{ code: 'too_many_requests', detail: 'Too many requests. Please try again later.' }], retryAfterSeconds)

export const atPointer = (code: string, detail: string, pointer: string): ApiError => ({ code, detail, source: { pointer } })

export const atParameter = (code: string, detail: string, parameter: string): ApiError => ({
  code,
  detail,
  source: { parameter },
})

export const atHeader = (code: string, detail: string, header: string): ApiError => ({ code, detail, source: { header } })

/** The answer for an id that is unknown, malformed or somebody else's: all three look alike, or ids could be probed. */
export const notFound = (what: string, parameter = 'id'): HttpRefusal =>
  new HttpRefusal(404, [atParameter('not_found', `${what} not found`, parameter)])
