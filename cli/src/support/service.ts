import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { identify, type ProcessIdentity } from '../../../server/src/platform/processes.ts'
import { Refusal } from './refusal.ts'
import { serverEnvironment } from './server-environment.ts'

const CLONE = join(import.meta.dirname, '../../..')
const LOG_BYTES_MAX = 16 * 1024 * 1024
const FIRST_BACKOFF_MS = 500
const BACKOFF_MS_MAX = 8_000
const DEATHS_MAX = 5
const DEATHS_WITHIN_MS = 60_000

export type ServiceOptions = {
  /** As people call it: "server", "rails simulator". */
  readonly name: string
  /** TypeScript file in the clone, and its arguments. */
  readonly program: readonly [string, ...string[]]
  readonly environment: Readonly<Record<string, string>>
  readonly logFile: string
  /** Whether what it needs is missing just now, such as room on the disk: then it is started again however often it dies. */
  readonly isHeldUp: () => boolean
  /** How long it may take to end after SIGTERM. */
  readonly goodbyeMs: number
  readonly onNote: (message: string) => void
  /** Who runs now: recorded, so that the next start can end what a killed one left. */
  readonly onProcess: () => void
  /** It died too often to be started again. */
  readonly onGivenUp: (error: Refusal) => void
}

/** A child process that is started again when it dies, with growing pauses, until it dies too often. */
export class Service {
  readonly #options: ServiceOptions
  #child: ChildProcess | undefined
  #identity: ProcessIdentity | undefined
  #deaths: number[] = []
  #stopping = false
  #wasReady = false
  #logStart = 0

  constructor(options: ServiceOptions) {
    this.#options = options
    this.#launch()
  }

  get process(): ProcessIdentity | undefined {
    return this.#identity
  }

  /**
   * Waits until `url` answers 200.
   * @throws Refusal with the service's last words when it dies before, or when `timeoutMs` have passed.
   */
  async ready(url: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await answers(url))) {
      if (this.#deaths.length > 0) throw new Refusal(`the ${this.#options.name} ended while starting:\n${this.#lastWords()}`)
      if (this.#stopping) return
      if (performance.now() > deadline)
        throw new Refusal(`the ${this.#options.name} did not answer ${url} within ${timeoutMs / 1000} s:\n${this.#lastWords()}`)
      await delay(25)
    }
    this.#wasReady = true
  }

  /** SIGTERM, and SIGKILL when that is not enough. */
  async stop(): Promise<void> {
    this.#stopping = true
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const patience = setTimeout(() => child.kill('SIGKILL'), this.#options.goodbyeMs)
    await ended
    clearTimeout(patience)
  }

  #launch(): void {
    const { program, environment, logFile } = this.#options
    if (existsSync(logFile) && statSync(logFile).size > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.1`)
    const log = openSync(logFile, 'a', 0o600)
    this.#logStart = statSync(logFile).size
    const [file, ...args] = program
    const preload = ['--import', join(import.meta.dirname, 'die-with-parent.ts')]
    const child = spawn(process.execPath, [...preload, join(CLONE, file), ...args], {
      cwd: CLONE,
      env: { ...serverEnvironment(), ...environment },
      stdio: ['ignore', log, log, 'ipc'],
      // A session of its own: Ctrl-C in the terminal reaches us alone, and we end our services in order.
      detached: true,
    })
    closeSync(log)
    this.#child = child
    this.#identity = child.pid === undefined ? undefined : identify(child.pid)
    this.#options.onProcess()
    child.once('error', (error) =>
      this.#options.onGivenUp(new Refusal(`the ${this.#options.name} cannot be run: ${error.message}`)),
    )
    child.once('exit', (code, signal) => this.#died(code ?? signal))
  }

  #died(how: number | NodeJS.Signals | null): void {
    if (this.#stopping) return
    const now = performance.now()
    this.#deaths = [...this.#deaths.filter((at) => now - at < DEATHS_WITHIN_MS), now]
    if (!this.#wasReady) return // `ready` tells: what cannot start once does not start the second time
    const { name, onGivenUp, onNote, isHeldUp } = this.#options
    if (this.#deaths.length > DEATHS_MAX && !isHeldUp()) {
      onGivenUp(
        new Refusal(`the ${name} died ${this.#deaths.length} times within a minute; its last words:\n${this.#lastWords()}`),
      )
      return
    }
    const pauseMs = Math.min(BACKOFF_MS_MAX, FIRST_BACKOFF_MS * 2 ** (this.#deaths.length - 1))
    onNote(`the ${name} ended unexpectedly (${how}); starting it again in ${pauseMs} ms`)
    setTimeout(() => {
      if (!this.#stopping) this.#launch()
    }, pauseMs)
  }

  #lastWords(): string {
    const said = readFileSync(this.#options.logFile).subarray(this.#logStart).toString().trim()
    return said ? said.split('\n').slice(-12).join('\n') : '(it said nothing)'
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}
