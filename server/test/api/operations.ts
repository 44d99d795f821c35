import { Compile } from 'typebox/schema'
import { describeApi } from '../../src/platform/http/openapi.ts'
import { HEALTH_OPERATIONS } from '../../src/platform/http/server.ts'
import type { TestBank } from './support.ts'

/** One operation of the API as its own description has it, every reference resolved. */
export type DescribedOperation = {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly responses: Readonly<Record<string, unknown>>
}

const descriptions = new WeakMap<TestBank, DescribedOperation[]>()

/** Every operation that the bank describes. */
export function operationsOf(bank: TestBank): DescribedOperation[] {
  let described = descriptions.get(bank)
  if (!described) {
    const api = describeApi(bank.operations, HEALTH_OPERATIONS)
    described = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, responses }]) => ({
        id: operationId,
        method: method.toUpperCase() as DescribedOperation['method'],
        path,
        responses: resolved(responses, api) as DescribedOperation['responses'],
      })),
    )
    descriptions.set(bank, described)
  }
  return described
}

/** The same with what is referred to in its place; nothing refers to itself. */
export function resolved(value: unknown, root: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, root))
  if (typeof value !== 'object' || value === null) return value
  if ('$ref' in value && typeof value.$ref === 'string') {
    const target = value.$ref
      .slice(2)
      .split('/')
      .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], root)
    if (target === undefined) throw new Error(`${value.$ref} leads nowhere`)
    return resolved(target, root)
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner, root)]))
}

/** What in a body does not agree with what the operation declares for this status; empty when all does. */
export function disagreements(operation: DescribedOperation, status: number, body: unknown): string[] {
  const declared = operation.responses[status] as { content?: Record<string, { schema: object }> } | undefined
  if (!declared) return [`status ${status} is not declared`]
  const schema = declared.content?.['application/json']?.schema
  if (!schema) return ['no schema is declared']
  const [isValid, errors] = Compile(schema).Errors(body)
  return [
    ...(isValid ? [] : errors.map((error) => `${error.instancePath} ${error.message}`)),
    ...undeclared(schema as Shape, body, ''),
  ]
}

type Shape = {
  readonly properties?: Readonly<Record<string, Shape>>
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
  readonly additionalProperties?: boolean
}

/** Fields that are sent and not described: a schema lets them pass, a reader of the description would miss them. */
function undeclared(shape: Shape, value: unknown, at: string): string[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => (shape.items ? undeclared(shape.items, item, `${at}/${index}`) : []))
  if (typeof value !== 'object' || value === null) return []
  const properties = shape.properties ?? shape.anyOf?.find((candidate) => candidate.properties)?.properties
  if (!properties || shape.additionalProperties) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const declared = properties[name]
    return declared ? undeclared(declared, inner, `${at}/${name}`) : [`${at}/${name} is not declared`]
  })
}
