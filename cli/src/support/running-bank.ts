import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isFullDisk } from '../../../server/src/platform/disk.ts'
import {
  identify,
  isRunning,
  type Lock,
  nameOf,
  type ProcessIdentity,
  parentOf,
  signal,
  tryLock,
  waitUntilGone,
} from '../../../server/src/platform/processes.ts'
import { Refusal } from './refusal.ts'

/** What `partita start` tells others about itself, in `running.json` of the data folder. */
type Record = {
  readonly process: ProcessIdentity
  /** Processes whose end makes it stop: npm, the bootstrap. */
  readonly guardians: readonly ProcessIdentity[]
  readonly url: string
  readonly children: readonly ProcessIdentity[]
}

const STOPPING_MS_MAX = 20_000

/** The bank that runs on a data folder: at most one. */
export class RunningBank {
  readonly #file: string
  readonly #lock: Lock
  readonly #record: Record

  private constructor(file: string, lock: Lock, record: Record) {
    this.#file = file
    this.#lock = lock
    this.#record = record
    this.recordChildren([])
  }

  /**
   * Takes the data folder for this process and ends what a killed start left running.
   * @throws Refusal naming the process and address of the bank that runs there already.
   */
  static async take(dataDirectory: string, url: string, onNote: (message: string) => void): Promise<RunningBank> {
    const file = recordFile(dataDirectory)
    const lock = await lockFolder(dataDirectory, file, onNote)
    await endLeftovers(file, onNote)
    const self = identify(process.pid)
    if (!self) throw new Error('this process is not in /proc')
    return new RunningBank(file, lock, { process: self, guardians: guardians(), url, children: [] })
  }

  get guardians(): readonly ProcessIdentity[] {
    return this.#record.guardians
  }

  /** For the next start, which ends what this one may leave behind. On a full disk the former record stays: the bank runs on. */
  recordChildren(children: readonly ProcessIdentity[]): void {
    const temporary = `${this.#file}.new`
    try {
      writeFileSync(temporary, JSON.stringify({ ...this.#record, children }), { mode: 0o600 })
      renameSync(temporary, this.#file)
    } catch (error) {
      if (!isFullDisk(error)) throw error
      rmSync(temporary, { force: true })
    }
  }

  async release(): Promise<void> {
    rmSync(this.#file, { force: true })
    await this.#lock.release()
  }
}

/** Address of the bank that runs on this data folder, if one does. */
export function runningUrl(dataDirectory: string): string | undefined {
  const record = readRecord(recordFile(dataDirectory))
  return record && isRunning(record.process) ? record.url : undefined
}

const recordFile = (dataDirectory: string): string => join(dataDirectory, 'running.json')

function readRecord(file: string): Record | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record
  } catch {
    return undefined
  }
}

async function lockFolder(dataDirectory: string, file: string, onNote: (message: string) => void): Promise<Lock> {
  const deadline = performance.now() + STOPPING_MS_MAX
  for (let told = false; ; await delay(50)) {
    const lock = await tryLock({ folder: join(dataDirectory, 'locks'), name: 'bank' })
    const record = readRecord(file)
    // A bank of an earlier release has its lock elsewhere.
    const isEarlier = lock !== undefined && record !== undefined && isRunning(record.process)
    if (lock && !isEarlier) return lock
    await lock?.release()
    const isStopping = record?.guardians.some((guardian) => !isRunning(guardian))
    if (!isStopping || performance.now() > deadline) {
      const where = record ? ` (process ${record.process.pid}, ${record.url})` : ''
      throw new Refusal(
        `a bank already runs on ${dataDirectory}${where}. Use it, stop it with Ctrl-C, or start another with --data <folder> --port <port>`,
      )
    }
    if (!told) onNote('The bank that ran here is stopping; waiting for it')
    told = true
  }
}

/** Services end by themselves when a start is killed; this is for one that hangs. */
async function endLeftovers(file: string, onNote: (message: string) => void): Promise<void> {
  const left = readRecord(file)?.children.filter(isRunning) ?? []
  if (left.length === 0) return
  onNote(`Ending what a killed start left: ${left.map(({ pid }) => pid).join(', ')}`)
  for (const child of left) signal(child, 'SIGTERM')
  if (await waitUntilGone(left, 5_000)) return
  for (const child of left) signal(child, 'SIGKILL')
  await waitUntilGone(left, 5_000)
}

/**
 * The bootstrap and the npm that run us, if they do. Killing them is meant for us as well, but a killed parent cannot tell its children.
 * A shell is no guardian: `partita start &` in a script goes on when the script has ended.
 */
function guardians(): ProcessIdentity[] {
  const parent = process.channel ? identify(process.ppid) : undefined
  const bootstrap = parent ? [parent] : []
  if (!process.env.npm_lifecycle_event) return bootstrap
  const found: ProcessIdentity[] = []
  for (let pid: number | undefined = process.ppid; pid !== undefined && pid > 1; pid = parentOf(pid)) {
    const ancestor = identify(pid)
    if (ancestor) found.push(ancestor)
    if (nameOf(pid)?.startsWith('npm')) return found
  }
  return bootstrap
}
