import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import stringify from 'json-stringify-pretty-compact'
import { type ApiDescription, describeApi, type OperationDescription } from '../server/src/platform/http/openapi.ts'
import { HEALTH_OPERATIONS } from '../server/src/platform/http/server.ts'
import { allOperations } from './api-operations.ts'

export const OPENAPI_FILE = join(import.meta.dirname, '../api/openapi.json')
const EXAMPLES_FOLDER = join(import.meta.dirname, '../api/examples')
const LINE_WIDTH = 130

type Example = { request: { body?: unknown }; response: { status: number } }

/** The API's description as its own operations give it, with the recorded examples. */
export async function renderOpenApi(): Promise<string> {
  const description = describeApi(await allOperations(), HEALTH_OPERATIONS)
  addExamples(description)
  return `${stringify(description, { indent: 2, maxLength: LINE_WIDTH })}\n`
}

/**
 * `api/examples/{operationId}.json`, and `{operationId}.{case}.json` for further cases such as refusals: the description points into them,
 * also from answers that several operations share.
 */
function addExamples({ paths, components }: ApiDescription): void {
  const operations = new Map(
    Object.values(paths).flatMap((path) => Object.values(path).map((operation) => [operation.operationId, operation])),
  )
  for (const file of readdirSync(EXAMPLES_FOLDER).sort()) {
    const name = basename(file, '.json')
    const example = JSON.parse(readFileSync(join(EXAMPLES_FOLDER, file), 'utf8')) as Example
    const operation = operations.get(name.split('.')[0] ?? '')
    if (!operation) throw new Error(`api/examples/${file} is an example of no operation`)
    const answer = operation.responses[example.response.status]
    if (!answer)
      throw new Error(`api/examples/${file} shows status ${example.response.status}, which the operation does not declare`)
    const shared = answer.$ref === undefined ? undefined : components.responses?.[answer.$ref.split('/').at(-1) ?? '']
    show(shared ?? answer, name, `examples/${file}#/response/body`)
    if (example.request.body !== undefined && operation.requestBody) {
      show(operation.requestBody, name, `examples/${file}#/request/body`)
    }
  }
}

function show(
  { content }: Pick<OperationDescription['responses'][string], 'content'>,
  name: string,
  externalValue: string,
): void {
  const json = content?.['application/json']
  if (json) json.examples = { ...json.examples, [name]: { externalValue } }
}

/** Writes `api/openapi.json`. */
export const writeOpenApi = async (): Promise<void> => writeFileSync(OPENAPI_FILE, await renderOpenApi())

if (import.meta.main) await writeOpenApi()
