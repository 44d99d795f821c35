import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from './errors.ts'

/**
 * One process, not merely its number: numbers are used again, after a restart of the machine even soon.
 * `startedAt` is the machine's boot id and the clock tick at which the process started.
 */
export type ProcessIdentity = { readonly pid: number; readonly startedAt: string }

type Stat = { readonly name: string; readonly state: string; readonly parentPid: number; readonly startTick: string }

let bootId: string | undefined

/** Who has this number now; undefined when nobody has, or only a zombie that nobody has collected. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid)
  if (!stat || stat.state === 'Z' || stat.state === 'X') return undefined
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return { pid, startedAt: `${bootId}/${stat.startTick}` }
}

/** Whether exactly this process still runs. */
export const isRunning = (process: ProcessIdentity): boolean => identify(process.pid)?.startedAt === process.startedAt

/** Running processes for which `wanted` holds, by a look at every process of the machine. */
export function findProcesses(wanted: (pid: number) => boolean): ProcessIdentity[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(wanted)
    .map(identify)
    .filter((found) => found !== undefined)
}

/** The name of the program that a process runs, at most 15 characters. */
export const nameOf = (pid: number): string | undefined => readStat(pid)?.name

export const parentOf = (pid: number): number | undefined => readStat(pid)?.parentPid

/** The working folder of a process; undefined when it is gone or belongs to somebody else. */
export function workingFolderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** Sends a signal to exactly this process; nothing happens when it is gone. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isRunning(target)) return
  try {
    process.kill(target.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Waits until all are gone. @returns false when some still run after `timeoutMs`. */
export async function waitUntilGone(targets: readonly ProcessIdentity[], timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (targets.some(isRunning)) {
    if (performance.now() > deadline) return false
    await delay(5)
  }
  return true
}

// `pid (name) state parent …`: the name may hold spaces and brackets, so fields are counted from its last bracket.
function readStat(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  const nameEnd = text.lastIndexOf(')')
  const fields = text.slice(nameEnd + 2).split(' ')
  const [state, parentPid] = fields
  const startTick = fields[19]
  if (!state || !parentPid || !startTick) return undefined
  return { name: text.slice(text.indexOf('(') + 1, nameEnd), state, parentPid: Number(parentPid), startTick }
}

/** A lock that the kernel releases when its holder dies, however it dies. */
export type Lock = { release(): Promise<void> }

/**
 * Takes the machine-wide lock called `name`, without waiting. @returns undefined when another process, or this one, holds it.
 *
 * The lock is a listening socket in Linux's abstract namespace: there is no file, so nothing can be left behind by a killed holder
 * and no holder's number has to be trusted.
 */
export function tryLock(name: string): Promise<Lock | undefined> {
  const path = `\0partita/${createHash('sha256').update(name).digest('hex')}`
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen({ path }, () => {
      server.unref()
      resolve({ release: () => new Promise((done) => server.close(() => done())) })
    })
  })
}

/**
 * Runs `work` while holding the lock called `name`, after waiting for it.
 * @throws Failure (retryable) when it did not come free within `timeoutMs`.
 */
export async function withLock<T>(name: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let lock = await tryLock(name)
  while (!lock) {
    if (performance.now() > deadline)
      throw new Failure(`another process has been holding "${name}" for too long`, { retryable: true })
    await delay(20)
    lock = await tryLock(name)
  }
  try {
    return await work()
  } finally {
    await lock.release()
  }
}
