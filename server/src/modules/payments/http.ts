import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { BankClock } from '../../platform/clock.ts'
import { atPointer, HttpRefusal } from '../../platform/http/api-error.ts'
import { describeOperation } from '../../platform/http/openapi.ts'
import { parseInstant } from '../../platform/http/query.ts'
import { type KeyClaim, requestHash } from '../../platform/idempotency.ts'
import { newId } from '../../platform/ids.ts'
import type { InternalTransfers } from './commands/transfer-internally.ts'
import type { InternalTransferInstruction } from './domain/internal-transfer.ts'
import type { RailSandbox } from './rail.ts'
import {
  amountFromWire,
  ClockAnswer,
  ClockBody,
  INTERNAL_TRANSFER_ERRORS,
  IncomingTransferBody,
  InternalTransferAnswer,
  InternalTransferBody,
  ibanFromWire,
  internalTransferToWire,
  unwrapIncomingTransfer,
} from './wire.ts'

/** Routes of the public API. */
export function paymentsHttp(
  app: FastifyInstance,
  dependencies: { clock: BankClock; internalTransfers: InternalTransfers },
): void {
  const { clock, internalTransfers } = dependencies
  app.post(
    '/v2/internal_transfers',
    describeOperation({
      operationId: 'createInternalTransfer',
      tag: 'Internal transfers',
      summary: 'Move money between two accounts of the organization, at once.',
      description:
        'A repeated `X-Qonto-Idempotency-Key` gets the first answer again for 30 minutes. If the body differs, the answer carries `X-Partita-Idempotency-Mismatch: true`.',
      scope: 'internal_transfer.write',
      headers: Type.Object({ 'x-qonto-idempotency-key': Type.Optional(Type.String({ maxLength: 255 })) }),
      body: InternalTransferBody,
      answer: InternalTransferAnswer,
      errors: [400, 422],
    }),
    async (request, reply) => {
      const instruction = instructionFrom(request, clock.now())
      const claim = claimFor(request, instruction)
      const answer = await internalTransfers.submit({ instruction, claim })
      if (!answer.ok) {
        const [status, code, detail, pointer] = INTERNAL_TRANSFER_ERRORS[answer.refusal]
        throw new HttpRefusal(status, [atPointer(code, detail, pointer)])
      }
      const { replay } = answer.value
      if (!replay) return claim.body
      return sendReplay(reply, replay, claim)
    },
  )
}

function instructionFrom(request: FastifyRequest, now: Date): InternalTransferInstruction {
  const { internal_transfer: wire } = request.body as InternalTransferBody
  const amount = amountFromWire(wire.amount, wire.currency)
  if (!amount) throw new HttpRefusal(422, [atPointer('invalid', 'amount must be greater than 0', '/internal_transfer/amount')])
  return {
    id: newId<'internal_transfer'>(),
    organizationId: request.principal.organizationId,
    debtorIban: ibanFromWire(wire.debit_iban),
    creditorIban: ibanFromWire(wire.credit_iban),
    amount,
    remittanceInformation: wire.reference,
    initiatorId: request.principal.membershipId,
    orderedAt: now,
  }
}

/** A request without a key gets one of its own, so that it, too, can be asked again after a lost connection. */
function claimFor(request: FastifyRequest, instruction: InternalTransferInstruction): KeyClaim {
  const given = request.headers['x-qonto-idempotency-key']
  return {
    organizationId: instruction.organizationId,
    operation: 'POST /v2/internal_transfers',
    key: typeof given === 'string' && given !== '' ? given : instruction.id,
    requestHash: requestHash(JSON.stringify(request.body)),
    status: 200,
    body: internalTransferToWire(instruction),
  }
}

function sendReplay(
  reply: FastifyReply,
  replay: { status: number; body: unknown; requestHash: Buffer },
  claim: KeyClaim,
): FastifyReply {
  if (!replay.requestHash.equals(claim.requestHash)) reply.header('x-partita-idempotency-mismatch', 'true')
  return reply.code(replay.status).send(replay.body)
}

/** Routes of the sandbox: money from outside, and the bank's clock. Registered only where the sandbox is on. */
export function simulationHttp(app: FastifyInstance, { clock, rail }: { clock: BankClock; rail: RailSandbox }): void {
  app.post(
    '/simulation/incoming_transfers',
    {
      ...describeOperation({
        operationId: 'simulateIncomingTransfer',
        tag: 'Simulation',
        summary: 'Have somebody outside send a SEPA credit transfer.',
        description:
          'The simulated rail sends a pacs.008; the money is booked when the worker has read it, as a rule within a second.',
        scope: 'sandbox',
        body: IncomingTransferBody,
        answer: Type.Object({ incoming_transfer: Type.Object({}, { additionalProperties: true }) }),
        status: 202,
        errors: [422],
      }),
      preValidation: async (request) => {
        request.body = unwrapIncomingTransfer(request.body)
      },
    },
    async (request, reply) => {
      const wire = request.body as IncomingTransferBody
      const amount = amountFromWire(wire.amount, 'EUR')
      if (!amount) throw new HttpRefusal(422, [atPointer('invalid', 'amount must be greater than 0', '/amount')])
      const simulated = await rail.sendIncoming({
        amount,
        creditorIban: ibanFromWire(wire.creditor_iban),
        debtorName: wire.debtor_name ?? 'Simulated Debtor',
        debtorIban: ibanFromWire(wire.debtor_iban ?? 'DE89370400440532013000'),
        remittanceInformation: wire.remittance_information,
        endToEndId: wire.end_to_end_id,
        copies: wire.copies,
      })
      if (!simulated.ok) throw new HttpRefusal(422, [{ code: 'invalid', detail: simulated.refusal }])
      return reply.code(202).send({ incoming_transfer: simulated.value })
    },
  )

  const clockNow = () => ({ clock: { now: clock.now() } })
  app.get(
    '/simulation/clock',
    describeOperation({
      operationId: 'getClock',
      tag: 'Simulation',
      summary: 'The bank’s time.',
      scope: 'sandbox',
      answer: ClockAnswer,
    }),
    async () => clockNow(),
  )
  app.post(
    '/simulation/clock',
    describeOperation({
      operationId: 'moveClock',
      tag: 'Simulation',
      summary: 'Move the bank’s one clock forward.',
      description:
        'All processes and the simulated rail follow within a second; what became due happens then. It never moves back.',
      scope: 'sandbox',
      body: ClockBody,
      answer: ClockAnswer,
      errors: [422],
    }),
    async (request) => {
      const target = targetOf(request.body as ClockBody, clock.now())
      if (!(await clock.moveTo(target))) {
        throw new HttpRefusal(422, [
          atPointer('invalid', `now must not be before ${clock.now().toISOString()}: the clock only moves forward`, '/now'),
        ])
      }
      return clockNow()
    },
  )
}

function targetOf(body: ClockBody, now: Date): Date {
  if ((body.now === undefined) === (body.advance_seconds === undefined)) {
    throw new HttpRefusal(422, [{ code: 'invalid', detail: 'give either now or advance_seconds' }])
  }
  if (body.advance_seconds !== undefined) return new Date(now.getTime() + body.advance_seconds * 1_000)
  const target = parseInstant(body.now ?? '', 'from')
  if (!target) throw new HttpRefusal(422, [atPointer('invalid', 'now is not a valid date', '/now')])
  return target
}
