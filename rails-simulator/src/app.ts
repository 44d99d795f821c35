import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { readIncomingOrder } from './incoming-order.ts'
import { readMessage } from './messages/read.ts'
import { writeMessage } from './messages/write.ts'
import type { Simulator } from './simulator.ts'
import { writeStatement } from './statement.ts'
import { isDate, parseInstant } from './times.ts'

const BODY_LIMIT_BYTES = 16 * 1024 * 1024
const PAGE_DEFAULT = 100
const PAGE_MAX = 1_000

type Problem = Readonly<{ code: string; message: string; line?: number }>

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

  /** The clock follows the bank's; without any time there is no "now" to answer in. */
  const now = async (request: FastifyRequest, reply: FastifyReply): Promise<string | undefined> => {
    const header = request.headers['bank-time']
    const instant = typeof header === 'string' ? parseInstant(header) : undefined
    if (header !== undefined && instant === undefined) {
      await refuse(reply, 400, {
        code: 'bank_time_invalid',
        message: 'Bank-Time must be an ISO 8601 instant with Z or an offset',
      })
      return undefined
    }
    if (instant !== undefined) await simulator.advance(instant)
    if (simulator.now === undefined)
      await refuse(reply, 400, { code: 'bank_time_missing', message: 'no request has carried Bank-Time yet' })
    return simulator.now
  }

  app.get('/health', async () => ({ status: 'ok', bank_time: simulator.now ?? null, ...simulator.counts() }))

  app.post('/messages', async (request, reply) => {
    const at = await now(request, reply)
    if (at === undefined) return reply
    const read = readMessage(typeof request.body === 'string' ? request.body : '')
    if (!read.ok) return refuse(reply, 400, read.refusal)
    const outcome = await simulator.take(read.value, at)
    if (outcome === 'unavailable') return refuse(reply, 503, { code: 'unavailable', message: 'nothing was taken' })
    if (outcome === 'connection_cut') {
      reply.hijack()
      request.raw.socket.destroy()
      return reply
    }
    return reply.code(202).send({ message_id: read.value.msgId, message_type: read.value.type })
  })

  app.get<{ Querystring: { after?: string; limit?: string } }>('/messages', async (request, reply) => {
    const at = await now(request, reply)
    if (at === undefined) return reply
    const after = wholeNumber(request.query.after ?? '0')
    const limit = wholeNumber(request.query.limit ?? String(PAGE_DEFAULT))
    if (after === undefined || limit === undefined || limit < 1 || limit > PAGE_MAX) {
      return refuse(reply, 400, {
        code: 'page_invalid',
        message: `after must be a whole number, limit one from 1 to ${PAGE_MAX}`,
      })
    }
    return simulator.messages(after, limit).map((message) => ({
      sequence: message.sequence,
      id: message.id,
      message_type: message.content.type,
      available_at: message.dueAt,
      xml: writeMessage(message.content),
    }))
  })

  app.post('/simulate/incoming', async (request, reply) => {
    const at = await now(request, reply)
    if (at === undefined) return reply
    const order = readIncomingOrder(request.body)
    if (!order.ok) return refuse(reply, 400, order.problem)
    const key = request.headers['idempotency-key']
    const made = await simulator.simulateIncoming(order.value, typeof key === 'string' ? key : undefined, at)
    if (made === 'key_reused')
      return refuse(reply, 409, { code: 'idempotency_key_reused', message: 'this key was used for another order' })
    const record = simulator.incoming(made.txId)
    return reply.code(made.repeated ? 200 : 201).send({
      tx_id: made.txId,
      message_id: record?.msgId,
      end_to_end_id: record?.transaction.endToEndId,
      uetr: record?.transaction.uetr,
      available_at: record?.availableAt,
      settlement_date: record?.settlementDate,
    })
  })

  app.get<{ Params: { txId: string } }>('/transactions/:txId', async (request, reply) => {
    const at = await now(request, reply)
    if (at === undefined) return reply
    const view = simulator.transaction(request.params.txId)
    return view ?? refuse(reply, 404, { code: 'transaction_not_found', message: 'no payment of this TxId was ever received' })
  })

  app.get<{ Querystring: { date?: string } }>('/statement', async (request, reply) => {
    const at = await now(request, reply)
    if (at === undefined) return reply
    const { date } = request.query
    if (date !== undefined && !isDate(date))
      return refuse(reply, 400, { code: 'date_invalid', message: 'date must be YYYY-MM-DD' })
    return reply.type('application/xml').send(writeStatement(simulator.records, at, date))
  })
  return app
}

const refuse = (reply: FastifyReply, status: number, error: Problem): FastifyReply => reply.code(status).send({ error })

const wholeNumber = (text: string): number | undefined => (/^\d{1,12}$/.test(text) ? Number(text) : undefined)
