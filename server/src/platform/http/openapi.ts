import { type TSchema, Type } from 'typebox'
import { assert } from '../assert.ts'
import { IDEMPOTENCY_WINDOW_MS } from '../idempotency.ts'
import { KEY_HEADERS, KEY_LENGTH_MAX, MISMATCH_HEADER } from './idempotency-key.ts'
import { methodOf, type Operation, pathOf } from './operation.ts'

/** Not enumerable, so that validation does not see it, and kept by TypeBox when a schema is made optional. */
const NAME = '~component'

/** Gives a schema a name: the API's description holds it once, under this name, and refers to it wherever it is used. */
export function named<S extends TSchema>(name: string, schema: S): S {
  return Object.defineProperty(schema, NAME, { value: name, enumerable: false, configurable: true })
}

/** The body of every error (qonto-api.md §6.1). */
export const ErrorSchema = named(
  'Error',
  Type.Object(
    {
      errors: Type.Array(
        Type.Object({
          code: Type.String({ description: 'What went wrong, for programs.' }),
          detail: Type.String({ description: 'What went wrong, for people.' }),
          source: Type.Optional(
            Type.Object({
              pointer: Type.Optional(Type.String({ description: 'JSON pointer into the request body.' })),
              parameter: Type.Optional(Type.String({ description: 'Query or path parameter.' })),
              header: Type.Optional(Type.String({ description: 'Request header.' })),
            }),
          ),
          meta: Type.Optional(Type.Object({}, { additionalProperties: true })),
        }),
      ),
      trace_id: Type.String({ pattern: '^[0-9a-f]{32}$', description: 'Equals the header X-Tyk-Trace-Id.' }),
    },
    { description: 'An error.' },
  ),
)

const ScaRequiredSchema = named(
  'ScaRequired',
  Type.Object(
    {
      code: Type.String({ enum: ['sca_required', 'sca_not_enrolled'] }),
      message: Type.String({ description: 'What is asked, for people.' }),
      action_type: Type.Optional(Type.String({ description: 'What is to be signed.' })),
      sca_session_token: Type.Optional(Type.String({ description: 'Send it with the same request, once it has been signed.' })),
      trace_id: Type.String({ pattern: '^[0-9a-f]{32}$', description: 'Equals the header X-Tyk-Trace-Id.' }),
    },
    { description: 'Strong customer authentication comes first.' },
  ),
)

/** Every error answer there is, by status: its component, and what it means. */
const ERRORS: Readonly<Record<number, readonly [name: string, meaning: string, schema?: TSchema]>> = {
  400: ['BadRequest', 'The request cannot be read, or cannot be carried out as it is.'],
  401: ['Unauthorized', 'No valid credential. Too many of these block the address for an hour.'],
  403: ['Forbidden', 'The credential lacks the scope, or the member the permission.'],
  404: ['NotFound', 'No such object of the organization.'],
  413: ['TooLarge', 'The body is too large.'],
  422: ['Invalid', 'A value is missing or not what it should be.'],
  428: ['ScaRequired', 'The request must be signed first.', ScaRequiredSchema],
  429: ['TooManyRequests', 'Too many requests from this address.'],
  500: ['OurFault', 'Our fault.'],
  503: ['Unavailable', 'Too busy, or a part is away: nothing has been done.'],
}

const HEADERS = {
  'X-Tyk-Trace-Id': Type.String({ pattern: '^[0-9a-f]{32}$', description: 'Names the request; errors carry it as trace_id.' }),
  'Retry-After': Type.Integer({ minimum: 1, description: 'Seconds until it is worth trying again.' }),
  [MISMATCH_HEADER]: Type.String({ enum: ['true'], description: 'Only on an answer to another body.' }),
  Deprecation: Type.String({ description: 'Another operation is to be used.' }),
  Sunset: Type.String({ description: 'From when on this may be gone, as an HTTP date.' }),
  Link: Type.String({ description: 'The operation that takes its place.' }),
}

