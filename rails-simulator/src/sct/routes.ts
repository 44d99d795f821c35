import type { FastifyInstance } from 'fastify'
import { refuse } from '../core/refuse.ts'
import type { SchemeApi } from '../core/scheme.ts'
import type { CreditTransferContent } from './content.ts'
import { decideIncoming, hashOf, type IncomingOrder } from './decide-incoming.ts'
import { readIncomingOrder } from './incoming-order.ts'
import type { CreditTransferEvent, CreditTransferState } from './state.ts'

type Api = SchemeApi<CreditTransferState, CreditTransferEvent, CreditTransferContent>

/** Makes somebody elsewhere pay a customer of the bank. */
export function incomingRoutes(app: FastifyInstance, api: Api): void {
  app.post('/simulate/incoming', async (request, reply) => {
    const order = readIncomingOrder(request.body)
    if (!order.ok) return refuse(reply, 400, order.problem)
    const key = request.headers['idempotency-key']
    const made = await simulateIncoming(api, order.value, typeof key === 'string' ? key : undefined)
    if (made === 'key_reused')
      return refuse(reply, 409, { code: 'idempotency_key_reused', message: 'this key was used for another order' })
    const record = api.state.incoming.get(made.txId)
    return reply.code(made.repeated ? 200 : 201).send({
      tx_id: made.txId,
      message_id: record?.msgId,
      end_to_end_id: record?.transaction.endToEndId,
      uetr: record?.transaction.uetr,
      available_at: record?.availableAt,
      settlement_date: record?.settlementDate,
    })
  })
}

/** Makes an incoming payment. Repeated under one key: the same payment, or `key_reused` when the order differs. */
async function simulateIncoming(
  api: Api,
  order: IncomingOrder,
  idempotencyKey: string | undefined,
): Promise<{ txId: string; repeated: boolean } | 'key_reused'> {
  const earlier = idempotencyKey === undefined ? undefined : api.state.simulated.get(idempotencyKey)
  if (earlier) return earlier.requestHash === hashOf(order) ? { txId: earlier.txId, repeated: true } : 'key_reused'
  const txId = await api.decide((draft) => decideIncoming(draft, order, idempotencyKey))
  return { txId, repeated: false }
}
