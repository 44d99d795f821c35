/** What a request changed, remembered in the journal. The names of events are the journal's format: they stay what they are. */
export type SchemeEvent = Readonly<{ type: string }>

/** A message for the bank before it is written down; `type` is its name on the wire. */
export type Content = Readonly<{ type: string }>

/** Something for the bank, from the moment `dueAt`. */
export type QueuedMessage<Out extends Content = Content> = Readonly<{ id: string; dueAt: string; content: Out }>

export type ReleasedMessage = QueuedMessage & Readonly<{ sequence: number }>

/** What every scheme's requests can change. */
export type CoreEvent =
  | Readonly<{ type: 'bank_seen'; bic: string }>
  | Readonly<{ type: 'message_queued'; message: QueuedMessage }>

/** A journal line holds the events of one request, so that they are remembered together or not at all. */
export type JournalLine = Readonly<{ at: string; events: readonly SchemeEvent[] }>

/** What the rails know whatever is sent over them. */
export type CoreState = {
  /** The latest bank time seen; the only clock. Undefined before the first request that carries one. */
  now: string | undefined
  bankBic: string | undefined
  /** Messages not due yet, earliest first; equal times keep the order they were made in. */
  waiting: QueuedMessage[]
  /** Messages that the bank can pull; index + 1 is the sequence. */
  released: ReleasedMessage[]
  /** How many messages were ever queued: the source of new identifiers. */
  queuedCount: number
}

export const emptyCore = (): CoreState => ({
  now: undefined,
  bankBic: undefined,
  waiting: [],
  released: [],
  queuedCount: 0,
})

/**
 * Moves the clock to the line's time and applies its events; those of schemes through `applyOther`. Messages get their sequence when
 * they become due, not when they are made: a late answer must come after everything that the bank has already pulled.
 */
export function applyLine(core: CoreState, line: JournalLine, applyOther: (event: SchemeEvent) => void): void {
  if (core.now === undefined || line.at > core.now) core.now = line.at
  release(core)
  for (const event of line.events) {
    if (isCoreEvent(event)) applyEvent(core, event)
    else applyOther(event)
  }
  release(core)
}

/** Whether moving the clock would release a message, which the journal must then remember. */
export const wouldRelease = (core: CoreState, at: string): boolean => {
  const [first] = core.waiting
  return first !== undefined && first.dueAt <= at
}

function release(core: CoreState): void {
  const now = core.now
  if (now === undefined || !wouldRelease(core, now)) return
  const later = core.waiting.findIndex((message) => message.dueAt > now)
  const due = core.waiting.splice(0, later === -1 ? core.waiting.length : later)
  for (const message of due) core.released.push({ ...message, sequence: core.released.length + 1 })
}

function enqueue(waiting: QueuedMessage[], message: QueuedMessage): void {
  let low = 0
  let high = waiting.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((waiting[middle]?.dueAt ?? '') <= message.dueAt) low = middle + 1
    else high = middle
  }
  waiting.splice(low, 0, message)
}

const isCoreEvent = (event: SchemeEvent): event is CoreEvent => event.type === 'bank_seen' || event.type === 'message_queued'

function applyEvent(core: CoreState, event: CoreEvent): void {
  if (event.type === 'bank_seen') {
    core.bankBic = event.bic
    return
  }
  enqueue(core.waiting, event.message)
  core.queuedCount += 1
}
