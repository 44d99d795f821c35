import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { type BookId, openBook } from '../ledger/index.ts'
import { deliverMessages } from './commands/deliver-messages.ts'
import { investigateSilentTransfers } from './commands/investigate-silent-transfers.ts'
import { receiveMessages } from './commands/receive-messages.ts'
import { sendBackSuspended } from './commands/send-back-suspended.ts'
import { submitDueTransfers } from './commands/submit-due-transfers.ts'
import type { Rail } from './rail.ts'
import type { Bank } from './rail-messages.ts'
import { openSettlementAccounts } from './settlement-accounts.ts'

/** The book in which money is booked whose owner we do not know. */
const HOME_BOOK = 'main'

/** Opens the home book and its settlement accounts; repeated, it finds them. */
export const openHomeBook = (database: Database, now: Date): Promise<BookId> =>
  database.transaction('system', async (tx) => {
    const book = await openBook(tx, { code: HOME_BOOK, now })
    await openSettlementAccounts(tx, book, now)
    return book
  })

export type PaymentWorld = {
  readonly database: Database
  readonly clock: Clock
  readonly homeBook: BookId
  readonly rail: Rail
  readonly bank: Bank
}

/** What payments do by themselves, in the order of a payment's life. */
export const PAYMENT_PASSES = ['submit', 'deliver', 'receive', 'investigate', 'send back'] as const

/** What payments do by themselves, each as one pass that says how much it did. Any number of processes may run them side by side. */
export function paymentPasses({ database, clock, homeBook, rail, bank }: PaymentWorld) {
  return {
    submit: () => submitDueTransfers(database, bank, clock.now()),
    deliver: () => deliverMessages(database, rail, clock),
    receive: () => receiveMessages(database, rail, homeBook, clock),
    investigate: () => investigateSilentTransfers(database, bank, clock.now()),
    'send back': () => sendBackSuspended(database, bank, homeBook, clock.now()),
  } satisfies Record<(typeof PAYMENT_PASSES)[number], () => Promise<number>>
}
