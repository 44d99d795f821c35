import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import { PlatformUnavailable } from '../errors.ts'
import type { Logger } from '../logging.ts'
import { type ApiError, atPointer, type ErrorBody, HttpRefusal, tooManyRequests } from './api-error.ts'

const RETRY_AFTER_SECONDS = 1
const ERRORS_SHOWN_MAX = 20

/** Writes an error answer. */
export function sendErrors(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  errors: readonly ApiError[],
): FastifyReply {
  const body: ErrorBody = { errors, trace_id: request.id }
  // Set here too: a path that cannot be read is answered before any hook runs.
  return reply.code(status).header('x-tyk-trace-id', request.id).send(body)
}

export function sendRefusal(request: FastifyRequest, reply: FastifyReply, refusal: HttpRefusal): FastifyReply {
  if (refusal.retryAfterSeconds !== undefined) reply.header('retry-after', refusal.retryAfterSeconds)
  return sendErrors(request, reply, refusal.statusCode, refusal.errors)
}

const CLIENT_GONE: ApiError = { code: 'bad_request', detail: 'The connection was closed before the request was whole' }

/** Whether the client went away while we read from it. */
const isGone = (error: Error, { raw }: FastifyRequest): boolean =>
  raw.destroyed && !raw.complete && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')

/**
 * Counts an answer of 401 before it is given: then no crowd of guesses is told more than one by one would be.
 * @returns undefined when it may be given, else the seconds until one may.
 */
export type CountUnauthorized = (request: FastifyRequest) => number | undefined

/** Turns whatever a request threw into an answer; only what is our fault is logged, and here only. */
export function errorHandler(logger: Logger, countUnauthorized: CountUnauthorized) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof HttpRefusal) {
      const tooMany = error.statusCode === 401 ? countUnauthorized(request) : undefined
      return sendRefusal(request, reply, tooMany === undefined ? error : tooManyRequests(tooMany))
    }
    // Its line says 499; there is nobody to answer, and no fault of ours.
    if (isGone(error, request)) return sendErrors(request, reply, 499, [CLIENT_GONE])
    const answer = answerForClientMistake(error, request)
    if (answer) return sendErrors(request, reply, answer.status, answer.errors)
    const where = { 'trace.id': request.id, 'http.route': request.routeOptions.url ?? 'unknown' }
    if (error instanceof PlatformUnavailable) {
      logger.warn('the platform is unavailable', where)
      reply.header('retry-after', RETRY_AFTER_SECONDS)
      return sendErrors(request, reply, 503, [
        { code: 'service_unavailable', detail: isRead(request) ? UNAVAILABLE : UNAVAILABLE_OUTCOME_UNKNOWN },
      ])
    }
    logger.error('a request failed', error, where)
    return sendErrors(request, reply, 500, [
      { code: 'internal_server_error', detail: `Something went wrong on our side. Please quote ${request.id}.` },
    ])
  }
}

const isRead = ({ method }: FastifyRequest): boolean => method === 'GET' || method === 'HEAD'

const UNAVAILABLE = 'The service is temporarily unavailable. Please try again.'
/** After a lost connection nobody can say more; the key can. */
const UNAVAILABLE_OUTCOME_UNKNOWN =
  'The service is temporarily unavailable, and whether the request was carried out is not known. Please send it again with the same idempotency key, which is answered with its one outcome.'

type Answer = { readonly status: number; readonly errors: readonly ApiError[] }

const badRequest = (detail: string): Answer => ({ status: 400, errors: [{ code: 'bad_request', detail }] })

/** What Fastify itself finds wrong with a request, before a handler sees it. */
function answerForClientMistake(error: FastifyError | Error, request: FastifyRequest): Answer | undefined {
  if ('validation' in error && error.validation) {
    return answerForInvalidBody(
      error.validation,
      error.validationContext === 'body' ? request.body : undefined,
      error.validationContext,
    )
  }
  switch ('code' in error ? error.code : undefined) {
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return { status: 400, errors: [{ code: 'malformed_json', detail: 'The request body is not valid JSON' }] }
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return { status: 422, errors: [{ code: 'invalid_body', detail: 'EOF' }] }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return badRequest('Content-Type must be application/json')
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { status: 413, errors: [{ code: 'bad_request', detail: 'The request body is too large' }] }
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return badRequest('Content-Length does not match the request body')
    case 'FST_ERR_BAD_URL':
      return badRequest('The path is not a valid URL')
    default:
      // A body with `__proto__` or `constructor.prototype`, or broken JSON under another name.
      if (error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400) {
        return { status: 400, errors: [{ code: 'malformed_json', detail: 'The request body is not valid JSON' }] }
      }
      return undefined
  }
}

function answerForInvalidBody(problems: FastifySchemaValidationError[], body: unknown, context: string | undefined): Answer {
  if (context === 'body' && (body === undefined || body === null)) {
    return { status: 422, errors: [{ code: 'invalid_body', detail: 'EOF' }] }
  }
  // A conditional schema adds that its condition failed to what failed inside it.
  const errors = problems
    .filter(({ keyword }) => keyword !== 'if')
    .slice(0, ERRORS_SHOWN_MAX)
    .map(describeProblem)
  // The contract answers an amount sent as a number with 400, every other invalid field with 422.
  return { status: errors.some((e) => e.code === 'not_a_string') ? 400 : 422, errors }
}

const FIELD_NAME_SHOWN_MAX = 100
const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'an object',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
}

const unknownField = (path: string, name: string): ApiError =>
  atPointer('invalid', `${name} is not a known field`, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)

/** ajv's finding in the contract's words (qonto-api.md §6.2). */
function describeProblem(problem: FastifySchemaValidationError): ApiError {
  const { keyword, instancePath: path, params } = problem
  const field = path.slice(path.lastIndexOf('/') + 1) || 'body'
  switch (keyword) {
    case 'required':
      return atPointer('missing_key', `${params.missingProperty} is missing`, `${path}/${params.missingProperty}`)
    case 'additionalProperties':
      return unknownField(path, String(params.additionalProperty).slice(0, FIELD_NAME_SHOWN_MAX))
    case 'type':
      return params.type === 'string'
        ? atPointer('not_a_string', `${field} must be a string`, path || '/')
        : atPointer('invalid', `${field} must be ${TYPE_WORDS[String(params.type)] ?? params.type}`, path || '/')
    case 'minimum':
      return atPointer('invalid', `${field} must not be less than ${params.limit}`, path)
    case 'maximum':
      return atPointer('invalid', `${field} must not be greater than ${params.limit}`, path)
    case 'enum':
      return atPointer('not_in_list', `${field} must be one of: ${(params.allowedValues as unknown[]).join(', ')}`, path)
    case 'const':
      return atPointer('not_in_list', `${field} must be one of: ${params.allowedValue}`, path)
    case 'maxLength':
      return atPointer('above_max_size', `${field} size cannot be greater than ${params.limit}`, path)
    case 'maxItems':
      return atPointer('above_max_size', `${field} cannot be greater than ${params.limit}`, path)
    case 'minLength':
      return atPointer('blank', `${field} cannot be blank`, path)
    case 'format':
    case 'pattern':
      return atPointer('invalid_format', `${field} has an invalid format`, path)
    default:
      return atPointer('invalid', `${field} is invalid`, path || '/')
  }
}
