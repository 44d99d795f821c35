import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Act, ActRecorder } from '../act.ts'
import type { MemberActor } from '../actor.ts'
import { assert } from '../assert.ts'
import type { Clock } from '../clock.ts'
import { answerWithin } from '../deadline.ts'
import { findAnswer, type StoredAnswer } from '../idempotency.ts'
import { newId } from '../ids.ts'
import type { Database } from '../postgres/database.ts'
import { ok, type Result, refuse } from '../result.ts'
import { type ApiError, HttpRefusal } from './api-error.ts'
import { hashOfDeclared, keyOf, keyReused, MISMATCH_HEADER } from './idempotency-key.ts'
import { JsonText } from './json-text.ts'
import {
  methodOf,
  type Operation,
  type OperationContext,
  pathOf,
  type Refusal,
  Replay,
  type RequestContext,
  type ScaFacts,
} from './operation.ts'
import { type RenderedAnswer, RequestAct, type RequestKey } from './request-act.ts'

/** What a person must agree to before an operation runs. */
export type ScaDemand = {
  readonly operation: string
  readonly actor: MemberActor
  readonly action: string
  readonly facts: ScaFacts
}

/** Strong customer authentication: lets a request pass, or says with which flat answer it is turned back. */
export type ScaPort = (demand: ScaDemand) => Promise<RenderedAnswer | undefined>

export type MountPorts = {
  readonly database: Database
  readonly clock: Clock
  /** What is declared by some module; an operation that asks for another permission does not mount. */
  readonly permissions: ReadonlySet<string>
  readonly recorder?: ActRecorder | undefined
  readonly sca?: ScaPort | undefined
  /** How long an answer may take from the moment that its request is read; for ever unless said. */
  readonly budgetMs?: number
}

/** Nobody can have a device enrolled yet, so nothing that must be signed can run. */
const nobodyIsEnrolled: ScaPort = async () => ({
  status: 428,
  body: { code: 'sca_not_enrolled', message: 'You must enable SCA to perform this action' },
})

/**
 * Serves operations, each by the same steps: the caller has been admitted and authenticated; credential, scope and permission are checked
 * before the body is read; the wire is read; a key that is known is answered as before; what must be signed is signed; it runs, and its
 * answer and record stand in the transaction of its effect; the answer is written.
 */
export function mount(app: FastifyInstance, operations: readonly Operation[], ports: MountPorts): void {
  for (const operation of operations) {
    const { permission } = operation.access
    assert(
      permission === 'none' || ports.permissions.has(permission),
      `${operation.id} asks for a permission that no module declares: ${permission}`,
    )
    app.route({
      method: methodOf(operation),
      url: pathOf(operation),
      onRequest: authorize(operation, ports),
      handler: inTime(ports.budgetMs, operation.audit === 'none' ? handleRead(operation, ports) : handleWrite(operation, ports)),
      // With a key, a body that is wrong may still be answered: the handler decides.
      ...(operation.body && { schema: { body: operation.body }, attachValidation: operation.idempotency !== 'none' }),
    })
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Whatever the database does, the caller hears in time; what he asked for may still be done, and his key says so when he asks again. */
const inTime = (budgetMs: number | undefined, handler: Handler): Handler =>
  budgetMs === undefined ? handler : (request, reply) => answerWithin(budgetMs, () => handler(request, reply))

const OAUTH_NEEDED: ApiError = { code: 'unauthorized', detail: 'OAuth2 authentication is required here' }
const OTHER_CREDENTIAL_NEEDED: ApiError = {
  code: 'unauthorized',
  detail: 'This credential cannot be used for authentication here',
}

/** Which refusal an actor meets before anything of his request is read; undefined when he may ask. */
function forbiddenBecause({ access }: Operation, actor: MemberActor): HttpRefusal | undefined {
  const { credentials, scope, permission } = access
  if (!credentials.includes(actor.credential.kind)) {
    return new HttpRefusal(401, [credentials.includes('oauth') ? OAUTH_NEEDED : OTHER_CREDENTIAL_NEEDED])
  }
  if (scope !== 'none' && actor.scopes !== 'all' && !actor.scopes.has(scope)) {
    return new HttpRefusal(403, [{ code: 'forbidden', detail: `missing required oauth scope: ${scope}` }])
  }
  if (permission !== 'none' && !actor.permissions.has(permission)) {
    return new HttpRefusal(403, [{ code: 'forbidden', detail: 'User does not have sufficient permissions for this action.' }])
  }
  return undefined
}

function authorize(operation: Operation, { clock, recorder }: MountPorts): onRequestHookHandler {
  return (request, _reply, done) => {
    const refusal = forbiddenBecause(operation, request.actor)
    if (!refusal) return done()
    if (!recorder || operation.audit === 'none' || refusal.statusCode === 401) return done(refusal)
    const act = { operation: operation.id, actor: actorOf(request), subject: undefined, outcome: 'forbidden', at: clock.now() }
    recorder.record(undefined, [act]).then(() => done(refusal), done)
  }
}

/** The member with what is true of this one request: only what is written down needs it. */
const actorOf = (request: FastifyRequest): MemberActor => ({ ...request.actor, requestId: request.id, address: request.ip })

function handleRead(operation: Operation, { database, clock }: MountPorts) {
  const { status = 200, headers = {}, run, write } = operation
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const ctx: OperationContext = { actor: request.actor, now: clock.now(), database, act: NO_ACT }
    const read = readRequest(operation, request, ctx)
    if (!read.ok) throw read.refusal
    const outcome = await run(ctx, read.value)
    assert(!(outcome instanceof Replay), 'a read was answered as if it had a key')
    if (!outcome.ok) throw refusalOf(operation, outcome.refusal, read.value)
    reply.code(status).headers(headers)
    const answer = write(outcome.value, read.value)
    return answer instanceof JsonText ? reply.type(JSON_TYPE).send(answer.text) : answer
  }
}

/** As Fastify says it of objects. */
const JSON_TYPE = 'application/json; charset=utf-8'

const NO_ACT: Act = {
  claim: undefined,
  recorder: undefined,
  recordOf: () => {
    throw new Error('a read is not recorded')
  },
}

function handleWrite(operation: Operation, ports: MountPorts) {
  const { idempotency } = operation
  const hashOf = idempotency === 'none' ? undefined : hashOfDeclared(operation.body)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { database, clock, recorder } = ports
    const ctx: RequestContext = { actor: actorOf(request), now: clock.now() }
    const key = idempotency === 'none' ? undefined : keyOf(request, idempotency)
    const read = readRequest(operation, request, ctx)
    if (!read.ok) {
      // A key is answered as before whatever comes with it, also with a body that could not be carried out (qonto-api.md §8).
      const earlier = idempotency === 'contract' ? await answeredBefore(database, operation, request, key, ctx) : undefined
      if (!earlier) throw read.refusal
      return sendReplay(operation, reply, earlier, undefined)
    }
    const claim = hashOf && requestKeyOf(operation, request, key, hashOf(request.body))
    const act = new RequestAct(operation, read.value, claim, ctx, recorder)
    if (isBound(operation)) {
      const earlier = await answeredBefore(database, operation, request, key, ctx)
      if (earlier) return sendReplay(operation, reply, earlier, claim?.requestHash)
      const demand = await demandOf(operation, ctx.actor, read.value, ports)
      if (demand) {
        await act.recordRefusal('sca_required')
        return reply.code(demand.status).send({ ...(demand.body as object), trace_id: request.id })
      }
    }
    const outcome = await operation.run({ ...ctx, database, act }, read.value)
    if (outcome instanceof Replay) return sendReplay(operation, reply, outcome.answer, claim?.requestHash)
    if (!outcome.ok) {
      await act.recordRefusal(wordOf(outcome.refusal))
      throw refusalOf(operation, outcome.refusal, read.value)
    }
    await act.recordUnlessDone(outcome.value)
    const { status, body } = act.answer(outcome.value)
    return reply.code(status).send(body)
  }
}

