import type { CommandContext, SystemActor } from '../actor.ts'
import type { Tx } from '../postgres/database.ts'
import type { SubjectRef } from '../subject.ts'

/** `module.what_it_does`: who acts, in logs, metrics, cases and `partita worker status`. */
export type PassName = SystemActor['as']

/** Which items of a pass must not be taken now: `… not in (select platform.held(${held.pass}, ${held.at}))` in a store. */
export type Held = { readonly pass: string; readonly at: Date }

/** How a pass takes its items. */
export type Taking = {
  /** The bank's time. */
  readonly now: Date
  /** Most items to take. */
  readonly limit: number
  readonly held: Held
}

type Named = {
  readonly name: PassName
  /** What it does, in a sentence for `partita worker status`. */
  readonly describe: string
  /** How long it rests when there was nothing to do; a wake ends the rest. */
  readonly everyMs: number
  /** Channels that wake it, beside the one of its own name. */
  readonly wakes?: readonly string[]
}

type Items<Item> = Named & {
  /** Most items of one transaction. */
  readonly batch: number
  /** Items that are due, locked for this worker (`for update skip locked`) and without those that are held. */
  take(tx: Tx, taking: Taking): Promise<readonly Item[]>
  /** Names an item for ever. */
  key(item: Item): string
  /** What a case about the item is about. */
  subject(item: Item): SubjectRef | null
}

/** Items that are done inside our database: all of a batch in the transaction that took them. */
export type InsidePass<Item> = Items<Item> & {
  /** Does them all. It may be called again with fewer of them when it throws, until each bad one stands alone. */
  together(ctx: CommandContext, tx: Tx, items: readonly Item[]): Promise<void>
}

/**
 * Items that somebody outside is asked to do. `take` also marks what it takes as tried, which is committed before anybody outside hears of
 * it; `outside` never throws: what is not known is said; `record` writes what came of it.
 */
export type OutsidePass<Item, Outcome> = Items<Item> & {
  outside(ctx: CommandContext, item: Item): Promise<Outcome>
  record(ctx: CommandContext, tx: Tx, tried: readonly Tried<Item, Outcome>[]): Promise<void>
  /** Whoever is outside is away, and the item stays due: then the pass rests as after a failure. */
  remainsDue(tried: Tried<Item, Outcome>): boolean
}

export type Tried<Item, Outcome> = { readonly item: Item; readonly outcome: Outcome }

/** Work without items: housekeeping, a queue that is read from elsewhere. */
export type Chore = Named & {
  readonly kind: 'chore'
  /** @returns how much was done; after 0 it rests. */
  run(ctx: CommandContext): Promise<number>
}

type OnlyItself<Item> =
  | { together(ctx: CommandContext, tx: Tx, items: readonly Item[]): Promise<void> }
  | { one(ctx: CommandContext, tx: Tx, item: Item): Promise<void> }

// The types of items are each pass's own affair: whoever runs passes gives a pass only what it has taken.
// biome-ignore lint/suspicious/noExplicitAny: the item's type is known to its pass alone
export type AnyItem = any
export type Pass =
  | (InsidePass<AnyItem> & { readonly kind: 'inside' })
  | (OutsidePass<AnyItem, AnyItem> & { readonly kind: 'outside' })
  | Chore

/** A pass whose items are done `together`, or each by `one`; either way they share a transaction. */
export function pass<Item>(definition: Items<Item> & OnlyItself<Item>): Pass {
  if ('together' in definition) return { ...definition, kind: 'inside' }
  const together: InsidePass<Item>['together'] = async (ctx, tx, items) => {
    for (const item of items) await definition.one(ctx, tx, item)
  }
  return { ...definition, kind: 'inside', together }
}

export const outsidePass = <Item, Outcome>(definition: OutsidePass<Item, Outcome>): Pass => ({ ...definition, kind: 'outside' })

export const chore = (definition: Omit<Chore, 'kind'>): Pass => ({ ...definition, kind: 'chore' })
