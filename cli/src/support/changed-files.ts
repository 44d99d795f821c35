import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WrongUse } from './refusal.ts'
import type { ClonedFile } from './test-reach.ts'

/**
 * Every path that differs from `revision`, or from where this branch left it: committed since, staged, unstaged or not tracked yet.
 * What was renamed is there under both names, what was deleted under its old one.
 *
 * @throws WrongUse when git does not know the revision.
 */
export function changedFilesSince(clone: string, revision: string): string[] {
  const commit = commitOf(clone, revision)
  const base = git(clone, 'merge-base', commit, 'HEAD')[0] ?? commit
  const different = git(clone, 'diff', '--name-only', '--no-renames', '-z', base, '--')
  return [...new Set([...different, ...untracked(clone)])].sort()
}

/** Every file of the clone that git keeps or would keep, with the text of those that may name others. */
export function clonedFiles(clone: string): ClonedFile[] {
  return [...git(clone, 'ls-files', '-z'), ...untracked(clone)].flatMap((path) => {
    if (!/\.(ts|mjs|js)$|(^|\/)package\.json$/.test(path)) return { path, text: '' }
    try {
      return { path, text: readFileSync(join(clone, path), 'utf8') }
    } catch {
      return [] // deleted, and not yet committed so
    }
  })
}

const untracked = (clone: string): string[] => git(clone, 'ls-files', '--others', '--exclude-standard', '-z')

function commitOf(clone: string, revision: string): string {
  try {
    const [commit] = git(clone, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`)
    if (commit !== undefined) return commit
  } catch {
    // no such revision, or no git
  }
  throw new WrongUse(`git knows no revision "${revision}" here: give a branch, a tag or a commit`)
}

/** What git answers, one entry a line or between zero bytes. */
function git(clone: string, ...args: readonly string[]): string[] {
  const said = execFileSync('git', args, {
    cwd: clone,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return said.split(/[\0\n]/).filter((entry) => entry !== '')
}
