import { type Static, type TObject, Type } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { assert } from '../assert.ts'
import type { Id } from '../ids.ts'

declare const made: unique symbol

/** A fact that is about to be published: past tense and versioned, such as `payments.internal_transfer_completed.v1`. Made by a definition. */
export type NewEvent = {
  readonly [made]: true
  /** The module it comes from; one topic per module. */
  readonly topic: string
  readonly type: string
  /** Whose history it belongs to: events of one aggregate arrive in the order they were committed. */
  readonly aggregateId: string
  readonly organizationId: Id<'organization'> | null
  readonly payload: Readonly<Record<string, unknown>>
  readonly occurredAt: Date
}

/** Of whom the fact is told, and when it happened. */
export type EventContext = { readonly organizationId: Id<'organization'> | null; readonly occurredAt: Date }

/** One kind of event: its name with version, what it says and what that means. A published version never changes but by optional fields. */
export interface EventDefinition<Name extends string = string, Schema extends TObject = TObject> {
  readonly type: Name
  readonly topic: string
  readonly schema: Schema
  readonly describe: string
  /** The field of the payload that names the aggregate. */
  readonly aggregate: string
  /** The fact itself, for `publish`. */
  of(payload: Static<Schema>, context: EventContext): NewEvent
  /** Why a payload is none of this kind, or undefined when it is one. Fields that are not known here are no problem: later releases add some. */
  problemOf(payload: unknown): string | undefined
}

/** An event of the archive. */
export type ArchivedEvent = {
  /** Rises in the order of commits: whoever has read up to here asks for what is above. */
  readonly position: bigint
  readonly id: Id<'event'>
  readonly topic: string
  readonly type: string
  readonly aggregateId: string
  readonly organizationId: Id<'organization'> | null
  readonly payload: Readonly<Record<string, unknown>>
  readonly occurredAt: Date
  readonly archivedAt: Date
}

/** The same as a consumer of the definition gets it: with the payload that its schema promises. */
export type EventOf<Definition extends EventDefinition> =
  Definition extends EventDefinition<infer Name, infer Schema>
    ? Omit<ArchivedEvent, 'type' | 'payload'> & { readonly type: Name; readonly payload: Static<Schema> }
    : never

/** What payloads are made of. Amounts are decimal text: a JSON number would lose cents. */
export const Uuid = (description: string) => Type.String({ title: 'uuid', format: 'uuid', description })
export const DecimalText = (description: string) =>
  Type.String({ title: 'decimal text', pattern: '^-?\\d+(\\.\\d+)?$', description })
export const CurrencyCode = () => Type.String({ title: 'currency', pattern: '^[A-Z]{3}$', description: 'ISO 4217' })
export const Instant = (description: string) => Type.String({ title: 'instant', format: 'date-time', description })
export const Text = (description: string) => Type.String({ title: 'text', description })
export const Nullable = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

const NAME = /^([a-z][a-z_]*)\.[a-z][a-z_]*\.v[1-9][0-9]*$/

/** Whether events are held against their schema also when they are made: in tests, where a wrong one is our bug before it is a consumer's. */
let isStrict = false

export const checkEventsWhenMade = (): void => {
  isStrict = true
}

/**
 * @param name `module.what_happened.v1`.
 * @param schema what the payload holds: its TypeScript type, the check on delivery and its documentation are this one value.
 * @param about.aggregate the field whose id the event's order is kept for. @param about.describe one sentence: what has happened.
 */
export function defineEvent<const Name extends string, Schema extends TObject>(
  name: Name,
  schema: Schema,
  about: { readonly aggregate: keyof Static<Schema> & string; readonly describe: string },
): EventDefinition<Name, Schema> {
  const topic = NAME.exec(name)?.[1]
  assert(topic, `${name} is no name of an event: module.what_happened.v1`)
  let validator: Validator | undefined
  const problemOf = (payload: unknown): string | undefined => {
    validator ??= Compile(schema)
    if (validator.Check(payload)) return undefined
    const [first] = validator.Errors(payload)
    return `${first?.instancePath || 'the payload'} ${first?.message}`
  }
  const of = (payload: Static<Schema>, { organizationId, occurredAt }: EventContext): NewEvent => {
    if (isStrict) assertMade(name, schema, payload, problemOf)
    const fields = payload as Readonly<Record<string, unknown>>
    const event: Omit<NewEvent, typeof made> = {
      topic,
      type: name,
      aggregateId: fields[about.aggregate] as string,
      organizationId,
      payload: fields,
      occurredAt,
    }
    return event as NewEvent
  }
  return { type: name, topic, schema, ...about, of, problemOf }
}

function assertMade(name: string, schema: TObject, payload: unknown, problemOf: (payload: unknown) => string | undefined): void {
  const written: Record<string, unknown> = JSON.parse(JSON.stringify(payload))
  const undeclared = Object.keys(written).filter((field) => !(field in schema.properties))
  assert(undeclared.length === 0, `${name} does not declare ${undeclared.join(', ')}`)
  const problem = problemOf(written)
  assert(problem === undefined, `${name}: ${problem}`)
}
