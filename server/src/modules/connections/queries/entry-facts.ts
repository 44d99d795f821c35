import type { EntryFacts } from '../../../formats/statements/index.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { factsOf } from '../domain/entry-facts.ts'
import * as store from '../facts-store.ts'

const PAGE = 5_000

/** What the bank said of these entries, by their keys in the ledger. Entries that an earlier release imported may be left out. */
export async function entryFacts(
  tx: Tx,
  organizationId: Id<'organization'>,
  keys: readonly string[],
): Promise<Map<string, EntryFacts>> {
  const found = new Map<string, EntryFacts>()
  for (let at = 0; at < keys.length; at += PAGE) {
    const page = keys.slice(at, at + PAGE)
    const details = Map.groupBy(await store.findDetails(tx, organizationId, page), ({ key }) => key)
    for (const entry of await store.findEntries(tx, organizationId, page))
      found.set(entry.key, factsOf(entry, details.get(entry.key) ?? []))
  }
  return found
}
