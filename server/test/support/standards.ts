import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, test } from 'vitest'

const ROOT = process.env.PARTITA_TEST_STANDARDS ?? fileURLToPath(new URL('../../../../shared/standards', import.meta.url))

/** The absolute path of a file in the folder of schemas, code lists and sample files made by others. */
export const standardsPath = (relative: string): string => `${ROOT}/${relative}`

export const readStandard = (relative: string): Uint8Array => readFileSync(standardsPath(relative))

/** The names of the files in one of its folders, sorted. Empty when the folder is absent. */
export const standardsIn = (relative: string): string[] =>
  existsSync(standardsPath(relative)) ? readdirSync(standardsPath(relative)).sort() : []

/**
 * A `describe` whose tests need that folder. Without it they are skipped, loudly: here by name, and at the end of `npm test` by number.
 */
export function describeWithStandards(name: string, fn: () => void): void {
  if (existsSync(ROOT)) return void describe(name, fn)
  console.warn(
    `SKIPPED: "${name}" needs ${ROOT}, which is not there. Put the standards beside the repository or set PARTITA_TEST_STANDARDS.`,
  )
  // `fn` is not even called: what it reads to name its tests is not there.
  describe.runIf(existsSync(ROOT))(name, () => test('needs the folder of standards', () => {}))
}
