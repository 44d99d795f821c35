import type { Seeded } from './seeded.ts'
import type { Content, CoreEvent, CoreState, QueuedMessage, SchemeEvent } from './state.ts'

/** The events of one request while they are being decided, and the identifiers that they need. */
export class Draft<State, Event extends SchemeEvent, Out extends Content> {
  readonly events: SchemeEvent[] = []
  /** What the scheme knows; read only here. */
  readonly state: State
  readonly now: string
  readonly seeded: Seeded
  readonly #core: Readonly<CoreState>
  #queued: number

  constructor(core: Readonly<CoreState>, state: State, now: string, seeded: Seeded) {
    this.#core = core
    this.state = state
    this.now = now
    this.seeded = seeded
    this.#queued = core.queuedCount
  }

  /** The BIC of the bank at the other end, once a message has told it. */
  get bankBic(): string | undefined {
    return this.#core.bankBic
  }

  add(event: Event): void {
    this.events.push(event)
  }

  /** Remembers who the bank is. */
  sawBank(bic: string | undefined): void {
    if (bic !== undefined && bic !== this.#core.bankBic) this.#remember({ type: 'bank_seen', bic })
  }

  /** A MsgId or similar of at most 35 characters; the date keeps two journals of one seed apart. */
  nextReference(prefix: string): string {
    const date = this.now.slice(0, 10).replaceAll('-', '')
    return `${prefix}${date}${String(this.#queued + 1).padStart(8, '0')}${this.seeded.reference(6, prefix, date, String(this.#queued))}`
  }

  /** Queues what `make` builds around its new MsgId. */
  queue(prefix: string, dueAt: string, make: (msgId: string) => Out): QueuedMessage<Out> {
    const id = this.nextReference(prefix)
    return this.queueAgain({ id, dueAt, content: make(id) })
  }

  /** Queues a message under the identity it already has, as a clearing system does when it delivers one twice. */
  queueAgain(message: QueuedMessage<Out>): QueuedMessage<Out> {
    this.#queued += 1
    this.#remember({ type: 'message_queued', message })
    return message
  }

  #remember(event: CoreEvent): void {
    this.events.push(event)
  }
}
