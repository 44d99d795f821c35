import type { CommandContext } from '../actor.ts'
import { assert } from '../assert.ts'
import type { Tx } from '../postgres/database.ts'
import type { ArchivedEvent, EventDefinition, EventOf } from './definition.ts'

/**
 * Takes events on behalf of the rest of the bank, at its own pace: it has a position of its own in the archive, and what it cannot handle
 * delays nobody else. Make one with `consumer`.
 */
export type Consumer = {
  readonly name: ConsumerName
  readonly describe: string
  /** Where it stands when it is new: at the archive's beginning, or at its present end. */
  readonly from: 'beginning' | 'now'
  readonly definitions: ReadonlyMap<string, EventDefinition>
  handle(ctx: CommandContext, tx: Tx, event: ArchivedEvent): Promise<void>
}

/** `module.what_it_does`. It names the consumer's place in the archive for ever: a new name is a new consumer. */
export type ConsumerName = `${string}.${string}`

export type ConsumerOptions<Definitions extends readonly EventDefinition[]> = {
  readonly on: Definitions
  readonly describe: string
  /** Default `now`. */
  readonly from?: 'beginning' | 'now'
  /**
   * Called in a transaction that also remembers that it was, so that its effect comes once. It writes through `tx` and does nothing else: what
   * talks to the outside (an HTTP call, a mail) writes here what is to be done, and a pass of its own does it.
   *
   * An error is the event's own fault: it is set aside with the later events of its aggregate and tried again. A passing one (database
   * away, a retryable `Failure`, a deadlock) is not: the consumer rests as a whole and the event is not blamed.
   */
  handle(ctx: CommandContext, tx: Tx, event: EventOf<Definitions[number]>): Promise<void>
}

const NAME = /^[a-z][a-z_]*\.[a-z][a-z_]*$/

/** Declares a consumer. `event` is known by its `type`: comparing it narrows the payload. */
export function consumer<const Definitions extends readonly EventDefinition[]>(
  name: ConsumerName,
  options: ConsumerOptions<Definitions>,
): Consumer {
  const { on, describe, from = 'now' } = options
  assert(NAME.test(name), `${name} is no name of a consumer: module.what_it_does`)
  assert(on.length > 0, `${name} takes no event`)
  return {
    name,
    describe,
    from,
    definitions: new Map(on.map((definition) => [definition.type, definition])),
    // The payload has passed its schema, and the type is one of `on`: what the handler was promised.
    handle: (ctx, tx, event) => options.handle(ctx, tx, event as never),
  }
}
