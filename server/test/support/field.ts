import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'vitest'

const ROOT = process.env.PARTITA_TEST_FIELD ?? fileURLToPath(new URL('../../../../shared/field', import.meta.url))

export const readField = (name: string): Uint8Array => readFileSync(`${ROOT}/${name}`)

export const fieldJson = <T>(name: string): T => JSON.parse(readFileSync(`${ROOT}/${name}`, 'utf8')) as T

/**
 * A `describe` whose tests need the folder of small bank files with their right answers, which stands beside the repository. Without it they are
 * skipped, loudly.
 */
export function describeWithField(name: string, fn: () => void): void {
  if (existsSync(ROOT)) return void describe(name, fn)
  console.warn(
    `SKIPPED: "${name}" needs ${ROOT}, which is not there. Put the folder beside the repository or set PARTITA_TEST_FIELD.`,
  )
  // `fn` is not even called: what it reads to name its tests is not there.
  describe.runIf(existsSync(ROOT))(name, () => test('needs the folder of bank files', () => {}))
}
