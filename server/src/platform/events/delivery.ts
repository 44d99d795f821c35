import { type SystemActor, systemActor } from '../actor.ts'
import { assert } from '../assert.ts'
import type { Clock } from '../clock.ts'
import { sqlStateOf } from '../errors.ts'
import type { Id } from '../ids.ts'
import { isPassing } from '../isolate.ts'
import type { Logger } from '../logging.ts'
import { reasonOf } from '../passes/patience.ts'
import type { Database, Tx } from '../postgres/database.ts'
import { eventAt, eventsBetween, headOf } from './archive.ts'
import type { Consumer, ConsumerName } from './consumer.ts'
import * as store from './consumer-store.ts'
import type { ArchivedEvent } from './definition.ts'
import { consumerRetryAt, eventRetryAt, FAILURES_IN_A_ROW_MAX, isToBeParked, SEEN_EVERY_MS, SILENT_MS } from './patience.ts'

export type DeliveryOptions = {
  readonly database: Database
  readonly consumer: Consumer
  /** The bank's clock: what the handler is told. */
  readonly clock: Clock
  /** The machine's clock: retries and parking. The bank's may stand still or jump. */
  readonly machine: Clock
  readonly logger: Logger
  /** Events handled in one transaction, default 100. */
  readonly batchMax?: number
}

/** A transaction takes no further event once it has lasted this long, so that a slow consumer holds nothing for long. */
const TRANSACTION_MS = 1_000
/** Positions looked at for events of the consumer's types, so that one that listens to rare events does not read the archive in one go. */
const WINDOW = 10_000n

/** What one step came to: how far it got, or who failed. `taken`: another process works for this consumer. */
type Step = { readonly done: number; readonly handled: number } | { readonly failed: Failed }
const TAKEN = { done: 0, handled: 0 }

/** The failure of one event, or (`event` undefined) of one of several that nobody can name. */
type Failed = { readonly event: ArchivedEvent | undefined; readonly index: number; readonly error: unknown }

type Batch = { readonly from: bigint; readonly to: bigint; readonly events: readonly ArchivedEvent[] }

/**
 * Hands the archive to one consumer: in order per aggregate, each event with one effect, by any number of processes of which one is at it.
 *
 * The life of an event for its consumer: *ahead* of its position → handled (the usual end), or *set aside*, with later events of its
 * aggregate waiting behind it → tried again after 1 s, 2 s, 4 s … 15 min → handled; or after a day *parked* with its reason, until a person
 * retries or skips it. A payload that does not fit its schema is parked at once. The position, or the row of the event that was set aside,
 * changes in the transaction of the handler's effect: a process that dies between the two leaves neither.
 *
 * A batch is handled in one transaction. When an event in it fails, those before it are handled again without it, and it stands first the
 * next time; only then is it blamed. When ten in a row fail and none succeeds, the consumer is blamed and rests: 1 s, 2 s … 5 min. What passes
 * without anybody mending it (database away, a retryable failure, a deadlock) is nobody's fault: the consumer rests, and no event is blamed.
 */
