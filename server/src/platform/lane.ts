import { assert } from './assert.ts'
import { presentDeadline, workUntil } from './deadline.ts'
import { Overtaken, PlatformUnavailable } from './errors.ts'
import { isolate, isPassing } from './isolate.ts'
import { isConnectionLoss } from './postgres/database.ts'

/** What the lane tells about the attempt that is being made, and is told of it. */
export type LaneAttempt = {
  /** 1 for the first. Later ones follow a failure after which nobody knows whether the work was committed. */
  readonly number: number
  /**
   * Says that the batch holds all the locks that its followers need, so that nothing but its own writing and the commit is to come. When a
   * crowd waits, the next batch is then executed at once: it stands at the lock when this one commits, and PostgreSQL goes from one to the
   * other without asking us. Never called: batches follow one another.
   */
  decided(): void
}

export type LaneOptions<Command, Answer> = {
  /**
   * Does all commands in one transaction and answers each, in order, or throws and has done none. Called again with the same commands when
   * the connection was lost: they must be repeatable (they carry their own ids or keys).
   */
  readonly execute: (batch: readonly Command[], attempt: LaneAttempt) => Promise<readonly Answer[]>
  /** Most weight per batch. A command that is heavier goes alone. */
  readonly batchMax: number
  /** Weight that may wait before new commands are turned away. */
  readonly waitingMax: number
  /** 1 for each unless said. */
  readonly weigh?: (command: Command) => number
  /** Begins a batch. @returns whether a command may join those that joined before; the first one must. One that may not begins the next batch. */
  readonly companions?: () => (command: Command) => boolean
  /** How long work is tried again that failed by what is passing; 6,000 ms unless said: a database that restarts after a crash is back within that. */
  readonly patienceMs?: number
  /**
   * When a command's caller waits no longer, in `MachineTime`; `presentDeadline` unless said. It is not begun after that, nor tried again
   * for its sake, and the work on a batch ends when nobody waits for any of it.
   */
  readonly deadlineOf?: (command: Command) => number
  readonly time?: MachineTime
}

/** The machine's time, in ms since some moment: how long somebody has waited has nothing to do with the bank's clock. */
export type MachineTime = { readonly now: () => number; readonly pause: (ms: number) => Promise<void> }

const machineTime: MachineTime = {
  now: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

type Waiting<Command, Answer> = {
  readonly command: Command
  readonly deadline: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

const PATIENCE_MS = 6_000
const RETRY_DELAY_MS = 25
const RETRY_DELAY_MS_MAX = 1_000

/**
 * Natural group commit: while one batch is in flight the next one queues, so that many callers share one transaction and one flush to
 * disk, and a lone caller waits for nobody. After a lost connection nobody knows whether the batch was committed, and the lane asks again;
 * a command that makes the batch fail is found by halving and fails alone.
 *
 * Commands are executed in the order they came. Only after a failure may one pass another that was not yet answered: whoever needs an
 * order then waits for each answer.
 */
export class Lane<Command, Answer> {
  readonly #options: LaneOptions<Command, Answer>
  readonly #time: MachineTime
  #queue: Waiting<Command, Answer>[] = []
  #weight = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: LaneOptions<Command, Answer>) {
    assert(options.batchMax > 0, 'batchMax out of range')
    this.#options = options
    this.#time = options.time ?? machineTime
  }

  /** The weight that waits for a batch. */
  get waiting(): number {
    return this.#weight
  }

  /** @throws PlatformUnavailable, retryable with the same keys, when too much waits already, the lane is closed, or the database stays away. */
  submit(command: Command): Promise<Answer> {
    if (this.#closed) return Promise.reject(new PlatformUnavailable('the lane is closed'))
    const weight = this.#weigh(command)
    if (this.#weight + weight > this.#options.waitingMax && this.#queue.length > 0)
      return Promise.reject(new PlatformUnavailable('too many commands are waiting'))
    this.#weight += weight
    const deadline = this.#options.deadlineOf?.(command) ?? presentDeadline()
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, deadline, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when everything submitted so far is answered. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Takes no more, and resolves when everything taken is answered. */
  close(): Promise<void> {
    this.#closed = true
    return this.drain()
  }

  #weigh(command: Command): number {
    return this.#options.weigh?.(command) ?? 1
  }

  async #run(): Promise<void> {
    // Callers of the same turn of the event loop share the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve))
    let answered: Promise<void> | undefined
    while (this.#queue.length > 0) {
      const decided = Promise.withResolvers<void>()
      const before = answered
      answered = this.#settle(this.#take(), decided.resolve)
      await Promise.race([decided.promise, answered])
      // Only for a crowd: half a batch that waits a little longer becomes a whole one, which costs less per command than two halves.
      if (this.#weight < this.#options.batchMax >> 1) await answered
      await before
    }
    this.#running = answered?.then(() => {
      this.#running = undefined
      if (this.#queue.length > 0) this.#running = this.#run()
    })
  }

  #take(): Waiting<Command, Answer>[] {
    const mayJoin = this.#options.companions?.()
    let count = 0
    let weight = 0
    for (const { command } of this.#queue) {
      const more = this.#weigh(command)
      if (count > 0 && weight + more > this.#options.batchMax) break
      if (mayJoin && !mayJoin(command)) break
      weight += more
      count++
    }
    assert(count > 0, 'the first command of a batch may join it')
    this.#weight -= weight
    return this.#queue.splice(0, count)
  }

  async #settle(taken: readonly Waiting<Command, Answer>[], decided: () => void): Promise<void> {
    const batch = taken.filter((waiting) => this.#isInTime(waiting))
    try {
      await isolate(
        batch,
        (some) => this.#answer(some, decided),
        (waiting, error) => waiting.reject(error),
      )
    } catch (error) {
      for (const waiting of batch) waiting.reject(error) // those that are answered keep their answers
    }
  }

  #isInTime({ deadline, reject }: Waiting<Command, Answer>): boolean {
    const isInTime = this.#time.now() <= deadline
    if (!isInTime) reject(new PlatformUnavailable('the command waited until its time was over: it was not begun'))
    return isInTime
  }

  async #answer(batch: readonly Waiting<Command, Answer>[], decided: () => void): Promise<void> {
    const answers = await this.#executeWithRetry(
      batch.map((waiting) => waiting.command),
      Math.max(...batch.map((waiting) => waiting.deadline)),
      decided,
    )
    assert(answers.length === batch.length, 'a batch must be answered whole')
    batch.forEach((waiting, index) => {
      waiting.resolve(answers[index] as Answer)
    })
  }

  async #executeWithRetry(commands: readonly Command[], deadline: number, decided: () => void): Promise<readonly Answer[]> {
    const { execute, patienceMs = PATIENCE_MS } = this.#options
    const until = Math.min(this.#time.now() + patienceMs, deadline)
    let delayMs = RETRY_DELAY_MS
    for (let number = 1; ; number++) {
      try {
        return await workUntil(deadline, () => execute(commands, { number, decided }))
      } catch (error) {
        if (!isPassing(error)) throw error
        const pauseMs = error instanceof Overtaken ? 0 : delayMs
        if (this.#time.now() + pauseMs > until)
          throw isConnectionLoss(error) ? error : new PlatformUnavailable('others kept getting in the way', error)
        if (pauseMs > 0) {
          await this.#time.pause(pauseMs)
          delayMs = Math.min(2 * delayMs, RETRY_DELAY_MS_MAX)
        }
      }
    }
  }
}
