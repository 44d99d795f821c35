import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { BankClock } from '../../platform/clock.ts'
import { atHeader, atPointer, HttpRefusal } from '../../platform/http/api-error.ts'
import { describeOperation } from '../../platform/http/openapi.ts'
import { parseInstant } from '../../platform/http/query.ts'
import { findAnswer, type KeyClaim, requestHash, type StoredAnswer } from '../../platform/idempotency.ts'
import { type Id, newId } from '../../platform/ids.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../platform/result.ts'
import type { MoneyLane } from '../ledger/index.ts'
import { transferInternally } from './commands/transfer-internally.ts'
import type { InternalTransferInstruction } from './domain/internal-transfer.ts'
import type { RailSandbox } from './rail.ts'
import {
  amountFromWire,
  CLOCK_STEP_MAX_SECONDS,
  ClockAnswer,
  ClockBody,
  INTERNAL_TRANSFER_ERRORS,
  IncomingTransferAnswer,
  IncomingTransferBody,
  InternalTransferAnswer,
  InternalTransferBody,
  ibanFromWire,
  internalTransferToWire,
  railComplaint,
} from './wire.ts'

/** Routes of the public API. */
export function paymentsHttp(
  app: FastifyInstance,
  dependencies: { clock: BankClock; database: Database; moneyLane: MoneyLane },
): void {
  const { clock, database, moneyLane } = dependencies
  const options = describeOperation({
    operationId: 'createInternalTransfer',
    tag: 'Internal transfers',
    summary: 'Move money between two accounts of the organization, at once.',
    description:
      'A repeated `X-Qonto-Idempotency-Key` gets the first answer again for 30 minutes. If the body differs, the answer carries `X-Partita-Idempotency-Mismatch: true`.',
    scope: 'internal_transfer.write',
    headers: {
      [KEY_HEADER]: Type.Optional(
        Type.String({
          maxLength: KEY_LENGTH_MAX,
          description: 'Any unique text; without it, a repeated request moves money again.',
        }),
      ),
    },
    body: InternalTransferBody,
    answer: InternalTransferAnswer,
    answerHeaders: {
      'X-Partita-Idempotency-Mismatch': Type.String({ enum: ['true'], description: 'Only on an answer to another body.' }),
    },
  })
  app.post('/v2/internal_transfers', { ...options, attachValidation: true }, async (request, reply) => {
    const now = clock.now()
    const key = idempotencyKeyOf(request)
    const read = readInstruction(request, now)
    if (!read.ok) {
      // A key is answered as before whatever comes with it, also with a body that could not be carried out (qonto-api.md §8).
      const { organizationId } = request.principal
      const earlier = key && (await earlierAnswer(database, organizationId, key, now))
      if (!earlier) throw read.refusal
      return sendReplay(reply, earlier, undefined)
    }
    const instruction = read.value
    const claim = claimFor(request, instruction, key)
    const answer = await transferInternally(moneyLane, { instruction, claim })
    if (!answer.ok) {
      const [status, code, detail, pointer] = INTERNAL_TRANSFER_ERRORS[answer.refusal]
      throw new HttpRefusal(status, [atPointer(code, detail, pointer)])
    }
    const { value, replay } = answer.value
    return replay ? sendReplay(reply, replay, claim.requestHash) : internalTransferToWire(value)
  })
}

const OPERATION = 'POST /v2/internal_transfers'
const KEY_HEADER = 'X-Qonto-Idempotency-Key'
const KEY_FIELD = KEY_HEADER.toLowerCase()
const KEY_LENGTH_MAX = 255

function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const given = request.headers[KEY_FIELD]
  if (typeof given !== 'string' || given === '') return undefined
  if (given.length <= KEY_LENGTH_MAX) return given
  throw new HttpRefusal(422, [
    atHeader('above_max_size', `${KEY_HEADER} size cannot be greater than ${KEY_LENGTH_MAX}`, KEY_HEADER),
  ])
}

/** Of what we read, not of the whole body: that may hold more, nested deeper than can be written down again. */
function hashOf(request: FastifyRequest): Buffer {
  const { debit_iban, credit_iban, reference, amount, currency } = (request.body as InternalTransferBody).internal_transfer
  return requestHash(JSON.stringify([debit_iban, credit_iban, reference, amount, currency]))
}

function readInstruction(request: FastifyRequest, now: Date): Result<InternalTransferInstruction, Error> {
  if (request.validationError) return refuse(request.validationError)
  const { internal_transfer: wire } = request.body as InternalTransferBody
  const at = (code: string, field: string, problem: string) =>
    refuse(new HttpRefusal(422, [atPointer(code, `${field} ${problem}`, `/internal_transfer/${field}`)]))
  const amount = amountFromWire(wire.amount, wire.currency)
  if (!amount) return at('invalid', 'amount', 'must be greater than 0')
  if (wire.reference.trim() === '') return at('blank', 'reference', 'cannot be blank')
  return ok({
    id: newId<'internal_transfer'>(),
    organizationId: request.principal.organizationId,
    debtorIban: ibanFromWire(wire.debit_iban),
    creditorIban: ibanFromWire(wire.credit_iban),
    amount,
    remittanceInformation: wire.reference,
    initiatorId: request.principal.membershipId,
    orderedAt: now,
  })
}

