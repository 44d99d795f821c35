import { existsSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '../errors.ts'
import {
  findProcesses,
  identify,
  isRunning,
  nameOf,
  type ProcessIdentity,
  signal,
  waitUntilGone,
  workingFolderOf,
} from '../processes.ts'
import { readOwnFile } from './own-file.ts'

export const READY_TIMEOUT_MS = 300_000 // recovery after a crash replays up to max_wal_size

/** What a server says of itself. */
type PidFile = { readonly pid: number; readonly socketDirectory: string; readonly ready: boolean }

/** `postmaster.pid`: pid, data folder, start time, port, socket folder, address, shared memory, status; line by line as it starts. */
export function readPidFile(cluster: string): PidFile | undefined {
  let lines: string[]
  try {
    lines = readOwnFile(join(cluster, 'postmaster.pid')).toString('utf8').split('\n')
  } catch {
    return undefined
  }
  const pid = Number(lines[0])
  return pid > 0 ? { pid, socketDirectory: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' } : undefined
}

/** The end of what was written to a log after `start`; a log that somebody has removed by then has nothing to say. */
export function lastWords(logFile: string, start: number): string {
  try {
    return readOwnFile(logFile).subarray(start).toString().trim().split('\n').slice(-8).join('\n')
  } catch {
    return '(its log is gone)'
  }
}

const isOfCluster = (cluster: string) => (pid: number) => workingFolderOf(pid) === cluster && nameOf(pid) === 'postgres'

/**
 * The server that runs on `cluster`, once it is ready. The number in `postmaster.pid` proves nothing by itself: after a crash it may
 * belong to another program. A PostgreSQL that works inside this folder is ours.
 */
export async function findRunning(cluster: string): Promise<ProcessIdentity | undefined> {
  const file = readPidFile(cluster)
  const server = file && isOfCluster(realpathSync(cluster))(file.pid) ? identify(file.pid) : undefined
  if (!server) return undefined
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (isRunning(server) && performance.now() < deadline) {
    if (readPidFile(cluster)?.ready) return server
    await delay(20) // it starts, recovers or stops on somebody else's order
  }
  return undefined
}

/** Ends processes that outlived their killed server and removes the files that would make PostgreSQL believe that it still runs. */
export async function clearLeftovers(cluster: string, socketDirectory: string): Promise<void> {
  if (existsSync(join(cluster, 'postmaster.pid'))) {
    await killAllOf(cluster)
    rmSync(join(cluster, 'postmaster.pid'), { force: true })
  }
  for (const name of readdirSync(socketDirectory)) {
    if (name.startsWith('.s.PGSQL.')) rmSync(join(socketDirectory, name), { force: true })
  }
}

const FAST_SHUTDOWN_MS = 8_000
const IMMEDIATE_SHUTDOWN_MS = 3_000

export async function stopServer(server: ProcessIdentity, cluster: string): Promise<void> {
  signal(server, 'SIGINT')
  if (await waitUntilGone([server], FAST_SHUTDOWN_MS)) return
  signal(server, 'SIGQUIT') // gives up writing everything down; the next start recovers from the WAL
  if (await waitUntilGone([server], IMMEDIATE_SHUTDOWN_MS)) return
  await killServer(server, cluster)
}

/** The server first: it would start new processes for those that end. */
export async function killServer(server: ProcessIdentity, cluster: string): Promise<void> {
  await killAll([server])
  await killAllOf(cluster)
}

/** Ends every PostgreSQL process that works in this folder. */
export const killAllOf = (cluster: string): Promise<void> =>
  existsSync(cluster) ? killAll(findProcesses(isOfCluster(realpathSync(cluster)))) : Promise.resolve()

async function killAll(targets: readonly ProcessIdentity[]): Promise<void> {
  for (const target of targets) signal(target, 'SIGKILL')
  if (!(await waitUntilGone(targets, 10_000))) throw new Failure('processes of PostgreSQL do not end', { retryable: true })
}
