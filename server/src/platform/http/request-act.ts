import type { Act, ActRecord, ActRecorder } from '../act.ts'
import type { KeyClaim, KeyName } from '../idempotency.ts'
import type { Operation, RequestContext } from './operation.ts'

/** What an answer consists of, before it is sent or stored. */
export type RenderedAnswer = { readonly status: number; readonly body: unknown }

/** The key of a request. */
export type RequestKey = KeyName & Pick<KeyClaim<unknown>, 'requestHash' | 'isOurs'>

/** The act of one request of a write: renders its answer once, and knows whether its record was written with its effect. */
export class RequestAct implements Act {
  readonly claim: KeyClaim<unknown> | undefined
  readonly recorder: ActRecorder | undefined
  readonly #operation: Operation
  readonly #input: unknown
  readonly #ctx: RequestContext
  #answer: RenderedAnswer | undefined
  #isRecorded = false

  constructor(
    operation: Operation,
    input: unknown,
    key: RequestKey | undefined,
    ctx: RequestContext,
    recorder: ActRecorder | undefined,
  ) {
    this.#operation = operation
    this.#input = input
    this.#ctx = ctx
    this.claim = key && { ...key, answer: (value) => this.answer(value) }
    this.recorder = recorder
  }

  answer(value: unknown): RenderedAnswer {
    this.#answer ??= { status: this.#operation.status ?? 200, body: this.#operation.write(value, this.#input) }
    return this.#answer
  }

  recordOf(value: unknown): ActRecord {
    const { audit } = this.#operation
    this.#isRecorded = true
    return this.#record(audit === 'none' ? undefined : audit(value, this.#input), 'done')
  }

  /** For what was done outside any transaction of ours. */
  async recordUnlessDone(value: unknown): Promise<void> {
    if (this.recorder && !this.#isRecorded) await this.recorder.record(undefined, [this.recordOf(value)])
  }

  async recordRefusal(outcome: string): Promise<void> {
    await this.recorder?.record(undefined, [this.#record(undefined, outcome)])
  }

  #record(subject: ActRecord['subject'], outcome: string): ActRecord {
    return { operation: this.#operation.id, actor: this.#ctx.actor, subject, outcome, at: this.#ctx.now }
  }
}