export class Delivery {
  readonly #options: DeliveryOptions
  readonly #types: readonly string[]
  /** Taken together at most: fewer while one of them has failed. */
  #size: number
  /** So many next events are tried one by one, since one of them failed and nobody knows which. */
  #suspects = 0
  #failuresInARow = 0
  #failingSince: Date | undefined
  #restUntil: Date | undefined
  #lastError: string | undefined

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#types = [...options.consumer.definitions.keys()].sort()
    this.#size = this.#batchMax
  }

  get name(): ConsumerName {
    return this.#options.consumer.name
  }

  /** Until when the consumer rests, by the machine's clock. */
  get restUntil(): Date | undefined {
    return this.#restUntil
  }

  /** A few short transactions. @returns how much was done; 0 when nothing waits, the consumer rests, or another process is at it. */
  async runOnce(): Promise<number> {
    const now = this.#options.machine.now()
    try {
      const look = await this.#options.database.read(this.#actor(), (tx) => this.#look(tx, now))
      if (!look) return await this.#register(now)
      if (!(await this.#serves(look.consumer, now))) return 0
      this.#restUntil = look.consumer.retryAt ?? undefined
      if (this.#restUntil && this.#restUntil > now) return 0
      let done = 0
      for (const { position } of look.due) if (!this.#isResting(now)) done += await this.#settle(await this.#retry(position), now)
      if (look.batch && !this.#isResting(now)) done += await this.#settle(await this.#advance(look.batch, look.consumer), now)
      return done
    } catch (error) {
      if (!isPassing(error)) throw error
      await this.#rest(error, now)
      return 0
    }
  }

  // What is to do ------------------------------------------------------------------------------------------------------------

  async #look(
    tx: Tx,
    now: Date,
  ): Promise<{ consumer: store.ConsumerRow; due: store.SetAsideEvent[]; batch: Batch | undefined } | undefined> {
    const consumer = await store.findConsumer(tx, this.name)
    if (!consumer) return undefined
    if (consumer.retryAt && consumer.retryAt > now) return { consumer, due: [], batch: undefined }
    const due = await store.dueAside(tx, this.name, now, FAILURES_IN_A_ROW_MAX)
    const from = consumer.position
    const head = await headOf(tx)
    if (head === from) return { consumer, due, batch: undefined }
    const end = head < from + WINDOW ? head : from + WINDOW
    const size = this.#suspects > 0 ? 1 : this.#size
    const events = await eventsBetween(tx, this.#types, from, end, size)
    return { consumer, due, batch: { from, to: events.length < size ? end : (events.at(-1)?.position ?? end), events } }
  }

  async #register(now: Date): Promise<number> {
    const { database, consumer } = this.#options
    return database.transaction(this.#actor(), async (tx) =>
      store.insertConsumer(tx, this.name, this.#types, consumer.from === 'beginning' ? 0n : await headOf(tx), now),
    )
  }

  /**
   * Processes of two releases may know different events for one consumer, and the one that knows fewer would step over the others'. So the
   * row says which types are served; who knows more takes it over, who knows others stands back until nobody serves it any more.
   */
  async #serves(row: store.ConsumerRow, now: Date): Promise<boolean> {
    const own = this.#types
    const isOurs = own.length === row.types.length && own.every((type) => row.types.includes(type))
    const silentMs = now.getTime() - row.seenAt.getTime()
    if (isOurs && silentMs < SEEN_EVERY_MS) return true
    const knowsMore = row.types.every((type) => own.includes(type))
    if (!knowsMore && silentMs < SILENT_MS) return false
    const { database } = this.#options
    return (await database.transaction(this.#actor(), (tx) => store.claimConsumer(tx, this.name, own, row.seenAt, now))) === 1
  }

  // Steps: one transaction each -----------------------------------------------------------------------------------------------

  /** Handles a batch, or as much of it as one transaction should, and moves the consumer's position. */
  async #advance(batch: Batch, { failingSince }: store.ConsumerRow): Promise<Step> {
    const { machine, database } = this.#options
    let failed: Failed | undefined
    try {
      const step = await database.transaction(this.#actor(batch.events), async (tx) => {
        if ((await store.lockConsumer(tx, this.name)) !== batch.from) return TAKEN
        const aside = await this.#asideAmong(tx, batch.events)
        const startedAt = machine.now().getTime()
        const waiting: ArchivedEvent[] = []
        let handled = 0
        let to = batch.to
        for (const [index, event] of batch.events.entries()) {
          if (aside.has(event.aggregateId)) waiting.push(event)
          else {
            failed = { event, index, error: undefined } // whose turn it is, should it throw
            await this.#handle(tx, event)
            failed = undefined
            handled++
          }
          if (machine.now().getTime() - startedAt >= TRANSACTION_MS) {
            if (index < batch.events.length - 1) to = event.position
            break
          }
        }
        if (waiting.length > 0) await store.insertWaiting(tx, this.name, waiting)
        await store.moveConsumer(tx, this.name, to)
        if (handled > 0 && failingSince) await store.noteSuccess(tx, this.name, machine.now())
        return { handled, done: Number(to - batch.from) }
      })
      if (this.#suspects > 0) this.#suspects--
      else this.#size = this.#batchMax
      return step
    } catch (error) {
      return { failed: this.#blame(error, failed, batch.events) }
    }
  }

  async #asideAmong(tx: Tx, events: readonly ArchivedEvent[]): Promise<ReadonlySet<string>> {
    return events.length === 0
      ? new Set()
      : store.aggregatesAside(tx, this.name, [...new Set(events.map((event) => event.aggregateId))])
  }

  /** Tries an event again that was set aside. */
  async #retry(position: bigint): Promise<Step> {
    const { machine, database } = this.#options
    const now = machine.now()
    const event = await database.read(this.#actor(), (tx) => eventAt(tx, position))
    assert(event, 'an event that was set aside is not in the archive')
    try {
      return await database.transaction(this.#actor([event]), async (tx) => {
        if ((await store.lockConsumer(tx, this.name)) === undefined) return TAKEN
        const due = await store.lockDue(tx, this.name, position, now)
        if (!due) return TAKEN
        await this.#handle(tx, event)
        await store.removeAside(tx, this.name, due, now)
        await store.noteSuccess(tx, this.name, now)
        return { handled: 1, done: 1 }
      })
    } catch (error) {
      if (isPassing(error)) throw error
      return { failed: { event, index: -1, error } }
    }
  }

  async #handle(tx: Tx, event: ArchivedEvent): Promise<void> {
    const { consumer, clock } = this.#options
    const problem = consumer.definitions.get(event.type)?.problemOf(event.payload)
    if (problem !== undefined) throw new UnfitPayload(`the payload does not fit ${event.type}: ${problem}`)
    await consumer.handle({ actor: this.#actor([event]), now: clock.now() }, tx, event)
  }

  // What came of it -----------------------------------------------------------------------------------------------------------

  /** Who threw: the event whose turn it was, unless the error says only that something before it had gone wrong. */
  #blame(error: unknown, turn: Failed | undefined, events: readonly ArchivedEvent[]): Failed {
    if (isPassing(error)) throw error
    const isNamed = turn && sqlStateOf(error) !== IN_FAILED_TRANSACTION
    if (isNamed) return { ...turn, error }
    if (events.length === 0) throw error
    return { event: events.length === 1 ? events[0] : undefined, index: 0, error }
  }

  #noteSuccess(): void {
    this.#failuresInARow = 0
    this.#failingSince = undefined
    this.#lastError = undefined
  }

  /** Decides what a failure means: try fewer, set the event aside, or let the consumer rest. @returns how much was done. */
  async #settle(step: Step, now: Date): Promise<number> {
    if ('done' in step) {
      if (step.handled > 0) this.#noteSuccess()
      return step.done
    }
    const { event, index, error } = step.failed
    if (!event) {
      this.#suspects = this.#size
      return 1
    }
    if (index > 0) {
      this.#size = index
      return 1
    }
    const isRetry = index < 0
    await this.#setAside(event, error, isRetry)
    if (!isRetry && this.#suspects > 0) this.#suspects--
    // An event that is tried again has patience of its own; counted here, old ones would keep new ones from ever being tried.
    if (isRetry || error instanceof UnfitPayload) return 1
    this.#failingSince ??= now
    if (++this.#failuresInARow >= FAILURES_IN_A_ROW_MAX) await this.#rest(error, now)
    return 1
  }

  async #setAside(event: ArchivedEvent, error: unknown, isRetry: boolean): Promise<void> {
    const { database, machine, logger } = this.#options
    const now = machine.now()
    await database.transaction(this.#actor(), async (tx) => {
      const position = await store.lockConsumer(tx, this.name)
      if (position === undefined) return // another is at it, and will see for himself
      if (isRetry) {
        const due = await store.lockDue(tx, this.name, event.position, now)
        if (due) await store.updateFailed(tx, this.name, event.position, verdictOn(error, due, now))
      } else if (position < event.position) {
        await store.insertFailed(tx, this.name, event, verdictOn(error, undefined, now))
        await store.moveConsumer(tx, this.name, event.position)
      }
    })
    logger.error('a consumer could not handle an event', error, {
      'event.action': this.name,
      'organization.id': event.organizationId ?? undefined,
    })
  }

  /** The consumer as a whole is left alone for a while. @throws what kept it from being noted: the database is away. */
  async #rest(error: unknown, now: Date): Promise<void> {
    const { database, logger } = this.#options
    this.#failuresInARow = 0
    const reason = reasonOf(error)
    await database.transaction(this.#actor(), async (tx) => {
      const row = await store.awaitConsumer(tx, this.name)
      const attempts = (row?.attempts ?? 0) + 1
      this.#restUntil = consumerRetryAt(attempts, now)
      await store.noteRest(tx, this.name, {
        retryAt: this.#restUntil,
        attempts,
        since: this.#failingSince ?? now,
        error: reason,
      })
    })
    if (reason !== this.#lastError)
      logger.error('a consumer rests, since it fails as a whole', error, { 'event.action': this.name })
    this.#lastError = reason
  }

  #isResting(now: Date): boolean {
    return this.#restUntil !== undefined && this.#restUntil > now
  }

  get #batchMax(): number {
    return this.#options.batchMax ?? 100
  }

  /** Bounded to the events' organizations; one that belongs to none, such as money for nobody here, is handled without a bound. */
  #actor(events: readonly ArchivedEvent[] = []): SystemActor {
    const ids = events.map((event) => event.organizationId)
    const isBounded = ids.length > 0 && !ids.includes(null)
    return systemActor(this.#options.consumer.name, isBounded ? (ids as Id<'organization'>[]) : undefined)
  }
}

/** The event is not what its name says: trying again cannot help. */
class UnfitPayload extends Error {
  override name = 'UnfitPayload'
}

const IN_FAILED_TRANSACTION = '25P02'

function verdictOn(error: unknown, earlier: store.SetAsideEvent | undefined, now: Date): store.AsideFailure {
  const reason = reasonOf(error)
  const isHopeless = error instanceof UnfitPayload || isToBeParked(earlier?.firstFailedAt ?? now, now)
  return isHopeless
    ? { now, retryAt: null, parkedAt: now, reason }
    : { now, retryAt: eventRetryAt((earlier?.attempts ?? 0) + 1, now), parkedAt: null, reason }
}
