import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lchownSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/*
 * Root's hands in a folder that belongs to PostgreSQL's user: whoever has taken that user over can put there a link to any file of root's, or a second
 * name of it, or a pipe. Nothing here follows one.
 */

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/** Opens a file to write at its end. What stands there and is no plain file of its own is taken away first. */
export function openOwnFile(path: string): number {
  for (;;) {
    const found = openPlain(path, O_WRONLY | O_APPEND)
    if (found !== undefined) return found
    rmSync(path, { force: true, recursive: true })
    try {
      return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // put there again meanwhile
    }
  }
}

/** @throws Error (ENOENT) when it is missing, or is no plain file of its own. */
export function readOwnFile(path: string): Buffer {
  const file = openPlain(path, O_RDONLY)
  if (file === undefined) throw Object.assign(new Error(`${path} is missing, or is no file of its own`), { code: 'ENOENT' })
  try {
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** Writes a file that nobody else may read, in the place of whatever stands there. */
export function writeNewFile(
  path: string,
  content: string,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): void {
  rmSync(path, { force: true, recursive: true })
  const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeFileSync(file, content)
    if (owner) fchownSync(file, owner.uid, owner.gid)
  } finally {
    closeSync(file)
  }
}

/** Gives a folder and all that is in it to somebody: links themselves, not where they lead, and each folder after what is in it, so that he cannot move it under our hands. */
export function giveTree(folder: string, owner: { readonly uid: number; readonly gid: number }): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) giveTree(path, owner)
    else lchownSync(path, owner.uid, owner.gid)
  }
  lchownSync(folder, owner.uid, owner.gid)
}

/** @returns undefined when there is none, or it is a link, has another name elsewhere, or is none that keeps what is written. */
function openPlain(path: string, flags: number): number | undefined {
  let file: number
  try {
    file = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  const { nlink } = fstatSync(file)
  if (fstatSync(file).isFile() && nlink === 1) return file
  closeSync(file)
  return undefined
}
