import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestBank } from './support.ts'

const FOLDER = join(import.meta.dirname, '../../../api/examples')

export type ExampleRequest = {
  readonly method: 'GET' | 'POST'
  /** May name demo objects, see `fill`. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** One recorded exchange, as it stands in api/examples. */
export type Example = { readonly request: ExampleRequest; readonly response: { readonly status: number; readonly body: unknown } }

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

/** Ids of the demo company's objects, for requests that name one. */
export type DemoObjects = {
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
    account: main?.id ?? '',
    iban: main?.iban ?? '',
    otherIban: second?.iban ?? '',
    transaction: transactions.transactions[0].id,
    label: labels.labels[0].id,
  }
}

/** Puts the demo company's ids into `{account}`, `{iban}` and so on. */
export const fill = <T>(template: T, objects: DemoObjects): T =>
  JSON.parse(
    JSON.stringify(template).replace(
      /\{(account|iban|otherIban|transaction|label)\}/g,
      (_, name) => objects[name as keyof DemoObjects],
    ),
  )
