import type { Logger } from '../logging.ts'
import type { Wakeups } from '../wake.ts'
import type { Pass } from './pass.ts'
import { reasonOf } from './patience.ts'
import { type ItemTrouble, type PassRun, type PassWorld, runPass } from './run-pass.ts'
import type { PassReport } from './run-store.ts'

export type LoopWorld = PassWorld & { readonly logger: Logger; readonly wakeups: Pick<Wakeups, 'on'> }

const FIRST_BACKOFF_MS = 200
/** After failures (database or rail away) a loop comes back slower, up to this; no wake shortens it. */
const BACKOFF_MS_MAX = 5_000

/**
 * One pass, run again and again: at once while there is work, after a rest or a wake when there is none, slower while it fails. Each failure
 * that differs from the one before is logged, and the end of a series.
 */
export class PassLoop {
  readonly pass: Pass
  readonly #world: LoopWorld
  readonly #stopListening: readonly (() => void)[]
  readonly #finished: Promise<void>
  #report: Omit<PassReport, 'pass' | 'describe' | 'everyMs'> = NEVER_RUN
  #failuresInARow = 0
  #isStopping = false
  /** Woken since the last run began. */
  #isWoken = false
  #endRest: (() => void) | undefined

  constructor(world: LoopWorld, pass: Pass) {
    this.pass = pass
    this.#world = world
    this.#stopListening = [pass.name, ...(pass.wakes ?? [])].map((channel) => world.wakeups.on(channel, () => this.#wake()))
    // Not before whoever made it has it in hand.
    this.#finished = Promise.resolve().then(() => this.#run())
  }

  /** How it goes. */
  get report(): PassReport {
    const { name, describe, everyMs } = this.pass
    return { pass: name, describe, everyMs, ...this.#report }
  }

  /** Lets the run in hand finish, then ends. */
  async stop(): Promise<void> {
    this.#isStopping = true
    for (const stop of this.#stopListening) stop()
    this.#endRest?.()
    await this.#finished
  }

  #wake(): void {
    this.#isWoken = true
    if (this.#failuresInARow === 0) this.#endRest?.()
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#isWoken = false
      const startedAt = performance.now()
      try {
        const run = await runPass(this.#world, this.pass)
        for (const trouble of run.troubles) this.#tellTrouble(trouble)
        for (const number of run.solved)
          this.#world.logger.info('a case is solved', { 'event.action': this.pass.name, 'partita.case': number })
        if (run.setback) throw run.setback
        this.#succeeded(run, performance.now() - startedAt)
        if (!run.hasMore && !this.#isWoken) await this.#rest(this.pass.everyMs)
      } catch (error) {
        this.#failed(error, performance.now() - startedAt)
        await this.#rest(Math.min(BACKOFF_MS_MAX, FIRST_BACKOFF_MS * 2 ** Math.min(this.#failuresInARow, 6)))
      }
    }
  }

  #rest(milliseconds: number): Promise<void> {
    if (this.#isStopping) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#endRest = undefined
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      this.#endRest = end
    })
  }

  #succeeded(run: PassRun, durationMs: number): void {
    if (this.#failuresInARow > 0) this.#world.logger.info('a pass works again', { 'event.action': this.pass.name })
    this.#failuresInARow = 0
    const at = this.#world.machine.now()
    const { runs, failures, done } = this.#report
    this.#report = {
      runs: runs + 1,
      failures,
      done: done + run.done,
      lastRunAt: at,
      lastSuccessAt: at,
      durationMs: Math.round(durationMs),
      lastError: null,
      failingSince: null,
    }
  }

  #failed(error: unknown, durationMs: number): void {
    const at = this.#world.machine.now()
    const reason = reasonOf(error)
    // A rail that is away is said once, not five times a second; but what else goes wrong meanwhile is not hidden behind it.
    if (reason !== this.#report.lastError)
      this.#world.logger.error('a pass failed and will try again', error, { 'event.action': this.pass.name })
    this.#failuresInARow++
    this.#report = {
      ...this.#report,
      runs: this.#report.runs + 1,
      failures: this.#report.failures + 1,
      lastRunAt: at,
      durationMs: Math.round(durationMs),
      lastError: reason,
      failingSince: this.#report.failingSince ?? at,
    }
  }

  #tellTrouble({ item, number, error, verdict: { attempts, retryAt } }: ItemTrouble): void {
    const fields = {
      'event.action': this.pass.name,
      'partita.item': item,
      'partita.case': number,
      'partita.attempts': attempts,
    }
    if (retryAt === null) this.#world.logger.error('an item of a pass is stuck and waits for a person', error, fields)
    else if (attempts === 1) this.#world.logger.error('an item of a pass failed and will be tried again', error, fields)
  }
}

const NEVER_RUN = {
  runs: 0,
  failures: 0,
  done: 0,
  lastRunAt: null,
  lastSuccessAt: null,
  durationMs: 0,
  lastError: null,
  failingSince: null,
}
