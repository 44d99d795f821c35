import { assert } from './assert.ts'
import type { Tx } from './postgres/database.ts'

/**
 * One kind of fact that commands decide by, read for many keys in one statement: accounts by IBAN, files by MsgId. A value with identity
 * that the module which owns the facts exports; whoever executes commands together asks each gatherer once, whatever mix of commands that is.
 */
export type Gatherer<Fact> = {
  readonly name: string
  /** @returns by key; a key without a fact has no entry. */
  readonly gather: (tx: Tx, keys: readonly string[]) => Promise<ReadonlyMap<string, Fact>>
}

export const gatherer = <Fact>(name: string, gather: Gatherer<Fact>['gather']): Gatherer<Fact> => ({ name, gather })

/** What one command wants to know of one kind. */
export type Need = { readonly of: Gatherer<unknown>; readonly keys: readonly string[] }

export const need = (of: Gatherer<unknown>, keys: readonly string[]): Need => ({ of, keys })

/** What a command decides by. Facts are those of all commands of a batch: whoever reads them asks by his own keys. */
export interface Facts {
  /** @throws Bug when the command did not say that it needs this kind. */
  of<Fact>(kind: Gatherer<Fact>): ReadonlyMap<string, Fact>
}

/**
 * Asks each kind once for all keys that anybody named.
 * @returns the facts of one command, given its needs: a kind that it forgot must not be there by the luck of its neighbours.
 */
export async function gatherFacts(tx: Tx, needs: readonly Need[]): Promise<(own: readonly Need[]) => Facts> {
  const keysOf = new Map<Gatherer<unknown>, Set<string>>()
  for (const { of, keys } of needs) {
    const known = keysOf.get(of)
    if (known) for (const key of keys) known.add(key)
    else keysOf.set(of, new Set(keys))
  }
  const found = new Map<Gatherer<unknown>, ReadonlyMap<string, unknown>>()
  for (const [kind, keys] of keysOf) found.set(kind, keys.size === 0 ? new Map() : await kind.gather(tx, [...keys]))
  return (own) => ({
    of: <Fact>(kind: Gatherer<Fact>) => {
      assert(
        own.some((one) => one.of === kind),
        `nobody said that ${kind.name} is needed`,
      )
      return found.get(kind) as ReadonlyMap<string, Fact>
    },
  })
}
