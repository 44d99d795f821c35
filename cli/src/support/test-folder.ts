import { chmodSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  findProcesses,
  identify,
  isRunning,
  nameOf,
  type ProcessIdentity,
  signal,
  waitUntilGone,
  workingFolderOf,
} from '../../../server/src/platform/processes.ts'

const PREFIX = 'partita-tests-'
const OWNER = 'owner.json'

/**
 * Gives one test run a temporary folder of its own, and takes away with it whatever stands there in the end: the test runner ends at
 * Ctrl-C without tidying up. What a killed run left is taken away by the next.
 */
export async function withTestFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const home = realpathSync(tmpdir())
  for (const name of readdirSync(home)) {
    if (name.startsWith(PREFIX) && isAbandoned(join(home, name))) await removeFolder(join(home, name))
  }
  const folder = mkdtempSync(join(home, PREFIX))
  chmodSync(folder, 0o755) // run by root, PostgreSQL is another user
  writeFileSync(join(folder, OWNER), JSON.stringify(identify(process.pid)))
  try {
    return await work(folder)
  } finally {
    await removeFolder(folder)
  }
}

function isAbandoned(folder: string): boolean {
  try {
    return !isRunning(JSON.parse(readFileSync(join(folder, OWNER), 'utf8')) as ProcessIdentity)
  } catch {
    return false // another user's, or just being made
  }
}

async function removeFolder(folder: string): Promise<void> {
  const isInside = (pid: number): boolean => nameOf(pid) === 'postgres' && workingFolderOf(pid)?.startsWith(`${folder}/`) === true
  const left = findProcesses(isInside)
  for (const server of left) signal(server, 'SIGKILL')
  await waitUntilGone(left, 10_000)
  rmSync(folder, { recursive: true, force: true })
}
