import { systemActor } from '../actor.ts'
import type { Metrics } from '../metrics.ts'
import { countOpen, forgetEnded } from './item-store.ts'
import { chore, type Pass } from './pass.ts'
import { type LoopWorld, PassLoop } from './pass-loop.ts'
import { forgetProcess, forgetSilent, reportRuns } from './run-store.ts'

export type RunnerWorld = LoopWorld & {
  readonly metrics: Metrics
  /** What this process is called in `partita worker status`. */
  readonly processName: string
}

const REPORT_EVERY_MS = 5_000
const HOUSEKEEPING_MS = 60_000
/** A process that was killed is shown as silent for so long. */
const SILENT_KEPT_MS = 24 * 3_600_000
/** How long a solved case can still be looked up. */
const ENDED_KEPT_MS = 90 * 24 * 3_600_000
const FORGOTTEN_AT_ONCE = 5_000

const REPORTER = systemActor('platform.report_passes')

/** Runs passes side by side until it is stopped. Any number of processes may run the same. */
export class PassRunner {
  readonly #world: RunnerWorld
  readonly #loops: readonly PassLoop[]

  constructor(world: RunnerWorld, passes: readonly Pass[]) {
    this.#world = world
    const own = [
      chore({
        name: 'platform.report_passes',
        describe: 'Says how each pass goes, for status and metrics',
        everyMs: REPORT_EVERY_MS,
        run: () => this.#tell(),
      }),
      chore({
        name: 'platform.forget_ended_cases',
        describe: 'Forgets solved cases after 90 days, and processes that have been silent for a day',
        everyMs: HOUSEKEEPING_MS,
        run: () => this.#forget(),
      }),
    ]
    this.#loops = [...passes, ...own].map((pass) => new PassLoop(world, pass))
    observe(world.metrics, this.#loops, world)
  }

  /** Lets the runs in hand finish, then ends. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()))
    await this.#world.database.transaction(REPORTER, (tx) => forgetProcess(tx, this.#world.processName)).catch(() => {})
  }

  async #tell(): Promise<number> {
    const { database, machine, processName } = this.#world
    const reports = this.#loops.map(({ report }) => report)
    await database.transaction(REPORTER, (tx) => reportRuns(tx, processName, reports, machine.now()))
    return 0
  }

  async #forget(): Promise<number> {
    const ago = (ms: number) => new Date(this.#world.machine.now().getTime() - ms)
    const forgotten = await this.#world.database.transaction(REPORTER, async (tx) => {
      await forgetSilent(tx, ago(SILENT_KEPT_MS))
      return forgetEnded(tx, ago(ENDED_KEPT_MS), FORGOTTEN_AT_ONCE)
    })
    return forgotten === FORGOTTEN_AT_ONCE ? forgotten : 0
  }
}

/** Per pass: runs, failures, seconds since it last succeeded; items that wait for another try, and cases. */
function observe(metrics: Metrics, loops: readonly PassLoop[], { database, machine }: RunnerWorld): void {
  const ofLoops = (of: (report: PassLoop['report']) => number) => () =>
    new Map(loops.map(({ report }) => [report.pass, of(report)]))
  metrics.series(
    'counter',
    'partita_pass_runs_total',
    'Runs of a pass.',
    'pass',
    ofLoops((report) => report.runs),
  )
  metrics.series(
    'counter',
    'partita_pass_failures_total',
    'Runs that failed as a whole.',
    'pass',
    ofLoops((report) => report.failures),
  )
  metrics.series(
    'counter',
    'partita_pass_done_total',
    'Items done.',
    'pass',
    ofLoops((report) => report.done),
  )
  const startedAt = machine.now()
  const idleSeconds = ({ lastSuccessAt }: PassLoop['report']) =>
    (machine.now().getTime() - (lastSuccessAt ?? startedAt).getTime()) / 1_000
  metrics.series(
    'gauge',
    'partita_pass_seconds_since_success',
    'Age of the last run that succeeded.',
    'pass',
    ofLoops(idleSeconds),
  )
  const ofItems = (of: (open: { waiting: number; stuck: number }) => number) => async () => {
    const open = new Map((await database.read(REPORTER, countOpen)).map((row) => [row.pass, row]))
    const passes = new Set([...loops.map(({ pass }) => pass.name), ...open.keys()])
    return new Map([...passes].map((pass) => [pass, of(open.get(pass) ?? { waiting: 0, stuck: 0 })]))
  }
  metrics.series(
    'gauge',
    'partita_pass_items_waiting',
    'Items that failed and will be tried again.',
    'pass',
    ofItems((open) => open.waiting),
  )
  metrics.series(
    'gauge',
    'partita_pass_items_stuck',
    'Cases: items that wait for a person.',
    'pass',
    ofItems((open) => open.stuck),
  )
}