const STAGING_TOKEN = {
  name: 'X-Qonto-Staging-Token',
  in: 'header',
  description: 'Needed only where a sandbox is configured to ask for it; ignored elsewhere.',
  schema: { type: 'string' },
}
const KEYS = {
  contract: {
    name: KEY_HEADERS.contract,
    in: 'header',
    description: `Any unique text. A repeated one gets the first answer again for ${IDEMPOTENCY_WINDOW_MS / 60_000} minutes; without it, a repeated request acts again.`,
    schema: { type: 'string', maxLength: KEY_LENGTH_MAX },
  },
  strict: {
    name: KEY_HEADERS.strict,
    in: 'header',
    required: true,
    description: 'Any unique text. A repeated one gets the first answer again; with another request it is refused.',
    schema: { type: 'string', minLength: 1, maxLength: KEY_LENGTH_MAX },
  },
}

/** A route for whoever runs the bank: it has no part in the contract, takes nothing, and is in no organization's scope. */
export type HealthOperation = {
  readonly id: string
  readonly path: string
  readonly summary: string
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema: TSchema; readonly type?: string }>>
}

export type ApiDescription = {
  readonly components: Readonly<Record<string, Readonly<Record<string, Component>>>>
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationDescription>>>>
} & Readonly<Record<string, unknown>>

type Component = { readonly content?: Readonly<Record<string, Content>> } & Readonly<Record<string, unknown>>

export type OperationDescription = {
  readonly operationId: string
  readonly requestBody?: { readonly required: true; readonly content: Readonly<Record<string, Content>> }
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, Content>> }>>
} & Readonly<Record<string, unknown>>
type Content = { readonly schema: object; examples?: Record<string, object> }

/** The API in OpenAPI 3.1, from the declarations alone: each schema, parameter, header and common answer stands in it once. */
export function describeApi(operations: readonly Operation[], health: readonly HealthOperation[]): ApiDescription {
  const components = new Components([...operations])
  const paths: Record<string, Record<string, OperationDescription>> = {}
  const add = (path: string, method: string, description: OperationDescription) => {
    const at = path.replace(/:(\w+)/g, '{$1}')
    paths[at] = { ...paths[at], [method]: description }
  }
  for (const one of health) add(one.path, 'get', describeHealth(one, components))
  for (const one of operations) add(pathOf(one), methodOf(one).toLowerCase(), describeOperation(one, components))
  return {
    openapi: '3.1.1',
    info: {
      title: 'Partita',
      version: 'v2',
      description: 'Business accounts and payments, wire-compatible with the Qonto Business API v2.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:4100', description: 'What `npm start` starts.' }],
    security: [{ SecretKey: [] }],
    components: components.all(),
    paths,
  }
}

function describeOperation(operation: Operation, components: Components): OperationDescription {
  const { access, body, idempotency, description, headers = {} } = operation
  const scope = access.scope === 'none' ? '' : `Scope: \`${access.scope}\`.`
  const text = [description, scope].filter(Boolean).join('\n\n')
  const success = {
    description: 'Success.',
    headers: components.headers(
      'X-Tyk-Trace-Id',
      ...(idempotency === 'contract' ? [MISMATCH_HEADER] : []),
      ...Object.keys(headers),
    ),
    content: { 'application/json': { schema: components.schema(operation.answer) } },
  }
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(text && { description: text }),
    ...(operation.deprecated && { deprecated: true }),
    parameters: parametersOf(operation).map((parameter) => components.parameter(parameter, operation)),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: components.schema(body) } } } }),
    responses: Object.fromEntries([
      [operation.status ?? 200, success],
      ...statusesOf(operation).map((status) => [status, components.error(status)]),
    ]),
  }
}

/** The error statuses that an operation can answer with, all of which follow from what it declares. */
export function statusesOf({ access, query, body, sca, idempotency, refusals }: Operation): number[] {
  const mayBeForbidden = access.scope !== 'none' || access.permission !== 'none'
  const own = Object.values(refusals as Record<string, { status: number }>).map(({ status }) => status)
  const statuses = new Set([
    ...[401, 429, 500, 503],
    ...(mayBeForbidden ? [403] : []),
    ...(query ? [422] : []),
    ...(body ? [400, 413, 422] : []),
    ...(idempotency === 'none' ? [] : [422]),
    ...(idempotency === 'strict' ? [400] : []),
    ...(sca !== 'none' && sca.kind === 'bound' ? [428] : []),
    ...own,
  ])
  return [...statuses].sort((a, b) => a - b)
}

type ParameterDescription = { readonly name: string; readonly in: string } & Readonly<Record<string, unknown>>

