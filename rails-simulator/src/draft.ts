import type { OutgoingMessage } from './messages/types.ts'
import type { Seeded } from './seeded.ts'
import type { QueuedMessage, SimulatorEvent, State } from './state.ts'

/** The events of one request while they are being decided, and the identifiers that they need. */
export class Draft {
  readonly events: SimulatorEvent[] = []
  readonly state: State
  readonly now: string
  readonly seeded: Seeded
  private queued: number

  constructor(state: State, now: string, seeded: Seeded) {
    this.state = state
    this.now = now
    this.seeded = seeded
    this.queued = state.queuedCount
  }

  add(event: SimulatorEvent): void {
    this.events.push(event)
  }

  /** A MsgId or similar of at most 35 characters; the date keeps two journals of one seed apart. */
  nextReference(prefix: string): string {
    const date = this.now.slice(0, 10).replaceAll('-', '')
    return `${prefix}${date}${String(this.queued + 1).padStart(8, '0')}${this.seeded.reference(6, prefix, date, String(this.queued))}`
  }

  /** Queues what `make` builds around its new MsgId. */
  queue(prefix: string, dueAt: string, make: (msgId: string) => OutgoingMessage): QueuedMessage {
    const id = this.nextReference(prefix)
    return this.queueAgain({ id, dueAt, content: make(id) })
  }

  /** Queues a message under the identity it already has, as a clearing system does when it delivers one twice. */
  queueAgain(message: QueuedMessage): QueuedMessage {
    this.queued += 1
    this.add({ type: 'message_queued', message })
    return message
  }
}
