import { createHash, randomBytes, randomInt } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
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

/** A lock that counts no more when its holder dies, however he dies. */
export type Lock = { release(): Promise<void> }

/** Where a lock is kept, and whose it is by its meaning. */
export type LockName = {
  /** Whoever may write here may take locks, and nobody else: a folder of ours. Made when it is missing. */
  readonly folder: string
  readonly name: string
}

/** A claim to a lock is an empty file that is named after the claim, its process, and whether it has been granted. */
type Claim = { readonly file: string; readonly isGranted: boolean; readonly id: string; readonly holder: ProcessIdentity }

/**
 * Takes a lock, without waiting for its holder. @returns undefined when another process, or this one, holds it.
 *
 * Files instead of a kernel's lock, which Node cannot take; and no socket without a file, whose name any user of the machine could take first. A process
 * that is gone has no claims, so nothing that a killed holder left behind has to be mended. Of claims made at once the lowest is granted: whoever
 * claims looks at the others afterwards, gives way to lower ones, and waits until higher ones, who may have looked before, have decided.
 */
export async function tryLock(lock: LockName): Promise<Lock | undefined> {
  mkdirSync(lock.folder, { recursive: true, mode: 0o700 })
  const self = identify(process.pid)
  if (!self) throw new Error('this process is not in /proc')
  for (;;) {
    const id = randomBytes(8).toString('hex')
    const file = fileOf(lock, 'claimed', id, self)
    closeSync(openSync(file, 'wx', 0o600))
    const verdict = await judge(lock, id)
    if (verdict === 'granted') {
      const granted = fileOf(lock, 'granted', id, self)
      renameSync(file, granted)
      return { release: async () => rmSync(granted, { force: true }) }
    }
    rmSync(file, { force: true })
    if (verdict === 'held') return undefined
    await delay(randomInt(1, 6))
  }
}

async function judge(lock: LockName, id: string): Promise<'granted' | 'held' | 'give way'> {
  for (;;) {
    const others = claimsOf(lock).filter((claim) => claim.id !== id)
    if (others.some((claim) => claim.isGranted)) return 'held'
    if (others.some((claim) => claim.id < id)) return 'give way'
    if (others.length === 0) return 'granted'
    await delay(1)
  }
}

const prefixOf = ({ name }: LockName): string => createHash('sha256').update(name).digest('hex').slice(0, 32)

const fileOf = (lock: LockName, state: 'claimed' | 'granted', id: string, { pid, startedAt }: ProcessIdentity): string =>
  join(lock.folder, [prefixOf(lock), state, id, pid, startedAt.replace('/', '_')].join('.'))

/** The claims of processes that run; those of others are removed. */
function claimsOf(lock: LockName): Claim[] {
  return readdirSync(lock.folder).flatMap((entry): Claim[] => {
    const [prefix, state, id = '', pid, startedAt = ''] = entry.split('.')
    if (prefix !== prefixOf(lock)) return []
    const claim = {
      file: join(lock.folder, entry),
      isGranted: state === 'granted',
      id,
      holder: { pid: Number(pid), startedAt: startedAt.replace('_', '/') },
    }
    if (isRunning(claim.holder)) return [claim]
    rmSync(claim.file, { force: true })
    return []
  })
}

/** Who holds a lock just now. */
export const holderOf = (lock: LockName): ProcessIdentity | undefined => claimsOf(lock).find(({ isGranted }) => isGranted)?.holder

/**
 * Runs `work` while holding a lock, after waiting for it.
 * @throws Failure (retryable) that names its holder, when it did not come free within `timeoutMs`.
 */
export async function withLock<T>(name: LockName, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let lock = await tryLock(name)
  while (!lock) {
    if (performance.now() > deadline) {
      const pid = holderOf(name)?.pid
      const who = pid === undefined ? 'another process' : `process ${pid} (${nameOf(pid) ?? 'just ended'})`
      throw new Failure(`${who} has been holding "${name.name}" for too long`, { retryable: true })
    }
    await delay(20)
    lock = await tryLock(name)
  }
  try {
    return await work()
  } finally {
    await lock.release()
  }
}
