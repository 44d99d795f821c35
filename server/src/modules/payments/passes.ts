import { systemActor } from '../../platform/actor.ts'
import type { Clock } from '../../platform/clock.ts'
import { localDateOf } from '../../platform/clock.ts'
import { chore, outsidePass, type Pass, pass } from '../../platform/passes/pass.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { ref } from '../../platform/subject.ts'
import { type BookId, openBook } from '../ledger/index.ts'
import { isTriedAgain, recordDeliveries, takeWaitingMessages } from './commands/deliver-messages.ts'
import {
  askAboutReturns,
  askAboutTransfers,
  type SilentReturn,
  takeSilentTransfers,
} from './commands/investigate-silent-transfers.ts'
import { applyParts, fetchMessages, readMessage } from './commands/receive-messages.ts'
import { sendBackSuspended } from './commands/send-back-suspended.ts'
import { submitTransfers } from './commands/submit-due-transfers.ts'
import { type IncomingTransfer, takeSilentReturns, takeSuspended } from './incoming-store.ts'
import {
  type IncomingMessage,
  type MessagePart,
  nameOfPart,
  type OutgoingMessage,
  takeParts,
  takeUnread,
} from './message-store.ts'
import type { Delivery, Rail } from './rail.ts'
import type { Bank } from './rail-messages.ts'
import { openSettlementAccounts } from './settlement-accounts.ts'
import { type StoredCreditTransfer, takeDueTransfers } from './store.ts'

/** The book in which money is booked whose owner we do not know. */
const HOME_BOOK = 'main'

/** Opens the home book and its settlement accounts; repeated, it finds them. */
export const openHomeBook = (database: Database, now: Date): Promise<BookId> =>
  database.transaction(systemActor('payments.open_home_book'), async (tx) => {
    const book = await homeBookIn(tx, now)
    await openSettlementAccounts(tx, book, now)
    return book
  })

const homeBookIn = (tx: Tx, now: Date): Promise<BookId> => openBook(tx, { code: HOME_BOOK, now })

export type PaymentWorld = {
  readonly database: Database
  readonly clock: Clock
  readonly rail: Rail
  readonly bank: Bank
}

/** The rail cannot tell us that it has something to say: asked so often, its answers are booked within a fraction of a second. */
const ASK_RAIL_MS = 200
/** Whoever makes work for the others wakes them; they look by themselves for what falls due. */
const LOOK_MS = 1_000

/** What payments do by themselves, in the order of a payment's life. Any number of processes may run them side by side. */
export const paymentPasses = (world: PaymentWorld): Pass[] => [...outgoing(world), ...incoming(world), ...investigations(world)]

const outgoing = ({ bank, rail }: PaymentWorld): Pass[] => [
  pass<StoredCreditTransfer>({
    name: 'payments.submit',
    describe: 'Writes the pacs.008 of transfers whose day has come',
    everyMs: LOOK_MS,
    batch: 100,
    take: (tx, taking) => takeDueTransfers(tx, localDateOf(taking.now), taking),
    key: ({ id }) => id,
    subject: ({ id }) => ref('credit_transfer', id),
    together: (ctx, tx, transfers) => submitTransfers(ctx, tx, { bank, transfers }),
  }),
  outsidePass<OutgoingMessage, Delivery>({
    name: 'payments.deliver',
    describe: 'Hands messages to the rail',
    everyMs: LOOK_MS,
    // Taken, sent and recorded together: what is marked as tried is on its way at once, so that nobody asks about it before it left.
    batch: 16,
    take: (tx, { now, limit }) => takeWaitingMessages(tx, now, limit),
    key: ({ id }) => id,
    subject: () => null,
    outside: (_, message) => rail.send(message.xml),
    record: recordDeliveries,
    remainsDue: isTriedAgain,
  }),
]

const incoming = ({ database, bank, rail }: PaymentWorld): Pass[] => [
  chore({
    name: 'payments.fetch',
    describe: 'Fetches what the rail has to say',
    everyMs: ASK_RAIL_MS,
    run: (ctx) => fetchMessages({ ...ctx, database }, rail),
  }),
  pass<IncomingMessage>({
    name: 'payments.read',
    describe: 'Reads messages of the rail into their parts',
    everyMs: LOOK_MS,
    batch: 100,
    take: (tx, { limit, held }) => takeUnread(tx, limit, held),
    key: ({ railMessageId }) => railMessageId,
    subject: () => null,
    one: readMessage,
  }),
  pass<MessagePart>({
    name: 'payments.apply',
    describe: 'Does what the parts of the rail’s messages say',
    everyMs: LOOK_MS,
    // The books of all of them are locked until the commit, and whoever pays from there waits.
    batch: 25,
    take: (tx, { limit, held }) => takeParts(tx, limit, held),
    key: nameOfPart,
    subject: () => null,
    together: async (ctx, tx, parts) => applyParts(ctx, tx, { parts, homeBook: await homeBookIn(tx, ctx.now) }),
  }),
  pass<IncomingTransfer>({
    name: 'payments.send_back',
    describe: 'Writes the pacs.004 of receipts that nobody can be credited with',
    everyMs: LOOK_MS,
    batch: 50,
    take: takeSuspended,
    key: ({ id }) => id,
    subject: ({ id }) => ref('incoming_transfer', id),
    together: async (ctx, tx, suspended) =>
      sendBackSuspended(ctx, tx, { bank, homeBook: await homeBookIn(tx, ctx.now), suspended }),
  }),
]

const investigations = ({ bank }: PaymentWorld): Pass[] => [
  pass<StoredCreditTransfer>({
    name: 'payments.ask_about_transfers',
    describe: 'Asks the rail about transfers whose answer is overdue',
    everyMs: LOOK_MS,
    batch: 100,
    take: takeSilentTransfers,
    key: ({ id }) => id,
    subject: ({ id }) => ref('credit_transfer', id),
    together: (ctx, tx, transfers) => askAboutTransfers(ctx, tx, { bank, transfers }),
  }),
  pass<SilentReturn>({
    name: 'payments.ask_about_returns',
    describe: 'Asks the rail about returns of ours whose answer is overdue',
    everyMs: LOOK_MS,
    batch: 100,
    take: takeSilentReturns,
    key: ({ id }) => id,
    subject: ({ id }) => ref('incoming_transfer', id),
    together: (ctx, tx, returns) => askAboutReturns(ctx, tx, { bank, returns }),
  }),
]
