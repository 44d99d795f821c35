import { type CommandContext, systemActor } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import type { NewEvent } from '../../../platform/events/definition.ts'
import { publish, publishLast } from '../../../platform/events/outbox.ts'
import { type Facts, gatherFacts, type Need } from '../../../platform/gather.ts'
import { answerOf, findAnswers, type KeyClaim, type Keyed, storeAnswers } from '../../../platform/idempotency.ts'
import type { Id } from '../../../platform/ids.ts'
import { isPassing } from '../../../platform/isolate.ts'
import { Lane, type LaneAttempt } from '../../../platform/lane.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result } from '../../../platform/result.ts'
import { type Write, writeAll } from '../../../platform/write.ts'
import type { BookId, Operation, Outcome } from '../domain/operation.ts'
import { postInPieces } from './post.ts'

/**
 * A command about money that says what it needs to know and decides purely, so that it can share its book's commit with whatever other
 * commands come at the same time. It may be decided more than once (somebody was faster, the connection was lost): ids that name it in the
 * ledger are made with the order, not in `decide`.
 */
export type MoneyOrder<Value, Refusal> = {
  readonly organizationId: Id<'organization'>
  readonly orderedAt: Date
  /** The idempotency key that it came with. An order without one recognizes itself in its facts when it is asked again. */
  readonly claim?: KeyClaim<Value>
  /** No two orders of the same name are under way at once: for what only a unique index would keep apart. */
  readonly apart?: string
  /** How many ledger operations it makes at most, 1 unless said. */
  readonly weight?: number
  readonly needs: readonly Need[]
  readonly decide: (facts: Facts) => Result<MoneyDecision<Value, Refusal>, Refusal>
}

/** What is to be posted in the organization's book, and what follows from the ledger's outcomes. */
export type MoneyDecision<Value, Refusal> = {
  readonly bookId: BookId
  /** Operations that must stand or fall together carry a group. */
  readonly operations: readonly Operation[]
  /** @param outcomes by operation, in order. @returns a refusal only where nothing was posted. */
  readonly effects: (outcomes: readonly Outcome[]) => Result<MoneyEffects<Value>, Refusal>
}

export type MoneyEffects<Value> = {
  readonly writes: readonly Write[]
  readonly events: readonly NewEvent[]
  readonly answer: Value
}

export type MoneyAnswer<Value, Refusal> = Result<Keyed<Value>, Refusal>

type AnyOrder = MoneyOrder<unknown, unknown>
type AnyAnswer = MoneyAnswer<unknown, unknown>
type UnderWay = { readonly order: AnyOrder; readonly answer: Promise<AnyAnswer> }
type Decided = { readonly order: AnyOrder; readonly decision: MoneyDecision<unknown, unknown> }
type Effected = { readonly order: AnyOrder; readonly effects: Result<MoneyEffects<unknown>, unknown> }

const BATCH_MAX = 400
const WAITING_MAX = 10_000
/** A request that finds the database away is told so, rather than kept waiting for its restart. */
const PATIENCE_MS = 2_000

/**
 * The one way by which requests move money. Orders of one book share a transaction: while one batch is being committed, the next gathers,
 * and a lone order waits for nobody. In that transaction: answers of keys used before are found, each kind of fact is read once, every
 * order is decided, the book posts all of them in one call, each kind of row is written once, and so are events and answers to be kept. An
 * order is answered after the commit. One that makes the database raise is found by halving and fails alone.
 *
 * One per process: it is what keeps equal keys apart.
 */
export class MoneyLane {
  readonly #database: Database
  readonly #lanes = new Map<BookId | undefined, Lane<AnyOrder, AnyAnswer>>()
  // An organization lives in one book for life; its first order teaches us which.
  readonly #books = new Map<string, BookId>()
  readonly #underWay = new Map<string, UnderWay>()

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws PlatformUnavailable, retryable with the same key: nothing has been written, or the stored answer will say what was. */
  async submit<Value, Refusal>(order: MoneyOrder<Value, Refusal>): Promise<MoneyAnswer<Value, Refusal>> {
    return (await this.#inTurn(order as unknown as AnyOrder)) as MoneyAnswer<Value, Refusal>
  }

  /** Resolves when everything submitted is answered. */
  async drain(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay.values()].map(({ answer }) => answer))
    await Promise.all([...this.#lanes.values()].map((lane) => lane.drain()))
  }

  /** Orders of the same name follow one another, and most repeats need not be executed at all. */
  async #inTurn(order: AnyOrder): Promise<AnyAnswer> {
    const name = nameOf(order)
    if (name === undefined) return this.#laneOf(order).submit(order)
    for (let leader = this.#underWay.get(name); leader; leader = this.#underWay.get(name)) {
      const repeated = await repeatedAnswer(order, leader)
      if (repeated) return repeated
    }
    const answer = this.#laneOf(order).submit(order)
    this.#underWay.set(name, { order, answer })
    try {
      return await answer
    } finally {
      this.#underWay.delete(name)
    }
  }

