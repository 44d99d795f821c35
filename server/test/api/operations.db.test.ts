import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OPENAPI_FILE, renderOpenApi } from '../../../tools/openapi.ts'
import type { ExampleRequest, OperationExamples } from '../../src/platform/http/operation-example.ts'
import { anonymous, type DemoObjects, demoObjects, fill, moduleExamples, recorded, requestOf, unmatched } from './examples.ts'
import { disagreements, operationsOf } from './operations.ts'
import { startTestBank, type TestBank } from './support.ts'

/** What the platform itself serves. */
const HEALTH: Readonly<Record<string, string>> = { getLiveness: '/livez', getReadiness: '/readyz' }
const NOT_RECORDED: Readonly<Record<string, string>> = { getMetrics: 'answers in text, and never twice the same' }

const examples = await moduleExamples()

/** Requests whose answers are recorded in api/examples, named `{operationId}` or `{operationId}.{case}`: reads before what changes anything. */
const RECORDED = Object.entries(examples)
  .sort(([a, one], [b, other]) => Number('body' in one) - Number('body' in other) || (a < b ? -1 : 1))
  .flatMap(([id, { cases = {}, unrecorded, ...example }]): [string, ExampleRequest][] => [
    ...(unrecorded === undefined ? [[id, example] as [string, ExampleRequest]] : []),
    ...Object.entries(cases).map(([name, request]): [string, ExampleRequest] => [`${id}.${name}`, request]),
  ])

let bank: TestBank
let objects: DemoObjects
beforeAll(async () => {
  bank = await startTestBank()
  objects = await demoObjects(bank)
})
afterAll(() => bank.close())

async function answersAsRecorded(name: string, request: ReturnType<typeof requestOf>): Promise<void> {
  const { method, path, headers, body } = request
  const answer = await bank.request(method, path, { headers: { ...headers }, body })
  const seen = { request, response: { status: answer.statusCode, body: answer.json() } }
  const operation = operationsOf(bank).find((candidate) => candidate.id === name.split('.')[0])
  expect(operation && disagreements(operation, seen.response.status, seen.response.body)).toEqual([])
  expect(anonymous(seen)).toEqual(recorded(name, anonymous(seen)))
}

describe.each(RECORDED)('%s', (name, { path, headers, body }) => {
  test('answers as recorded, and as its description says', async () => {
    const operation = bank.operations.find(({ id }) => id === name.split('.')[0])
    if (!operation) throw new Error(`${name} is an example of no operation`)
    const template = { path, ...(headers && { headers }), ...(body !== undefined && { body }) }
    await answersAsRecorded(name, fill(requestOf(operation, template), objects))
  })
})

test.each(Object.entries(HEALTH))('%s answers as recorded, and as its description says', (name, path) =>
  answersAsRecorded(name, { method: 'GET', path }),
)

test('every transaction and account of the demo company is as described, with all that can be embedded', async () => {
  const described = (id: string, body: unknown) => {
    const operation = operationsOf(bank).find((candidate) => candidate.id === id)
    return operation && disagreements(operation, 200, body)
  }
  const everything = 'status=pending,declined,completed&includes=labels,attachments,vat_details'
  for (const { id } of bank.demo.accounts) {
    const list = (await bank.get(`/v2/transactions?bank_account_id=${id}&${everything}`)).json()
    expect(described('listTransactions', list)).toEqual([])
    expect(described('getBankAccount', (await bank.get(`/v2/bank_accounts/${id}`)).json())).toEqual([])
  }
  const organization = (await bank.get('/v2/organization?include_external_accounts=true')).json()
  expect(described('getOrganization', organization)).toEqual([])
})

test('every operation has an example, and every example an operation', () => {
  expect(unmatched(bank.operations, examples)).toEqual([])
  const ids = new Set([...Object.keys(examples), ...Object.keys(HEALTH), ...Object.keys(NOT_RECORDED)])
  expect(operationsOf(bank).filter(({ id }) => !ids.has(id))).toEqual([])
})

test('an operation that nobody tries is noticed, and so is an example of none', () => {
  const [first] = bank.operations
  expect(unmatched([...bank.operations, { id: 'planted' }], examples)).toEqual(['planted'])
  const planted: OperationExamples = { ...examples, planted: { path: '/planted' } }
  expect(unmatched(bank.operations, planted)).toEqual(['planted'])
  expect(first).toBeDefined()
})

describe('api/openapi.json', () => {
  const text = readFileSync(OPENAPI_FILE, 'utf8')
  const api = JSON.parse(text) as {
    paths: Record<string, Record<string, object>>
    components: Record<string, Record<string, object>>
  }

  test('is what the operations say: npm run generate', async () => {
    expect(text).toBe(await renderOpenApi())
  })

  test('is OpenAPI 3.1', async () => {
    const checked = await new Validator().validate(structuredClone(api))
    expect(checked.errors ?? []).toEqual([])
    expect(checked.valid).toBe(true)
    const planted = await new Validator().validate({ ...structuredClone(api), paths: { planted: { get: {} } } })
    expect(planted.valid).toBe(false)
  })

  test('takes at most 70 lines under paths for an operation, and 70 in all from 100 operations on', () => {
    const count = Object.values(api.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0)
    for (const [path, lines] of linesOfOperations(text)) expect(lines, path).toBeLessThanOrEqual(70)
    expect(linesOfOperations(text)).toHaveLength(count)
    if (count >= 100) expect(text.split('\n').length / count).toBeLessThanOrEqual(70)
  })

  test('says each schema and each common answer once', () => {
    const shared = [...Object.values(api.components.schemas ?? {}), ...Object.values(api.components.responses ?? {})]
    const large = objectsIn(api).filter((one) => one.length > 200)
    for (const one of shared.map((each) => JSON.stringify(each)).filter((each) => each.length > 200)) {
      expect(large.filter((each) => each === one)).toHaveLength(1)
    }
  })
})

/** Lines of each operation, from its method to the bracket that closes it. */
function linesOfOperations(text: string): [string, number][] {
  const lines = text.slice(text.indexOf('\n  "paths": {')).split('\n')
  const starts = lines.flatMap((line, index) => (/^ {6}"(get|post|put|patch|delete)": \{/.test(line) ? [index] : []))
  return starts.map((start) => {
    const end = lines.findIndex((line, index) => index >= start && /^ {6}\}/.test(line))
    return [(lines.slice(0, start).findLast((line) => /^ {4}"/.test(line)) ?? '') + lines[start], end - start + 1]
  })
}

/** Every object in a document, as text. */
function objectsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return [...(Array.isArray(value) ? [] : [JSON.stringify(value)]), ...Object.values(value).flatMap(objectsIn)]
}
