import type { Static, TSchema } from 'typebox'
import { type Act, recordActs } from '../act.ts'
import type { MemberActor } from '../actor.ts'
import { type Keyed, onceByKey, type StoredAnswer } from '../idempotency.ts'
import type { Database, Tx } from '../postgres/database.ts'
import { ok, type Result, refuse } from '../result.ts'
import type { SubjectRef } from '../subject.ts'
import type { ApiError } from './api-error.ts'
import type { Scope } from './scopes.ts'

/** Kinds of credentials. Keys authenticate today; an operation that takes only others refuses a key as the contract says. */
export const CREDENTIAL_KINDS = ['api_key', 'oauth', 'session', 'operator', 'partner', 'rail'] as const
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number]

/** Who may ask. `'none'` says that nothing of the kind is needed, and is said aloud. */
export type Access = {
  readonly credentials: readonly [CredentialKind, ...CredentialKind[]]
  readonly scope: Scope | 'none'
  /** One that a module declares; the member's role must hold it. */
  readonly permission: string
}

/** No strong customer authentication, and the legal ground for that. */
export type ScaExemption = { readonly kind: 'exempt'; readonly ground: string }
/** Agreed to by strong customer authentication, bound to what is shown to the person. */
export type ScaBound<I> = { readonly kind: 'bound'; readonly action: string; readonly to: (input: I) => ScaFacts }
/** What a person signs, in words and figures. */
export type ScaFacts = Readonly<Record<string, string>>

export const exempt = (ground: string): ScaExemption => ({ kind: 'exempt', ground })

/** @param action the contract's word for what is signed, such as `transfer.single.create`. @param to amount, payee and what else the signature holds for. */
export const bound = <I>(action: string, to: (input: I) => ScaFacts): ScaBound<I> => ({ kind: 'bound', action, to })

/**
 * What a repeated key means.
 * - `contract`: `X-Qonto-Idempotency-Key`, optional; its first success is answered again for 30 minutes whatever the body says, with a
 *   header when the body differs (qonto-api.md §8).
 * - `strict`: `Idempotency-Key`, required; the same key with another body is refused.
 */
export type Idempotency = 'contract' | 'strict' | 'none'

/** How a refusal looks on the wire. The errors may speak of the refusal and of what was asked. */
export type Refused<R = unknown, I = unknown> = {
  readonly status: number
  readonly errors: readonly ApiError[] | ((refusal: R, input: I) => readonly ApiError[])
}

export const refused = <R = unknown, I = unknown>(
  status: number,
  errors: ApiError | ((refusal: R, input: I) => readonly ApiError[]),
): Refused<R, I> => ({ status, errors: typeof errors === 'function' ? errors : [errors] })

/** A refusal: a word, or a word with facts. */
export type Refusal = string | { readonly kind: string }
type WordOf<R extends Refusal> = R extends { readonly kind: infer K extends string } ? K : R extends string ? R : never
type OfWord<R extends Refusal, W extends string> = R extends { readonly kind: W } ? R : R extends W ? R : never

/** Every refusal of `run` with its look on the wire: one that is missing does not compile. */
export type Refusals<R extends Refusal, I> = { readonly [W in WordOf<R>]: Refused<OfWord<R, W>, I> }

/** A request as it came, in wire words; parts that the operation does not declare are not to be looked at. */
export type Wire<Q, B> = { readonly params: Readonly<Record<string, string>>; readonly query: Q; readonly body: B }

/** A list's parameters: see `defineQuery`. */
export type Query<Q> = { readonly schema: TSchema; read(raw: unknown): Q }

/** What `read` is given beside the wire. */
export type RequestContext = { readonly actor: MemberActor; readonly now: Date }

/** What `run` is given: who acts, when, and for writes the act that its transaction completes. Commands take it as their context. */
export type OperationContext = RequestContext & { readonly database: Database; readonly act: Act }

/** An answer that was given before under the same key: nothing happened now. */
export class Replay {
  readonly answer: StoredAnswer

  constructor(answer: StoredAnswer) {
    this.answer = answer
  }
}

export type Outcome<V, R extends Refusal> = Result<V, R> | Replay

