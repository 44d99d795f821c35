import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { methodOf, type Operation } from '../../src/platform/http/operation.ts'
import type { ExampleRequest, OperationExample, OperationExamples } from '../../src/platform/http/operation-example.ts'
import type { TestBank } from './support.ts'

const FOLDER = join(import.meta.dirname, '../../../api/examples')
const MODULES = join(import.meta.dirname, '../../src/modules')

export type Request = ExampleRequest & { readonly method: ReturnType<typeof methodOf> }

/** One recorded exchange, as it stands in api/examples. */
export type Example = { readonly request: Request; readonly response: { readonly status: number; readonly body: unknown } }

/** The examples of all modules: a module's file is found by its name. */
export async function moduleExamples(): Promise<OperationExamples> {
  const all: Record<string, OperationExample> = {}
  for await (const file of glob('*/operations.examples.ts', { cwd: MODULES })) {
    Object.assign(all, ((await import(join(MODULES, file))) as { examples: OperationExamples }).examples)
  }
  return all
}

/** Operations that nobody tries, and examples of none. */
export const unmatched = (operations: readonly Pick<Operation, 'id'>[], examples: OperationExamples): string[] => {
  const ids = new Set(operations.map(({ id }) => id))
  return [
    ...operations.map(({ id }) => id).filter((id) => !(id in examples)),
    ...Object.keys(examples).filter((id) => !ids.has(id)),
  ]
}

export const requestOf = (operation: Operation, { path, headers, body }: ExampleRequest): Request => ({
  method: methodOf(operation),
  path,
  ...(headers && { headers }),
  ...(body !== undefined && { body }),
})

/** The recorded exchange; undefined when there is none. `UPDATE_EXAMPLES=1` writes what was seen instead. */
export function recorded(name: string, seen: Example): Example | undefined {
  const file = join(FOLDER, `${name}.json`)
  if (process.env.UPDATE_EXAMPLES === '1') writeFileSync(file, `${JSON.stringify(seen, undefined, 2)}\n`)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Example) : undefined
}

/** Replaces what differs from run to run: ids by their order of appearance, trace ids by one. Times do not differ: the clock stands still. */
export function anonymous<T>(value: T): T {
  const ids = new Map<string, string>()
  const text = JSON.stringify(value)
    .replace(/"trace_id":"[0-9a-f]{32}"/g, `"trace_id":"${'0'.repeat(32)}"`)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      const known = ids.get(id) ?? `00000000-0000-7000-8000-${String(ids.size + 1).padStart(12, '0')}`
      ids.set(id, known)
      return known
    })
    .replace(/internal-transfer-[0-9a-f]{32}/g, `internal-transfer-${'0'.repeat(32)}`)
  return JSON.parse(text)
}

/** The demo company's objects, for requests that name one. */
export type DemoObjects = {
  readonly slug: string
  readonly account: string
  readonly iban: string
  readonly otherIban: string
  readonly transaction: string
  readonly label: string
}

export async function demoObjects(bank: TestBank): Promise<DemoObjects> {
  const [main, second] = bank.demo.accounts
  const transactions = (await bank.get(`/v2/transactions?iban=${main?.iban}&operation_type=transfer&per_page=1`)).json()
  const labels = (await bank.get('/v2/labels?page=2&per_page=1')).json()
  return {
    slug: bank.demo.organizationSlug,
    account: main?.id ?? '',
    iban: main?.iban ?? '',
    otherIban: second?.iban ?? '',
    transaction: transactions.transactions[0].id,
    label: labels.labels[0].id,
  }
}

const NO_ID = '00000000-0000-7000-8000-000000000000'

/** Objects that nobody has. */
export const NOBODYS_OBJECTS: DemoObjects = {
  slug: 'nobody-1',
  account: NO_ID,
  iban: 'DE89370400440532013000',
  otherIban: 'DE02120300000000202051',
  transaction: NO_ID,
  label: NO_ID,
}

/** Puts the demo company's ids into `{account}`, `{iban}` and so on. */
export const fill = <T>(template: T, objects: DemoObjects): T =>
  JSON.parse(
    JSON.stringify(template).replace(
      /\{(slug|account|iban|otherIban|transaction|label)\}/g,
      (_, name) => objects[name as keyof DemoObjects],
    ),
  )