  #laneOf(order: AnyOrder): Lane<AnyOrder, AnyAnswer> {
    const book = this.#books.get(order.organizationId)
    let lane = this.#lanes.get(book)
    if (!lane) {
      lane = new Lane({
        execute: (batch, attempt) => this.#execute(batch, attempt),
        batchMax: BATCH_MAX,
        waitingMax: WAITING_MAX,
        weigh: ({ weight }) => weight ?? 1,
        patienceMs: PATIENCE_MS,
      })
      this.#lanes.set(book, lane)
    }
    return lane
  }

  #execute(orders: readonly AnyOrder[], attempt: LaneAttempt): Promise<AnyAnswer[]> {
    const organizationIds = [...new Set(orders.map((order) => order.organizationId))]
    const now = new Date(Math.max(...orders.map((order) => order.orderedAt.getTime())))
    const ctx: CommandContext = { actor: systemActor('ledger.lane', organizationIds), now }
    return this.#database.transaction(ctx.actor, async (tx) => {
      const answers = await answersBefore(tx, orders, ctx, attempt)
      const fresh = orders.filter((order) => !answers.has(order))
      const decided = await this.#decide(tx, fresh, answers)
      const effected = await postAll(tx, decided, ctx)
      attempt.decided()
      await record(tx, effected, ctx)
      for (const { order, effects } of effected) answers.set(order, effects.ok ? ok({ value: effects.value.answer }) : effects)
      return orders.map((order) => {
        const answer = answers.get(order)
        assert(answer, 'an order was not answered')
        return answer
      })
    })
  }

  async #decide(tx: Tx, orders: readonly AnyOrder[], answers: Map<AnyOrder, AnyAnswer>): Promise<Decided[]> {
    const factsOf = await gatherFacts(
      tx,
      orders.flatMap((order) => order.needs),
    )
    return orders.flatMap((order) => {
      const decision = order.decide(factsOf(order.needs))
      if (!decision.ok) {
        answers.set(order, decision)
        return []
      }
      this.#books.set(order.organizationId, decision.value.bookId)
      return [{ order, decision: decision.value }]
    })
  }
}

/** Carries out one decision in the caller's own transaction. Call it last, as `post`: the book's lock is held until commit. */
export async function carryOut<Value, Refusal>(
  ctx: CommandContext,
  tx: Tx,
  { bookId, operations, effects }: MoneyDecision<Value, Refusal>,
): Promise<Result<Value, Refusal>> {
  const done = effects(await postInPieces(tx, bookId, operations, ctx.now))
  if (!done.ok) return done
  const told = await writeAll(ctx, tx, done.value.writes)
  await publish(tx, [...done.value.events, ...told])
  return ok(done.value.answer)
}

/** Names cannot be taken for one another: ids and operations have no space in them. */
const nameOf = ({ claim, apart, organizationId }: AnyOrder): string | undefined => {
  if (claim) return claim.isOurs ? undefined : `${claim.organizationId} ${claim.operation} ${claim.key}`
  return apart === undefined ? undefined : `${organizationId} ${apart}`
}

/**
 * What an order is answered because one of the same name was under way. @returns undefined when it has to be decided by itself: the other
 * had no effect and said something else.
 */
async function repeatedAnswer({ claim }: AnyOrder, leader: UnderWay): Promise<AnyAnswer | undefined> {
  const isSame = claim && leader.order.claim?.requestHash.equals(claim.requestHash)
  try {
    const answer = await leader.answer
    if (!answer.ok) return isSame ? answer : undefined
    return leader.order.claim && ok({ replay: answer.value.replay ?? answerOf(leader.order.claim, answer.value.value) })
  } catch (error) {
    if (isSame || isPassing(error)) throw error
    return undefined
  }
}

/** Keys that were used before. One that we made ourselves can have been used only by an earlier attempt. */
async function answersBefore(
  tx: Tx,
  orders: readonly AnyOrder[],
  { now }: CommandContext,
  attempt: LaneAttempt,
): Promise<Map<AnyOrder, AnyAnswer>> {
  const keyed = orders.flatMap((order) =>
    order.claim && (attempt.number > 1 || !order.claim.isOurs) ? [{ order, claim: order.claim }] : [],
  )
  const stored = await findAnswers(
    tx,
    keyed.map(({ claim }) => claim),
    now,
  )
  return new Map(
    keyed.flatMap(({ order }, index): [AnyOrder, AnyAnswer][] => {
      const replay = stored[index]
      return replay ? [[order, ok({ replay })]] : []
    }),
  )
}

/** Posts each book's operations in one call, books in one order, so that two batches over the same books wait for each other. */
async function postAll(tx: Tx, decided: readonly Decided[], { now }: CommandContext): Promise<Effected[]> {
  const outcomesOf = new Map<Decided, readonly Outcome[]>()
  const byBook = Map.groupBy(decided, ({ decision }) => decision.bookId)
  for (const [book, inBook] of [...byBook].sort(([a], [b]) => a - b)) {
    const outcomes = await postInPieces(
      tx,
      book,
      inBook.flatMap(({ decision }) => decision.operations),
      now,
    )
    let from = 0
    for (const one of inBook) {
      const to = from + one.decision.operations.length
      outcomesOf.set(one, outcomes.slice(from, to))
      from = to
    }
  }
  return decided.map((one) => {
    const outcomes = outcomesOf.get(one) ?? []
    const effects = one.decision.effects(outcomes)
    assert(effects.ok || !outcomes.some(isPosted), 'an order was refused after some of its money had moved')
    return { order: one.order, effects }
  })
}

const isPosted = (outcome: Outcome): boolean => outcome.ok && !outcome.value.replayed

/** Answers to be kept, rows and events, each kind in one statement. */
async function record(tx: Tx, effected: readonly Effected[], ctx: CommandContext): Promise<void> {
  const done = effected.flatMap(({ order, effects }) => (effects.ok ? [{ order, effects: effects.value }] : []))
  const answers = done.flatMap(({ order: { claim }, effects }) =>
    claim
      ? [{ organizationId: claim.organizationId, operation: claim.operation, key: claim.key, ...answerOf(claim, effects.answer) }]
      : [],
  )
  await storeAnswers(tx, answers, ctx.now)
  const writes = done.flatMap(({ effects }) => effects.writes)
  const told = await writeAll(ctx, tx, writes)
  await publishLast(tx, [...done.flatMap(({ effects }) => effects.events), ...told], ctx.now)
}
