import { randomFillSync } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { type TSchema, Type } from 'typebox'
import type { ConnectionConfig, LoadConfig, RateLimitConfig } from '../config.ts'
import type { Logger } from '../logging.ts'
import type { Metrics } from '../metrics.ts'
import { type ErrorBody, tooManyRequests } from './api-error.ts'
import { isSameSecret, type SecretLookUp } from './authentication.ts'
import { guardConnections, HTTP_TIMERS } from './connections.ts'
import { errorHandler, sendErrors, sendRefusal } from './error-handler.ts'
import { readJsonBodies } from './json-body.ts'
import { LoadShedder, type ShedClass } from './load-shedding.ts'
import { ErrorSchema, type HealthOperation } from './openapi.ts'
import { parseQueryString } from './query.ts'
import { RateLimiter } from './rate-limit.ts'

export type HttpServerOptions = {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly rateLimits: RateLimitConfig
  readonly load: LoadConfig
  readonly connections: ConnectionConfig
  /** `X-Forwarded-For` is believed when it comes from these. */
  readonly trustedProxies: readonly string[]
  /** Whether requests can be served now: the database answers. */
  readonly isReady: () => Promise<boolean>
  /** Why this process should get no requests although its database answers; undefined when it may. */
  readonly unfit?: (() => string | undefined) | undefined
  /** Whether the database could not keep what is written: then only reads are served. */
  readonly lacksRoom?: (() => boolean) | undefined
  readonly metricsToken?: string | undefined
}

export type HttpServer = {
  readonly app: FastifyInstance
  /** Keeps guesses at secrets within the limit of wrong ones. */
  readonly lookUpSecret: SecretLookUp
  /** From now on /readyz says no and every answer asks the client to come back on another connection. Serving goes on. */
  startDraining(): void
  close(): Promise<void>
}

const BODY_BYTES_MAX = 1_048_576
const PATH_LENGTH_MAX = 16_384
const RETRY_AFTER_SECONDS = 1
const UNCOUNTED = new Set(['/livez', '/readyz', '/metrics'])

// What browsers are told should they ever show an answer: nothing may run, be framed, sniffed or kept.
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/**
 * The HTTP server that all modules' routes are registered on: error envelope, trace ids, limits, load shedding, health, metrics and one
 * log line per request. It knows no module and no credential.
 */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const limiter = new RateLimiter(options.rateLimits)
  const shedder = new LoadShedder(options.load)
  let isDraining = false
  const unanswered = new Set<FastifyReply>()

  const app = fastify({
    genReqId: newTraceId,
    logger: false,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    // While closing, requests on open connections are still served: the client cannot know that we are about to go.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: 72_000,
    requestTimeout: 30_000,
    routerOptions: {
      querystringParser: (text) => parseQueryString(text) as never,
      ignoreTrailingSlash: false,
      // An id is judged by its handler, which knows what is not found; Node bounds the whole request line.
      maxParamLength: PATH_LENGTH_MAX,
    },
    // Its absence is answered by the hook below, with the body that all errors have.
    http: { requireHostHeader: false, ...HTTP_TIMERS },
    // Bodies are taken as they are: nothing is converted, nothing taken out.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: true, allErrors: true } },
    frameworkErrors: (error, request, reply) => void onError(error, request, reply),
    // Fastify answers a path that cannot be read before any hook: uncounted, unlogged, and knowing nothing of proxies.
    rewriteUrl: ({ url = '/' }) => (isReadablePath(url) ? url : UNREADABLE_PATH),
    clientErrorHandler: answerUnreadableRequest,
  })
  guardConnections(app.server, { ...options.connections, trustedProxies: options.trustedProxies })
  readJsonBodies(app)
  const onError = errorHandler(options.logger, (request) => limiter.countUnauthorized(request.ip, performance.now()))
  app.setErrorHandler(onError)
  app.setNotFoundHandler(answerNoRoute)

  addGate(app, { ...options, limiter, shedder, unanswered, isDraining: () => isDraining })
  app.register(async (scope) => registerHealth(scope, options, () => isDraining))
  options.metrics.gauge('partita_http_requests_in_flight', 'Requests being served.', () => shedder.inFlight)
  options.metrics.gauge(
    'partita_event_loop_lag_seconds',
    'Smoothed lateness of the event loop, which decides about shedding.',
    () => shedder.lagSeconds,
  )
  app.addHook('onClose', async () => shedder.close())
  return {
    app,
    lookUpSecret: (address, secret, find) => limiter.lookUp(address, secret, () => performance.now(), find),
    startDraining: () => {
      isDraining = true
      // Requests that came before must not leave a connection behind that waits for the next: closing would wait for it.
      for (const reply of unanswered) reply.raw.shouldKeepAlive = false
    },
    close: () => closeWithConnections(app),
  }
}

