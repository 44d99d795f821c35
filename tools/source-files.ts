import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export const ROOT = join(import.meta.dirname, '..')

export type SourceFile = {
  /** From the root of the clone: `server/src/platform/money.ts`. */
  readonly path: string
  readonly text: string
}

const FOLDERS = ['bench', 'cli', 'notation', 'rails-simulator', 'server', 'tools']

/** Every TypeScript file that people write. */
export function listSources(): SourceFile[] {
  return FOLDERS.flatMap(filesIn).sort((a, b) => (a.path < b.path ? -1 : 1))
}

function filesIn(folder: string): SourceFile[] {
  let entries: ReturnType<typeof read>
  try {
    entries = read(folder)
  } catch {
    return [] // not every folder exists from the first day
  }
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(ROOT, file), text: readFileSync(file, 'utf8') }))
}

const read = (folder: string) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
