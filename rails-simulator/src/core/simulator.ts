import { type Booking, writeStatement } from '../messages/camt053.ts'
import { type NamedDocument, type ReadRefusal, readDocument, readingMessage } from '../messages/document.ts'
import { Draft } from './draft.ts'
import type { Journal } from './journal.ts'
import type { MessageKind, Reply, Scheme, SchemeApi, TransactionView } from './scheme.ts'
import { type Seeded, seeded } from './seeded.ts'
import { applyLine, type Content, type CoreState, emptyCore, type JournalLine, type SchemeEvent, wouldRelease } from './state.ts'
import { businessDate } from './times.ts'

export type Options = Readonly<{
  seed: string
  schemes: readonly Scheme[]
  journal: Journal
  lines?: readonly JournalLine[]
}>

/** A message as the bank pulls it. */
export type PulledMessage = Readonly<{ sequence: number; id: string; message_type: string; available_at: string; xml: string }>

export type TakeResult =
  | Readonly<{ ok: true; reply: Reply; msgId: string; name: string }>
  | Readonly<{ ok: false; refusal: ReadRefusal }>

/**
 * The rails: they take messages for their schemes, move their clock with the bank's, and keep messages for the bank to pull. Decisions are
 * made on the state in memory; a request is answered when its journal line is on disk.
 */
export class Simulator {
  readonly #core: CoreState = emptyCore()
  readonly #states = new Map<Scheme, unknown>()
  readonly #seeded: Seeded
  readonly #journal: Journal

  /** @throws Error when a line holds an event that none of the schemes knows. */
  constructor({ seed, schemes, journal, lines = [] }: Options) {
    for (const scheme of schemes) this.#states.set(scheme, scheme.emptyState())
    this.#seeded = seeded(seed)
    this.#journal = journal
    for (const line of lines) this.#apply(line)
  }

  /** The latest bank time seen. */
  get now(): string | undefined {
    return this.#core.now
  }

  get schemes(): Iterable<Scheme> {
    return this.#states.keys()
  }

  /** Moves the clock; a time before the latest one changes nothing. */
  async advance(bankTime: string): Promise<void> {
    if (wouldRelease(this.#core, bankTime)) await this.#record({ at: bankTime, events: [] })
    else if (this.#core.now === undefined || bankTime > this.#core.now) this.#core.now = bankTime
  }

  /** Takes a message of the bank for the scheme that it belongs to. */
  async take(xml: string): Promise<TakeResult> {
    const document = readDocument(xml)
    if (!document.ok) return document
    const found = this.#kindOf(document.value)
    if (!found) {
      const { root } = document.value
      const message = `${root.name} in namespace "${root.namespace}" is not a message of this clearing system`
      return { ok: false, refusal: { code: 'message_not_supported', message } }
    }
    const read = readingMessage(() => found.kind.read(document.value.root))
    if (!read.ok) return read
    const reply = await this.#api(found.scheme).decide((draft) => read.value.decide(draft))
    return { ok: true, reply, msgId: read.value.msgId, name: found.kind.name }
  }

  #kindOf({ name, root }: NamedDocument): { scheme: Scheme; kind: MessageKind<unknown, SchemeEvent, Content> } | undefined {
    for (const [scheme, state] of this.#states) {
      const kind = scheme.messages.find((each) => each.name === name && (each.isOurs?.(root, state) ?? true))
      if (kind) return { scheme, kind }
    }
    return undefined
  }

  /** Messages that are due, after a sequence, oldest first. */
  messages(after: number, limit: number): PulledMessage[] {
    return this.#core.released.slice(after, after + limit).map(({ sequence, id, dueAt, content }) => ({
      sequence,
      id,
      message_type: content.type,
      available_at: dueAt,
      xml: this.#write(content),
    }))
  }

  counts(): Record<string, number> {
    return {
      ...Object.assign({}, ...[...this.#states].map(([scheme, state]) => scheme.counts?.(state))),
      messages_released: this.#core.released.length,
      messages_waiting: this.#core.waiting.length,
    }
  }

  /** Everything known under a TxId, whichever bank sent it. */
  transaction(txId: string): TransactionView | undefined {
    for (const [scheme, state] of this.#states) {
      const view = scheme.transaction?.(state, txId, this.#core.now ?? '')
      if (view) return view
    }
    return undefined
  }

  /** The camt.053 of the bank's settlement account, over all schemes, for one business date; by default today's so far. */
  statement(now: string, date = businessDate(now)): string {
    const bookings: Booking[] = [...this.#states].flatMap(([scheme, state]) => scheme.bookings?.(state, now) ?? [])
    return writeStatement(bookings, { now, date, bankBic: this.#core.bankBic })
  }

  /** Lets a scheme add its own routes. */
  mount(scheme: Scheme, app: Parameters<NonNullable<Scheme['routes']>>[0]): void {
    scheme.routes?.(app, this.#api(scheme))
  }

  close(): Promise<void> {
    return this.#journal.close()
  }

  #api(scheme: Scheme): SchemeApi<unknown, SchemeEvent, Content> {
    const state = this.#states.get(scheme)
    const now = () => this.#core.now ?? ''
    return {
      get now() {
        return now()
      },
      state,
      decide: async (work) => {
        const draft = new Draft<unknown, SchemeEvent, Content>(this.#core, state, now(), this.#seeded)
        const decided = work(draft)
        if (draft.events.length > 0) await this.#record({ at: draft.now, events: draft.events })
        return decided
      },
    }
  }

  #write(content: Content): string {
    for (const scheme of this.#states.keys()) {
      const written = scheme.write(content)
      if (written !== undefined) return written
    }
    throw new Error(`no scheme writes ${content.type}`)
  }

  async #record(line: JournalLine): Promise<void> {
    this.#apply(line)
    await this.#journal.append(line)
  }

  #apply(line: JournalLine): void {
    applyLine(this.#core, line, (event) => {
      for (const [scheme, state] of this.#states) if (scheme.apply(state, event)) return
      throw new Error(`the journal holds an event "${event.type}" that no scheme knows: it was written by a newer release`)
    })
  }
}
