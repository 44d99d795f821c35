import { accessSync, constants, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Refusal, WrongUse } from './refusal.ts'

const CLONE = join(import.meta.dirname, '../../..')

/** The data folder of this run: `--data`, else PARTITA_DATA, else `.data` in the clone. Made when it is missing. */
export function dataFolder(option: string | undefined): string {
  if (option === '') throw new WrongUse('--data names no folder')
  const folder = resolve(option ?? (process.env.PARTITA_DATA || join(CLONE, '.data')))
  try {
    makeFolders(folder)
    if (!statSync(folder).isDirectory()) throw new Error('it is a file')
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new Refusal(
      `cannot write the data folder ${folder} (${(error as Error).message}): choose another with --data or PARTITA_DATA`,
    )
  }
  return realpathSync(folder)
}

/** As `mkdir -p`. Node's own, `recursive`, tries for ever where a parent is there but takes no folders, as in /proc. */
function makeFolders(folder: string): void {
  if (existsSync(folder)) return
  makeFolders(dirname(folder))
  try {
    // Nobody else looks in. Where root keeps it, PostgreSQL's user must pass through to its own area.
    mkdirSync(folder, { mode: process.getuid?.() === 0 ? 0o711 : 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another start was quicker
  }
}