type Gate = Pick<HttpServerOptions, 'logger' | 'metrics' | 'lacksRoom'> & {
  readonly limiter: RateLimiter
  readonly shedder: LoadShedder
  readonly unanswered: Set<FastifyReply>
  readonly isDraining: () => boolean
}

/** What happens to every request before its route: headers, limits, load shedding, and at its end the one line about it. */
function addGate(app: FastifyInstance, gate: Gate): void {
  const { limiter, shedder, unanswered, isDraining } = gate
  app.addHook('onRequest', (request, reply, done) => {
    const nowMs = performance.now()
    reply.header('x-tyk-trace-id', request.id)
    reply.headers(SECURITY_HEADERS)
    if (isDraining()) reply.header('connection', 'close')
    const route = request.routeOptions.url
    if (route !== undefined && UNCOUNTED.has(route)) return done()

    const retryAfter = limiter.take(request.ip, nowMs)
    const kind: ShedClass =
      request.routeOptions.config.shed ?? (request.method === 'GET' || request.method === 'HEAD' ? 'reads' : 'writes')
    const isAdmitted = retryAfter === undefined && shedder.admit(kind)
    unanswered.add(reply)
    // 'close' comes once per answer, also when the client went away before it.
    reply.raw.once('close', () => {
      unanswered.delete(reply)
      const durationMs = performance.now() - nowMs
      if (isAdmitted) shedder.release(kind, durationMs)
      report(gate, request, reply, durationMs)
    })
    if (retryAfter !== undefined) return void sendRefusal(request, reply, tooManyRequests(retryAfter))
    if (!isAdmitted || (kind === 'writes' && gate.lacksRoom?.())) {
      reply.header('retry-after', RETRY_AFTER_SECONDS)
      sendErrors(request, reply, 503, [{ code: 'service_unavailable', detail: 'The service is busy. Please try again.' }])
      return
    }
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      sendErrors(request, reply, 400, [{ code: 'bad_request', detail: 'The Host header is missing' }])
      return
    }
    if (request.url === UNREADABLE_PATH) {
      sendErrors(request, reply, 400, [{ code: 'bad_request', detail: 'The path is not a valid URL' }])
      return
    }
    // Now, before a body is read: what is sent to nowhere is not judged by its form.
    if (request.is404) answerNoRoute(request, reply)
    else done()
  })
}

/** No route has it, and no client can send it. */
const UNREADABLE_PATH = '/\n'

function isReadablePath(url: string): boolean {
  if (!url.includes('%')) return true
  try {
    decodeURIComponent(url.split('?', 1)[0] as string)
    return true
  } catch {
    return false
  }
}

const IDLE_SWEEP_MS = 50

/**
 * Closes as soon as the last request is answered: a connection whose request was under way when closing began is idle only afterwards,
 * and would otherwise be kept for its client's next request.
 */
async function closeWithConnections(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), IDLE_SWEEP_MS)
  await app.close().finally(() => clearInterval(sweep))
}