function parametersOf(operation: Operation): ParameterDescription[] {
  const inPath = [...pathOf(operation).matchAll(/:(\w+)/g)].map(([, name]) => ({
    name: name as string,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(
    (operation.query?.schema as { properties?: Record<string, TSchema> } | undefined)?.properties ?? {},
  )
  return [
    ...inPath,
    ...inQuery.map(([name, { description, ...schema }]: [string, TSchema & { description?: string }]) => ({
      name,
      in: 'query',
      ...(description && { description }),
      schema,
    })),
    STAGING_TOKEN,
    ...(operation.idempotency === 'none' ? [] : [KEYS[operation.idempotency]]),
  ]
}

function describeHealth({ id, summary, answers }: HealthOperation, components: Components): OperationDescription {
  const responses = Object.entries(answers).map(([status, { description, schema, type = 'application/json' }]) => [
    status,
    { description, content: { [type]: { schema: components.schema(schema) } } },
  ])
  return { operationId: id, tags: ['Health'], summary, security: [], responses: Object.fromEntries(responses) }
}

/** What is said once and referred to. */
class Components {
  readonly #schemas = new Map<string, object>()
  readonly #parameters = new Map<string, object>()
  readonly #responses = new Map<string, object>()
  readonly #headers = new Map<string, object>()
  /** Parameters of one name that are not the same everywhere, which are named after their operation too. */
  readonly #ambiguous: ReadonlySet<string>

  constructor(operations: readonly Operation[]) {
    const forms = new Map<string, Set<string>>()
    for (const parameter of operations.flatMap(parametersOf)) {
      forms.set(parameter.name, (forms.get(parameter.name) ?? new Set()).add(JSON.stringify(parameter)))
    }
    this.#ambiguous = new Set([...forms].filter(([, texts]) => texts.size > 1).map(([name]) => name))
  }

  all(): ApiDescription['components'] {
    const sorted = (of: ReadonlyMap<string, object>) =>
      Object.fromEntries([...of].sort(([a], [b]) => (a < b ? -1 : 1))) as Record<string, Component>
    return {
      securitySchemes: {
        SecretKey: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: '`{organization slug}:{secret key}`, as it is: no scheme word, no Base64.',
        },
      },
      parameters: sorted(this.#parameters),
      headers: sorted(this.#headers),
      responses: sorted(this.#responses),
      schemas: sorted(this.#schemas),
    }
  }

  schema(schema: TSchema): object {
    const name = (schema as { [NAME]?: string })[NAME]
    const rendered = this.#render(schema) as object
    return name === undefined ? rendered : this.#refer('schemas', this.#schemas, name, rendered)
  }

  parameter(parameter: ParameterDescription, { id }: Operation): object {
    const plain = parameter.name.replace(/\[\]$/, '')
    return this.#refer('parameters', this.#parameters, this.#ambiguous.has(parameter.name) ? `${plain}.${id}` : plain, parameter)
  }

  headers(...names: string[]): object {
    return Object.fromEntries(
      names.map((name) => {
        const { description, ...schema } = HEADERS[name as keyof typeof HEADERS] as TSchema & { description?: string }
        return [name, this.#refer('headers', this.#headers, name, { description, schema: this.#render(schema) as object })]
      }),
    )
  }

  error(status: number): object {
    const meaning = ERRORS[status]
    assert(meaning, `status ${status} has no meaning in the API's description`)
    const [name, description, schema = ErrorSchema] = meaning
    const headers = this.headers('X-Tyk-Trace-Id', ...(status === 429 || status === 503 ? ['Retry-After'] : []))
    const answer = { description, headers, content: { 'application/json': { schema: this.schema(schema) } } }
    return this.#refer('responses', this.#responses, name, answer)
  }

  #refer(kind: string, known: Map<string, object>, name: string, what: object): object {
    const before = known.get(name)
    assert(!before || JSON.stringify(before) === JSON.stringify(what), `two different ${kind} are called ${name}`)
    known.set(name, what)
    return { $ref: `#/components/${kind}/${name}` }
  }

  /** A schema as plain JSON, in which the named ones within are references. */
  #render(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#inner(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#inner(inner)]))
  }

  #inner(value: unknown): unknown {
    return typeof value === 'object' && value !== null && NAME in value ? this.schema(value as TSchema) : this.#render(value)
  }
}
