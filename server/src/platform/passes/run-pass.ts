import { type CommandContext, systemActor } from '../actor.ts'
import type { Clock } from '../clock.ts'
import { Failure } from '../errors.ts'
import { isolate } from '../isolate.ts'
import type { Database, Tx } from '../postgres/database.ts'
import { earlierFailures, type FailedItem, recordFailures, recordSuccesses } from './item-store.ts'
import type { AnyItem, InsidePass, OutsidePass, Pass, Taking } from './pass.ts'
import { ATTEMPTS_MAX, decideFailure, reasonOf } from './patience.ts'

/** What passes stand on. */
export type PassWorld = {
  readonly database: Database
  /** The bank's time: what is due. */
  readonly clock: Clock
  /** The machine's time: how long ago something failed. */
  readonly machine: Clock
}

/** An item that could not be done by itself. */
export type ItemTrouble = FailedItem & { readonly number: bigint; readonly error: unknown }

export type PassRun = {
  /** How many items, or how much of a chore, were done. */
  readonly done: number
  /** Whether there may be more to do at once. */
  readonly hasMore: boolean
  readonly troubles: readonly ItemTrouble[]
  /** Cases that this run solved. */
  readonly solved: readonly bigint[]
  /** Why it had better rest before it goes on. */
  readonly setback?: Failure
}

/**
 * Runs a pass once.
 *
 * All items that are due are taken and done in one transaction. When that throws, halves are tried behind a savepoint, so that what was taken
 * stays locked for us, until each bad item stands alone; the good ones commit together with the memory of the bad. What passes by itself
 * (database or rail away, a lock that did not come free) is no item's fault: everything is rolled back and nothing is counted.
 * @throws whatever is wrong with the pass itself, or passing.
 */
export async function runPass(world: PassWorld, pass: Pass): Promise<PassRun> {
  const ctx: CommandContext = { actor: systemActor(pass.name), now: world.clock.now() }
  switch (pass.kind) {
    case 'inside':
      return runInside(world, ctx, pass)
    case 'outside':
      return runOutside(world, ctx, pass)
    case 'chore': {
      const done = await pass.run(ctx)
      return { done, hasMore: done > 0, troubles: [], solved: [] }
    }
  }
}

const NOTHING: PassRun = { done: 0, hasMore: false, troubles: [], solved: [] }

function runInside(world: PassWorld, ctx: CommandContext, pass: InsidePass<AnyItem> & { kind: 'inside' }): Promise<PassRun> {
  return world.database.transaction(ctx.actor, async (tx) => {
    const items = await pass.take(tx, takingOf(world, ctx, pass))
    if (items.length === 0) return NOTHING
    return doAlone(world, tx, pass, items, (some) => pass.together(ctx, tx, some))
  })
}

async function runOutside(
  world: PassWorld,
  ctx: CommandContext,
  pass: OutsidePass<AnyItem, AnyItem> & { kind: 'outside' },
): Promise<PassRun> {
  const { database } = world
  const items = await database.transaction(ctx.actor, (tx) => pass.take(tx, takingOf(world, ctx, pass)))
  if (items.length === 0) return NOTHING
  const outcomes = new Map(await Promise.all(items.map(async (item) => [item, await pass.outside(ctx, item)] as const)))
  const later: CommandContext = { ...ctx, now: world.clock.now() }
  const tried = (some: readonly AnyItem[]) => some.map((item) => ({ item, outcome: outcomes.get(item) }))
  const run = await database.transaction(ctx.actor, (tx) =>
    doAlone(world, tx, pass, items, (some) => pass.record(later, tx, tried(some))),
  )
  const remaining = tried(items).filter((one) => pass.remainsDue(one)).length
  if (remaining === 0) return run
  const setback = new Failure(`nobody outside takes ${remaining} of ${items.length} items`, { retryable: true })
  return { ...run, done: run.done - remaining, hasMore: false, setback }
}

const takingOf = (world: PassWorld, { now }: CommandContext, pass: { name: string; batch: number }): Taking => ({
  now,
  limit: pass.batch,
  held: { pass: pass.name, at: world.machine.now() },
})

type Doing = Pick<InsidePass<AnyItem>, 'name' | 'key' | 'subject'> & { readonly kind: 'inside' | 'outside' }

/** Does the items, finds those that cannot be done, and remembers both in the same commit. */
async function doAlone(
  world: PassWorld,
  tx: Tx,
  pass: Doing,
  items: readonly AnyItem[],
  work: (items: readonly AnyItem[]) => Promise<void>,
): Promise<PassRun> {
  const failed = new Map<AnyItem, unknown>()
  await isolate(
    items,
    (some) => behindSavepoint(tx, () => work(some)),
    (item, error) => void failed.set(item, error),
  )
  const at = world.machine.now()
  const keysDone = items.filter((item) => !failed.has(item)).map(pass.key)
  const solved = await recordSuccesses(tx, pass.name, keysDone, at)
  const troubles = failed.size === 0 ? [] : await keep(tx, pass, failed, at)
  return { done: keysDone.length, hasMore: items.length > 0, troubles, solved }
}

/** Does the work or, when it throws, nothing of it. Constraints that wait for the commit are checked here, where their item is known. */
async function behindSavepoint(tx: Tx, work: () => Promise<void>): Promise<void> {
  await tx.query('savepoint items')
  try {
    await work()
    await tx.query('set constraints all immediate; set constraints all deferred; release savepoint items')
  } catch (error) {
    await tx.query('rollback to savepoint items; release savepoint items').catch(() => {
      throw error // the connection is gone, and that is what it says
    })
    throw error
  }
}

async function keep(tx: Tx, pass: Doing, failed: ReadonlyMap<AnyItem, unknown>, at: Date): Promise<ItemTrouble[]> {
  const items = [...failed].map(([item, error]) => ({ item: pass.key(item), subject: pass.subject(item), error }))
  const earlier = await earlierFailures(
    tx,
    pass.name,
    items.map(({ item }) => item),
  )
  const kept = items.map(({ item, subject, error }) => ({
    item,
    subject,
    error,
    reason: reasonOf(error),
    // What somebody outside may have done is not tried again: a person looks at it first.
    verdict: decideFailure(error, earlier.get(item), at, pass.kind === 'outside' ? 1 : ATTEMPTS_MAX),
  }))
  const numbers = new Map((await recordFailures(tx, pass.name, kept, at)).map((row) => [row.item, row.number]))
  return kept.map((one) => ({ ...one, number: numbers.get(one.item) as bigint }))
}
