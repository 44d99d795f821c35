import { type TSchema, Type } from 'typebox'
import { asId, type Id } from '../ids.ts'
import type { Tx } from '../postgres/database.ts'
import { ok, refuse } from '../result.ts'
import { atParameter } from './api-error.ts'
import { type Access, type Operation, type OperationContext, operation, type Query, refused } from './operation.ts'

type ShowDeclaration<Kind extends string, Q, V> = {
  readonly id: string
  readonly route: `GET /${string}:id`
  readonly tag: string
  readonly summary: string
  readonly access: Access
  /** The name that the object stands under, which is also the kind of its id. */
  readonly name: Kind
  /** What a person calls it, in "… not found". */
  readonly called: string
  readonly schema: TSchema
  readonly query?: Query<Q>
  /** @returns undefined when the caller may see no such object. */
  readonly find: (tx: Tx, ctx: OperationContext, id: Id<Kind>, query: Q) => Promise<V | undefined>
  readonly toWire: (value: V) => object
}

/** One object by its id. An id that is malformed, unknown or somebody else's gets the same answer, or ids could be probed. */
export const show = <Kind extends string, Q, V>(declared: ShowDeclaration<Kind, Q, V>): Operation => {
  const { name, called, schema, find, toWire, ...rest } = declared
  return operation<TSchema, Q, { readonly id: Id<Kind> | undefined; readonly query: Q }, V, 'not_found'>({
    ...rest,
    sca: 'none',
    idempotency: 'none',
    audit: 'none',
    answer: Type.Object({ [name]: schema }),
    refusals: { not_found: refused(404, atParameter('not_found', `${called} not found`, 'id')) },
    read: ({ params, query }) => ok({ id: asId<Kind>(params.id ?? ''), query }),
    run: async (ctx, { id, query }) => {
      const value = id && (await ctx.database.read(ctx.actor, (tx) => find(tx, ctx, id, query), { pipelined: true }))
      return value ? ok(value) : refuse('not_found')
    },
    write: (value) => ({ [name]: toWire(value) }),
  })
}
