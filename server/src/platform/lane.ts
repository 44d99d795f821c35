import { assert } from './assert.ts'
import { PlatformUnavailable } from './errors.ts'
import { isolate } from './isolate.ts'
import { isConnectionLoss } from './postgres/database.ts'

export type LaneOptions<Command, Answer> = {
  /** Does all commands in one transaction and answers each, in order. Called again with the same commands when the connection was lost. */
  readonly execute: (batch: readonly Command[]) => Promise<readonly Answer[]>
  /** Most commands per batch. */
  readonly batchMax: number
  /** Commands that may wait before new ones are turned away. */
  readonly queueMax: number
}

type Waiting<Command, Answer> = { command: Command; resolve: (answer: Answer) => void; reject: (error: unknown) => void }

const CONNECTION_TRIES = 3

/**
 * Natural group commit: while one batch is in flight the next one queues, so that many callers share one transaction and one
 * flush to disk, and a lone caller waits for nobody. Commands must be repeatable (they carry their own ids): after a lost
 * connection nobody knows whether the batch was committed, and the lane asks again.
 */
export class Lane<Command, Answer> {
  readonly #options: LaneOptions<Command, Answer>
  #queue: Waiting<Command, Answer>[] = []
  #running: Promise<void> | undefined

  constructor(options: LaneOptions<Command, Answer>) {
    this.#options = options
  }

  /** @throws PlatformUnavailable when too many wait already, or the database stays away. */
  submit(command: Command): Promise<Answer> {
    if (this.#queue.length >= this.#options.queueMax)
      return Promise.reject(new PlatformUnavailable('too many commands are waiting'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when everything submitted so far is answered. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #run(): Promise<void> {
    // Callers of the same turn of the event loop share the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.batchMax)
      try {
        await isolate(
          batch,
          (some) => this.#answer(some),
          (waiting, error) => waiting.reject(error),
        )
      } catch (error) {
        for (const waiting of batch) waiting.reject(error) // those that are answered keep their answers
      }
    }
    this.#running = undefined
  }

  async #answer(batch: readonly Waiting<Command, Answer>[]): Promise<void> {
    const answers = await this.#executeWithRetry(batch.map((waiting) => waiting.command))
    assert(answers.length === batch.length, 'a batch must be answered whole')
    batch.forEach((waiting, index) => {
      waiting.resolve(answers[index] as Answer)
    })
  }

  async #executeWithRetry(commands: readonly Command[]): Promise<readonly Answer[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#options.execute(commands)
      } catch (error) {
        if (!isConnectionLoss(error) || attempt === CONNECTION_TRIES) throw error
      }
    }
  }
}
