import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildApp } from '../server/src/app.ts'
import { partita } from '../server/src/bank.ts'
import { BankClock } from '../server/src/platform/clock.ts'
import { silentLogger } from '../server/src/platform/logging.ts'
import { createMetrics } from '../server/src/platform/metrics.ts'
import { openDatabase } from '../server/src/platform/postgres/database.ts'

export const OPENAPI_FILE = join(import.meta.dirname, '../api/openapi.json')
const EXAMPLES_FOLDER = join(import.meta.dirname, '../api/examples')

type Content = { content?: Record<string, { example?: unknown }> }
type Operation = { operationId?: string; requestBody?: Content; responses?: Record<string, Content> }
type Example = { request: { body?: unknown }; response: { status: number; body: unknown } }

/** The API's description as its own routes give it, with the recorded examples. Needs no database: routes are registered, none is called. */
export async function renderOpenApi(): Promise<string> {
  const loaded = partita.configure({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', PARTITA_ENVIRONMENT: 'test' })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  const database = openDatabase({ url: loaded.config.database.url, applicationName: 'openapi' })
  const metrics = createMetrics({ process: false })
  const dependencies = { config: loaded.config, database, clock: new BankClock(database), logger: silentLogger, metrics }
  const server = await buildApp(dependencies, partita.parts(dependencies), { openapi: true })
  try {
    const description = server.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> }
    addExamples(description.paths)
    return `${JSON.stringify(description, undefined, 2)}\n`
  } finally {
    await server.close()
    await database.close()
  }
}

/** `api/examples/{operationId}.json`, and `{operationId}.{case}.json` for further cases such as refusals. */
function addExamples(paths: Record<string, Record<string, Operation>>): void {
  const operations = new Map(
    Object.values(paths).flatMap((path) => Object.values(path).map((operation) => [operation.operationId, operation])),
  )
  for (const file of readdirSync(EXAMPLES_FOLDER).sort()) {
    const example = JSON.parse(readFileSync(join(EXAMPLES_FOLDER, file), 'utf8')) as Example
    const operation = operations.get(basename(file).split('.')[0])
    if (!operation) throw new Error(`api/examples/${file} is an example of no operation`)
    const answer = operation.responses?.[example.response.status]?.content?.['application/json']
    if (!answer)
      throw new Error(`api/examples/${file} shows status ${example.response.status}, which the operation does not declare`)
    answer.example ??= example.response.body
    const body = operation.requestBody?.content?.['application/json']
    if (body) body.example ??= example.request.body
  }
}

/** Writes `api/openapi.json`. */
export const writeOpenApi = async (): Promise<void> => writeFileSync(OPENAPI_FILE, await renderOpenApi())

if (import.meta.main) await writeOpenApi()