const earlierAnswer = (database: Database, organizationId: Id<'organization'>, key: string, now: Date) =>
  database.read({ organizationId }, (tx) => findAnswer(tx, { organizationId, operation: OPERATION, key }, now))

/** A request without a key gets one of its own, so that it, too, can be asked again after a lost connection. */
function claimFor(
  request: FastifyRequest,
  instruction: InternalTransferInstruction,
  key: string | undefined,
): KeyClaim<InternalTransferInstruction> {
  return {
    organizationId: instruction.organizationId,
    operation: OPERATION,
    key: key ?? instruction.id,
    requestHash: hashOf(request),
    isOurs: key === undefined,
    answer: (transfer) => ({ status: 200, body: internalTransferToWire(transfer) }),
  }
}

/** @param hash of the request that is answered; undefined when it is none that could have been carried out. */
function sendReplay(reply: FastifyReply, replay: StoredAnswer, hash: Buffer | undefined): FastifyReply {
  if (!hash || !replay.requestHash.equals(hash)) reply.header('x-partita-idempotency-mismatch', 'true')
  return reply.code(replay.status).send(replay.body)
}

/** Routes of the sandbox: money from outside, and the bank's clock. Registered only where the sandbox is on. */
export function simulationHttp(app: FastifyInstance, { clock, rail }: { clock: BankClock; rail: RailSandbox }): void {
  incomingTransferRoute(app, rail)
  clockRoutes(app, clock)
}

function incomingTransferRoute(app: FastifyInstance, rail: RailSandbox): void {
  app.post(
    '/simulation/incoming_transfers',
    describeOperation({
      operationId: 'simulateIncomingTransfer',
      tag: 'Simulation',
      summary: 'Have somebody outside send a SEPA credit transfer.',
      description:
        'The simulated rail sends a pacs.008; the money is booked when the worker has read it, as a rule within a second.',
      scope: 'sandbox',
      body: IncomingTransferBody,
      answer: IncomingTransferAnswer,
      status: 202,
    }),
    async (request, reply) => {
      const body = request.body as Static<typeof IncomingTransferBody>
      const isWrapped = 'incoming_transfer' in body
      const wire = isWrapped ? body.incoming_transfer : body
      const at = isWrapped ? '/incoming_transfer' : ''
      const amount = amountFromWire(wire.amount, 'EUR')
      if (!amount) throw new HttpRefusal(422, [atPointer('invalid', 'amount must be greater than 0', `${at}/amount`)])
      const iban = wire.creditor_iban ?? wire.iban
      if (iban === undefined)
        throw new HttpRefusal(422, [atPointer('missing_key', 'creditor_iban is missing', `${at}/creditor_iban`)])
      const simulated = await rail.sendIncoming({
        amount,
        creditorIban: ibanFromWire(iban),
        debtorName: wire.debtor_name ?? 'Simulated Debtor',
        debtorIban: ibanFromWire(wire.debtor_iban ?? 'DE89370400440532013000'),
        remittanceInformation: wire.remittance_information ?? wire.reference,
        endToEndId: wire.end_to_end_id,
        copies: wire.copies,
      })
      if (!simulated.ok) {
        throw new HttpRefusal(
          422,
          simulated.refusal.map((complaint) => railComplaint(complaint, wire, at)),
        )
      }
      return reply.code(202).send({ incoming_transfer: simulated.value })
    },
  )
}

function clockRoutes(app: FastifyInstance, clock: BankClock): void {
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

function targetOf({ now, advance_seconds }: ClockBody, present: Date): Date {
  if (now !== undefined && advance_seconds !== undefined) {
    throw new HttpRefusal(422, [atPointer('present', 'advance_seconds must be absent when now is given', '/advance_seconds')])
  }
  if (advance_seconds !== undefined) return new Date(present.getTime() + advance_seconds * 1_000)
  if (now === undefined) throw new HttpRefusal(422, [atPointer('missing_key', 'now or advance_seconds is missing', '/now')])
  const target = parseInstant(now, 'from')
  if (!target) throw new HttpRefusal(422, [atPointer('invalid', 'now is not a valid date', '/now')])
  if (target.getTime() - present.getTime() > CLOCK_STEP_MAX_SECONDS * 1_000)
    throw new HttpRefusal(422, [atPointer('invalid', 'now must not be more than ten years ahead', '/now')])
  return target
}
