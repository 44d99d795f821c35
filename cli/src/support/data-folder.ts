import { mkdirSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Refusal } from './refusal.ts'

const CLONE = join(import.meta.dirname, '../../..')

/** The data folder of this run: `--data`, else PARTITA_DATA, else `.data` in the clone. Made when it is missing. */
export function dataFolder(option: string | undefined): string {
  const folder = resolve(option ?? process.env.PARTITA_DATA ?? join(CLONE, '.data'))
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new Refusal(
      `cannot write the data folder ${folder} (${(error as Error).message}): choose another with --data or PARTITA_DATA`,
    )
  }
  return realpathSync(folder)
}
