import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testActor } from '../../../test/support/actors.ts'
import { partita } from '../../bank.ts'
import { EUR, money } from '../../platform/money.ts'
import { Database } from '../../platform/postgres/database.ts'
import { type EmbeddedServer, startEmbedded } from '../../platform/postgres/embedded.ts'
import { migrate } from '../../platform/postgres/migrate.ts'
import { type Operation, type OperationKey, type Outcome, PostingLane, verifyLedger } from './index.ts'
import { NOON, newKey, openTestBook, postNow, type TestBook, transfer } from './test-ledger.ts'

/** How often PostgreSQL is killed under load; a night can afford more. */
const KILLS = Number.parseInt(process.env.LEDGER_KILLS ?? '3', 10)
const CALLERS = 48
const ANSWERS_BETWEEN_KILLS = 1_500

let folder: string
let server: EmbeddedServer
let database: Database
let book: TestBook

// A cluster of its own: the shared one of the tests has fsync off, which is the very thing in question.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'partita-crash-'))
  server = await startEmbedded({ dataDirectory: folder, settings: { shared_buffers: '64MB', checkpoint_timeout: '30s' } })
  const password = new URL(server.adminUrl).password
  await migrate(server.adminUrl, partita.migrations(), { loginPassword: password })
  const url = new URL(server.adminUrl)
  url.username = 'partita'
  database = new Database({ url: url.href, applicationName: 'crash test', poolSize: 4, acquireTimeoutMs: 10_000 })
  book = await openTestBook(database)
  await postNow(database, book, [transfer(book.nostro, book.alice, 100_000_000n)])
})
afterAll(async () => {
  await database?.close()
  await server?.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** Counts answers and calls back when a number of them have come. */
class Counter {
  count = 0
  #goal = Number.POSITIVE_INFINITY
  #reach = () => {}

  add(): void {
    if (++this.count === this.#goal) this.#reach()
  }

  after(more: number): Promise<void> {
    this.#goal = this.count + more
    return new Promise((resolve) => {
      this.#reach = resolve
    })
  }
}

test(
  `kill -9 of PostgreSQL under load, ${KILLS} times: nothing acknowledged is lost, nothing is doubled`,
  async () => {
    const lane = new PostingLane({ database, bookId: book.bookId, now: () => NOON, batchMax: 40 })
    const acknowledged = new Map<OperationKey, Outcome>()
    const answers = new Counter()
    let stopping = false

    const caller = async () => {
      while (!stopping) {
        const hold = newKey()
        const amount = money(EUR, 1n)
        const steps: Operation[][] = [
          [transfer(book.alice, book.bob, 1n)],
          [{ kind: 'hold', key: hold, account: book.alice, amount, code: 'test' }],
          [{ kind: 'post_hold', key: newKey(), hold, credit: book.bob, code: 'test' }],
        ]
        for (const operations of steps) {
          const [outcome] = await lane.submit(operations)
          acknowledged.set((operations[0] as Operation).key, outcome as Outcome)
          answers.add()
        }
      }
    }
    const callers = Array.from({ length: CALLERS }, caller)

    for (let kill = 0; kill < KILLS; kill++) {
      await answers.after(ANSWERS_BETWEEN_KILLS)
      await server.kill()
      server = await startEmbedded({ dataDirectory: folder, settings: { shared_buffers: '64MB', checkpoint_timeout: '30s' } })
    }
    await answers.after(ANSWERS_BETWEEN_KILLS)
    stopping = true
    await Promise.all(callers)
    await lane.close()

    // Key by key: what was answered is what is stored, and nothing else is stored (one transfer opened the account).
    const stored = await database.read(
      testActor,
      (tx) => tx.rows<{ key: OperationKey; seq: bigint; debit: bigint | null; credit: bigint | null }>`
      select k.key, k.seq, t.debit_balance as debit, t.credit_balance as credit
        from ledger.key k left join ledger.transfer t on t.book = k.book and t.seq = k.seq
       where k.book = ${book.bookId} and k.seq > 1`,
    )
    expect(stored.length).toBe(acknowledged.size)
    const different = stored.filter(({ key, seq, debit, credit }) => {
      const outcome = acknowledged.get(key)
      return (
        !outcome?.ok ||
        outcome.value.seq !== seq ||
        outcome.value.debitBalance !== debit ||
        outcome.value.creditBalance !== credit
      )
    })
    expect(different).toEqual([])
    expect((await verifyLedger(database)).checks.filter((check) => check.violations > 0)).toEqual([])
    expect(acknowledged.size).toBeGreaterThan(KILLS * ANSWERS_BETWEEN_KILLS)
  },
  60_000 + KILLS * 20_000,
)
