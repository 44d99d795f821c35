import { isCalendarDate, parseInstant } from '@partita/notation/dates'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { refuse } from './refuse.ts'
import type { Simulator } from './simulator.ts'

const BODY_LIMIT_BYTES = 16 * 1024 * 1024
const PAGE_DEFAULT = 100
const PAGE_MAX = 1_000

/** The HTTP side: README.md describes every route. Errors are `{"error": {"code", "message", "line"?}}`. */
export function buildApp(simulator: Simulator, options: { fatal?: (error: unknown) => void } = {}): FastifyInstance {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true })
  app.removeAllContentTypeParsers()
  // XML and JSON arrive as text: what is malformed is this program's to say, in one form.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500
    if (status < 500) return refuse(reply, status, { code: 'request_refused', message: error.message })
    options.fatal?.(error) // the journal could not be written: memory and disk disagree from here on
    return refuse(reply, 500, { code: 'failed', message: 'the simulator cannot remember this' })
  })

  app.get('/health', async () => ({ status: 'ok', bank_time: simulator.now ?? null, ...simulator.counts() }))
  app.register(async (timed) => {
    timed.addHook('preHandler', (request, reply) => followBankTime(simulator, request, reply))
    messageRoutes(timed, simulator)
    proofRoutes(timed, simulator)
    for (const scheme of simulator.schemes) simulator.mount(scheme, timed)
  })
  return app
}

/** The clock follows the bank's; without any time there is no "now" to answer in. */
async function followBankTime(simulator: Simulator, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const header = request.headers['bank-time']
  const instant = typeof header === 'string' ? parseInstant(header) : undefined
  if (header !== undefined && instant === undefined) {
    const message = 'Bank-Time must be an ISO 8601 instant with Z or an offset'
    return refuse(reply, 400, { code: 'bank_time_invalid', message })
  }
  if (instant !== undefined) await simulator.advance(instant)
  if (simulator.now !== undefined) return undefined
  return refuse(reply, 400, { code: 'bank_time_missing', message: 'no request has carried Bank-Time yet' })
}

/** What goes to and fro between the bank and every scheme. */
function messageRoutes(app: FastifyInstance, simulator: Simulator): void {
  app.post('/messages', async (request, reply) => {
    const taken = await simulator.take(typeof request.body === 'string' ? request.body : '')
    if (!taken.ok) return refuse(reply, 400, taken.refusal)
    if (taken.reply === 'unavailable') return refuse(reply, 503, { code: 'unavailable', message: 'nothing was taken' })
    if (taken.reply === 'connection_cut') {
      reply.hijack()
      request.raw.socket.destroy()
      return reply
    }
    return reply.code(202).send({ message_id: taken.msgId, message_type: taken.name })
  })

  app.get<{ Querystring: { after?: string; limit?: string } }>('/messages', async (request, reply) => {
    const after = wholeNumber(request.query.after ?? '0')
    const limit = wholeNumber(request.query.limit ?? String(PAGE_DEFAULT))
    if (after === undefined || limit === undefined || limit < 1 || limit > PAGE_MAX) {
      const message = `after must be a whole number, limit one from 1 to ${PAGE_MAX}`
      return refuse(reply, 400, { code: 'page_invalid', message })
    }
    return simulator.messages(after, limit)
  })
}

/** What anybody may look up afterwards, to prove what has happened. */
function proofRoutes(app: FastifyInstance, simulator: Simulator): void {
  app.get<{ Params: { txId: string } }>('/transactions/:txId', async (request, reply) => {
    const view = simulator.transaction(request.params.txId)
    return view ?? refuse(reply, 404, { code: 'transaction_not_found', message: 'no payment of this TxId was ever received' })
  })

  app.get<{ Querystring: { date?: string } }>('/statement', async (request, reply) => {
    const { date } = request.query
    if (date !== undefined && !isCalendarDate(date))
      return refuse(reply, 400, { code: 'date_invalid', message: 'date must be YYYY-MM-DD' })
    return reply.type('application/xml').send(simulator.statement(simulator.now ?? '', date))
  })
}

const wholeNumber = (text: string): number | undefined => (/^\d{1,12}$/.test(text) ? Number(text) : undefined)