/** The request in our words, or what is wrong with it: its form, its query, or what its values mean. */
function readRequest(operation: Operation, request: FastifyRequest, ctx: RequestContext): Result<unknown, Error> {
  if (request.validationError) return refuse(request.validationError)
  const params = request.params as Record<string, string>
  try {
    const query: unknown = operation.query?.read(request.query)
    const read = operation.read({ params, query, body: request.body }, ctx)
    return read.ok ? ok(read.value) : refuse(new HttpRefusal(422, read.refusal))
  } catch (error) {
    if (error instanceof HttpRefusal) return refuse(error)
    throw error
  }
}

const wordOf = (refusal: Refusal): string => (typeof refusal === 'string' ? refusal : refusal.kind)

function refusalOf({ id, refusals }: Operation, refusal: Refusal, input: unknown): HttpRefusal {
  const onWire = refusals[wordOf(refusal)]
  assert(onWire, `${id} does not say how ${wordOf(refusal)} looks`)
  const { status, errors } = onWire
  return new HttpRefusal(status, typeof errors === 'function' ? errors(refusal, input) : errors)
}

/** A key means nothing beyond the method and path that it was sent to. */
const keyScopeOf = (operation: Operation, request: FastifyRequest): string =>
  operation.route.includes(':') ? `${request.method} ${request.url.split('?', 1)[0]}` : operation.route

/** A request without a key gets one of its own, so that it, too, can be asked again after a lost connection. */
const requestKeyOf = (
  operation: Operation,
  request: FastifyRequest,
  key: string | undefined,
  requestHash: Buffer,
): RequestKey => ({
  organizationId: request.actor.organizationId,
  operation: keyScopeOf(operation, request),
  key: key ?? newId<'request'>(),
  isOurs: key === undefined,
  requestHash,
})

async function answeredBefore(
  database: Database,
  operation: Operation,
  request: FastifyRequest,
  key: string | undefined,
  { actor, now }: RequestContext,
): Promise<StoredAnswer | undefined> {
  if (key === undefined) return undefined
  const { organizationId } = actor
  return database.read(actor, (tx) => findAnswer(tx, { organizationId, operation: keyScopeOf(operation, request), key }, now))
}

/** @param hash of the request that is answered; undefined when it is none that could have been carried out. */
function sendReplay(operation: Operation, reply: FastifyReply, earlier: StoredAnswer, hash: Buffer | undefined): FastifyReply {
  if (!hash || !earlier.requestHash.equals(hash)) {
    if (operation.idempotency === 'strict') throw keyReused()
    reply.header(MISMATCH_HEADER.toLowerCase(), 'true')
  }
  return reply.code(earlier.status).send(earlier.body)
}

const isBound = ({ sca }: Operation): boolean => sca !== 'none' && sca.kind === 'bound'

/** What the caller must do first; undefined when nothing has to be signed, or it has been. */
async function demandOf(
  { id, sca }: Operation,
  actor: MemberActor,
  input: unknown,
  ports: MountPorts,
): Promise<RenderedAnswer | undefined> {
  if (sca === 'none' || sca.kind === 'exempt') return undefined
  return (ports.sca ?? nobodyIsEnrolled)({ operation: id, actor, action: sca.action, facts: sca.to(input) })
}
