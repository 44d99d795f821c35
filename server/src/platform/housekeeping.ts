import { pruneIdempotency } from './idempotency.ts'
import type { World } from './module.ts'
import { chore, type Pass } from './passes/pass.ts'

const HOUSEKEEPING_MS = 60_000
/** Rows forgotten in one transaction: a full batch, and there may be more. */
const PRUNED_AT_ONCE = 5_000

/** What the platform does by itself, beside handing over events. */
export function housekeeping({ database }: World): Pass[] {
  const untilNotFull = (pruned: number) => (pruned >= PRUNED_AT_ONCE ? pruned : 0)
  return [
    chore({
      name: 'platform.prune_idempotency_records',
      describe: 'Forgets answers whose keys have run out',
      everyMs: HOUSEKEEPING_MS,
      run: async ({ actor, now }) =>
        untilNotFull(await database.transaction(actor, (tx) => pruneIdempotency(tx, now, PRUNED_AT_ONCE))),
    }),
  ]
}
