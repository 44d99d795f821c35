import { closeSync, existsSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refusal, WrongUse } from './refusal.ts'

/** Where an answer will stand. It is proved writable before anything is done that has to be answered. */
export type AnswerFile = {
  readonly path: string
  /** Replaces what stood there, at once and whole. */
  write(text: string): void
}

/**
 * @param request the file that is answered, which must not be overwritten.
 * @throws WrongUse when both are one file. @throws Refusal when the answer cannot be written there.
 */
export function openAnswerFile(path: string, request: string): AnswerFile {
  const existed = existsSync(path)
  if (existed && realpathSync(path) === realpathSync(request)) throw new WrongUse(`--out ${path} is the payment file itself`)
  // A pipe or a device is written to, not replaced.
  const isReplaced = !existed || statSync(path).isFile()
  const temporary = isReplaced ? join(dirname(path), `.${process.pid}.pain.002.tmp`) : path
  try {
    closeSync(openSync(path, 'a'))
    if (!existed) rmSync(path)
    if (isReplaced) {
      closeSync(openSync(temporary, 'w'))
      rmSync(temporary)
    }
  } catch (error) {
    throw new Refusal(
      `nothing was paid: the answer cannot be written to ${path} (${(error as Error).message}); choose another place with --out`,
    )
  }
  return {
    path,
    write: (text) => {
      writeFileSync(temporary, text, { flush: isReplaced })
      if (isReplaced) renameSync(temporary, path)
    },
  }
}