/** What a command says that looked its key up itself, as every order of money does. */
export function outcomeOf<V, R extends Refusal>(answer: Result<Keyed<V>, R>): Outcome<V, R> {
  if (!answer.ok) return answer
  const { value, replay } = answer.value
  return replay ? new Replay(replay) : ok(value as V)
}

type Common<B extends TSchema, Q, I, V, R extends Refusal> = {
  /** Unique; names the operation in the description of the API, in records and in tests. */
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly deprecated?: true
  readonly access: Access
  readonly query?: Query<Q>
  readonly body?: B
  readonly answer: TSchema
  /** Of success; 200 unless said. */
  readonly status?: number
  /** Sent with every success; the API's description knows them. */
  readonly headers?: Readonly<Partial<Record<AnswerHeader, string>>>
  readonly refusals: Refusals<NoInfer<R>, I>
  /** Wire words into ours; what is wrong with them is answered with 422. */
  readonly read: (wire: Wire<Q, Static<B>>, ctx: RequestContext) => Result<I, readonly ApiError[]>
  readonly run: (ctx: OperationContext, input: I) => Promise<Outcome<V, R>>
  /** Our words into the wire's. */
  readonly write: (value: V, input: I) => object
}

type Read = {
  readonly route: `GET /${string}`
  readonly sca: 'none'
  readonly idempotency: 'none'
  readonly audit: 'none'
}

type Write<I, V> = {
  readonly route: `${'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`
  readonly sca: ScaExemption | ScaBound<I>
  readonly idempotency: Idempotency
  /** What was acted on, for the record of the act; undefined where it has no id. */
  readonly audit: (value: V, input: I) => SubjectRef | undefined
}

export type Declaration<B extends TSchema, Q, I, V, R extends Refusal> = Common<B, Q, I, V, R> & (Read | Write<I, V>)

/** What an answer of ours can carry of its own. */
export type AnswerHeader = 'Deprecation' | 'Sunset' | 'Link'

/** Any operation, where its own types do not matter: it came from `operation`, which checked that they fit each other. */
// biome-ignore lint/suspicious/noExplicitAny: values of one operation only ever meet functions of the same
export type Operation = Declaration<TSchema, any, any, any, any>

/**
 * One HTTP operation, whole: everything that is true of it stands here, and `mount` does the same steps for all. A declaration without
 * access, SCA, idempotency or audit does not compile, nor one that leaves out how a refusal looks. Functions of what was read and done stand
 * behind `read` and `run`, from which their types follow.
 */
export const operation = <B extends TSchema, Q, I, V, R extends Refusal>(declaration: Declaration<B, Q, I, V, R>): Operation =>
  declaration as Operation

export const methodOf = ({ route }: Pick<Operation, 'route'>) =>
  route.slice(0, route.indexOf(' ')) as 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export const pathOf = ({ route }: Pick<Operation, 'route'>): string => route.slice(route.indexOf(' ') + 1)

/** Rolls back what a refused command did on its way to the refusal. Never leaves `inOwnTransaction`. */
class RolledBack extends Error {
  readonly refusal: unknown

  constructor(refusal: unknown) {
    super('refused')
    this.refusal = refusal
  }
}

/**
 * Acts in a transaction of its own, in `run`: the key is taken, the work done, its answer stored and its record written in one commit. A
 * refusal leaves nothing behind, so its key is free.
 */
export async function inOwnTransaction<V, R extends Refusal>(
  { act, actor, now, database }: OperationContext,
  work: (tx: Tx) => Promise<Result<V, R>>,
): Promise<Outcome<V, R>> {
  try {
    return await database.transaction(actor, async (tx) => {
      const acted = async () => {
        const result = await work(tx)
        if (!result.ok) throw new RolledBack(result.refusal)
        await recordActs(tx, [{ act, value: result.value }])
        return result
      }
      return act.claim ? outcomeOf<V, R>((await onceByKey(tx, act.claim, now, acted)) as Result<Keyed<V>, R>) : acted()
    })
  } catch (error) {
    if (error instanceof RolledBack) return refuse(error.refusal as R)
    throw error
  }
}
