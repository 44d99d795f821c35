import { type Pass, pass } from '../../platform/passes/pass.ts'
import { type BookWithDueHolds, booksWithDueHolds, expireHolds } from './store.ts'

// A hold that is due can no longer be posted from that moment on, whoever has looked at it: releasing its money may take a little longer.
const LOOK_MS = 5_000
/** Holds of one book in one transaction: its lock is held so long. */
const HOLDS = 1_000

/** What the ledger does by itself. */
export const ledgerPasses = (): Pass[] => [
  pass<BookWithDueHolds>({
    name: 'ledger.expire_holds',
    describe: 'Releases the money of holds whose time has come',
    everyMs: LOOK_MS,
    batch: 20,
    take: booksWithDueHolds,
    key: ({ bookId }) => String(bookId),
    subject: () => null,
    one: async ({ now }, tx, { bookId }) => void (await expireHolds(tx, bookId, now, HOLDS)),
  }),
]