/** The canonical line: everything about a request that an operator asks for later, once, when it is over. */
function report(
  options: Pick<HttpServerOptions, 'logger' | 'metrics'>,
  request: FastifyRequest,
  reply: FastifyReply,
  durationMs: number,
): void {
  const route = request.routeOptions.url ?? 'unknown'
  const status = reply.raw.writableEnded ? reply.statusCode : 499 // the client went away
  options.metrics.observeRequest(request.method, route, status, durationMs / 1_000)
  options.logger.info('request', {
    'http.request.method': request.method,
    'http.route': route,
    'http.response.status_code': status,
    'event.duration': Math.round(durationMs * 1e6),
    'trace.id': request.id,
    'client.ip': request.ip,
    'organization.id': request.actor?.organizationId,
    'partita.credential': request.actor?.credential.label,
  })
}

const statusAnswer = (description: string, ...states: readonly string[]) =>
  Type.Object({ status: Type.String({ enum: [...states] }) }, { description })

const answer = (schema: TSchema & { readonly description?: string }) => ({ description: schema.description ?? '', schema })

/** The routes that every process serves, as the description of the API has them. */
export const HEALTH_OPERATIONS: readonly HealthOperation[] = [
  {
    id: 'getLiveness',
    path: '/livez',
    summary: 'Whether the process runs: if not, restart it.',
    answers: { 200: answer(statusAnswer('It does.', 'alive')) },
  },
  {
    id: 'getReadiness',
    path: '/readyz',
    summary: 'Whether requests can be served here: if not, send them elsewhere.',
    answers: {
      200: answer(statusAnswer('They can.', 'ready')),
      503: answer(
        Type.Object(
          {
            status: Type.String({ enum: ['draining', 'unavailable'] }),
            reason: Type.Optional(
              Type.String({ description: 'For the operator, when it is not the database that does not answer.' }),
            ),
          },
          {
            description:
              'The process is about to stop, its database does not answer, or its schema is not the one that this release knows.',
          },
        ),
      ),
    },
  },
  {
    id: 'getMetrics',
    path: '/metrics',
    summary: 'What the process does, for Prometheus. Production asks for `Bearer` and the metrics token.',
    answers: {
      200: { description: 'The figures.', schema: Type.String(), type: 'text/plain' },
      401: { description: 'Not the metrics token.', schema: ErrorSchema },
    },
  },
]

function registerHealth(app: FastifyInstance, options: HttpServerOptions, isDraining: () => boolean): void {
  const config = { shed: 'never' } as const
  app.get('/livez', { config }, () => ({ status: 'alive' }))
  app.get('/readyz', { config }, async (_request, reply) => {
    if (isDraining()) return reply.code(503).send({ status: 'draining' })
    const reason = options.unfit?.()
    if (reason !== undefined) return reply.code(503).send({ status: 'unavailable', reason })
    const isReady = await options.isReady().catch(() => false)
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'unavailable' })
  })
  app.get('/metrics', { config }, async (request, reply) => {
    if (options.metricsToken !== undefined && !isSameSecret(request.headers.authorization, `Bearer ${options.metricsToken}`)) {
      return sendErrors(request, reply, 401, [
        { code: 'unauthorized', detail: 'You must be authenticated to perform this action' },
      ])
    }
    const { contentType, body } = await options.metrics.expose()
    return reply.type(contentType).send(body)
  })
}

const answerNoRoute = (request: FastifyRequest, reply: FastifyReply): void => {
  sendErrors(request, reply, 404, [{ code: 'not_found', detail: `${request.method} ${pathOf(request)} does not exist` }])
}

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] as string

// Random bytes are drawn in blocks, as in ids.ts.
const pool = Buffer.alloc(16 * 256)
let poolOffset = pool.length

function newTraceId(): string {
  if (poolOffset === pool.length) {
    randomFillSync(pool)
    poolOffset = 0
  }
  poolOffset += 16
  return pool.toString('hex', poolOffset - 16, poolOffset)
}

/** What is not HTTP, or too large or too slow to be read as such, has no request and no route: it is answered on the bare socket. */
function answerUnreadableRequest(error: Error & { code?: string }, socket: import('node:net').Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const traceId = newTraceId()
  const body: ErrorBody = { errors: [{ code: 'bad_request', detail: 'The request cannot be read' }], trace_id: traceId }
  const text = JSON.stringify(body)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nX-Tyk-Trace-Id: ${traceId}\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  )
}
