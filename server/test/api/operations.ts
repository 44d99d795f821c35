import { Compile } from 'typebox/schema'
import type { TestBank } from './support.ts'

/** One operation of the API as its own description has it. */
export type Operation = {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly responses: Readonly<Record<string, unknown>>
}

type Description = {
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>
  components: { schemas: Record<string, unknown> }
}

const descriptionOf = (bank: TestBank): Description => bank.server.app.swagger() as unknown as Description

/** Every operation that the running server describes. */
export const operationsOf = (bank: TestBank): Operation[] =>
  Object.entries(descriptionOf(bank).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, responses }]) => ({
      id: operationId,
      method: method.toUpperCase() as Operation['method'],
      path,
      responses,
    })),
  )

/** What in a body does not agree with what the operation declares for this status; empty when all does. */
export function disagreements(bank: TestBank, operation: Operation, status: number, body: unknown): string[] {
  const declared = operation.responses[status] as { content?: Record<string, { schema: unknown }> } | undefined
  if (!declared) return [`status ${status} is not declared`]
  const schema = declared.content?.['application/json']?.schema as { $ref?: string } | undefined
  if (!schema) return ['no schema is declared']
  const name = schema.$ref?.split('/').at(-1)
  const resolved = name === undefined ? schema : descriptionOf(bank).components.schemas[name]
  const [isValid, errors] = Compile(resolved as object).Errors(body)
  return [
    ...(isValid ? [] : errors.map((error) => `${error.instancePath} ${error.message}`)),
    ...undeclared(resolved as Shape, body, ''),
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
