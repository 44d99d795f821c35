import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { partita } from '../../src/bank.ts'
import { balancesOf, verifyLedger } from '../../src/modules/ledger/index.ts'
import {
  type CreditTransferInstruction,
  httpRailSandbox,
  initiateCreditTransfers,
  openHomeBook,
  settlementAccounts,
  verifyPayments,
} from '../../src/modules/payments/index.ts'
import { systemActor } from '../../src/platform/actor.ts'
import { BankClock, localDateOf } from '../../src/platform/clock.ts'
import { newId } from '../../src/platform/ids.ts'
import { EUR, money } from '../../src/platform/money.ts'
import { Database } from '../../src/platform/postgres/database.ts'
import { type EmbeddedServer, startEmbedded } from '../../src/platform/postgres/embedded.ts'
import { migrate } from '../../src/platform/postgres/migrate.ts'
import { testActor } from '../support/actors.ts'
import { makeCompany, type TestCompany } from '../support/company.ts'

/** How many kills; a night can afford more. The seed chooses whom, when, and what the rails do to each payment. */
const KILLS = Number.parseInt(process.env.PAYMENT_KILLS ?? '9', 10)
const SEED = process.env.PAYMENT_SEED ?? 'payments'
const PAYMENTS = 20 * KILLS
const RECEIPTS = 4 * KILLS
const FUNDED = 1_000_000_00n

const BEHAVIOURS = [
  '', '', '', '', 'SIM LOST ANSWER', 'SIM LOST MESSAGE', 'SIM DROP REPLY', 'SIM UNAVAILABLE', 'SIM LATE 5M', 'SIM REJECT AC04',
  'SIM REJECT AFTER ACCEPT MS03', 'SIM RETURN AC04', 'SIM DUPLICATE RETURN MD07', 'SIM EARLY RETURN AC04', 'SIM DUPLICATE ANSWER',
  'SIM OUT OF ORDER',
] // biome-ignore format: a list of names

const number = (limit: number, ...parts: readonly (string | number)[]): number =>
  createHash('sha256')
    .update(JSON.stringify([SEED, ...parts]))
    .digest()
    .readUInt32BE(0) % limit

/** A process that is killed and started again. */
class Mortal {
  readonly #start: () => ChildProcess
  #child: ChildProcess
  #stopped = false

  constructor(start: () => ChildProcess) {
    this.#start = start
    this.#child = this.#born()
  }

  /** One that ends by itself, because the database was away when it started, is started again as a supervisor would. */
  #born(): ChildProcess {
    const child = this.#start()
    child.once('exit', () => {
      if (!this.#stopped) setTimeout(() => (this.#child = this.#born()), 50)
    })
    return child
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill('SIGKILL')) await gone
  }
}

let folder: string
let server: EmbeddedServer
let databaseUrl: string
let database: Database
let clock: BankClock
let company: TestCompany
let railsUrl: string
let rails: Mortal
let worker: Mortal

const settings = { shared_buffers: '64MB' }

async function startRails(): Promise<void> {
  const main = join(import.meta.dirname, '../../../rails-simulator/src/main.ts')
  const journal = join(folder, 'rails.journal')
  let port = '0'
  const start = () =>
    fork(main, ['--port', port, '--seed', SEED, '--journal', journal], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  railsUrl = await new Promise((resolve) => {
    rails = new Mortal(() => {
      const child = start()
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', (line) => {
        const said = JSON.parse(line) as { url: string; port: number }
        port = String(said.port)
        resolve(said.url)
      })
      return child
    })
  })
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'partita-payment-crash-'))
  server = await startEmbedded({ dataDirectory: folder, settings })
  await migrate(server.adminUrl, partita.migrations(), { loginPassword: new URL(server.adminUrl).password })
  const url = new URL(server.adminUrl)
  url.username = 'partita'
  databaseUrl = url.href
  database = new Database({ url: databaseUrl, applicationName: 'crash test', poolSize: 4, acquireTimeoutMs: 10_000 })
  clock = new BankClock(database)
  await clock.moveTo(new Date('2030-03-04T09:00:00Z')) // a Monday
  await openHomeBook(database, clock.now())
  company = await makeCompany(database, clock.now(), { fundedMinor: FUNDED })
  await startRails()
  const main = join(import.meta.dirname, '../../src/main.ts')
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: databaseUrl,
    PARTITA_PORT: '0',
    PARTITA_ENVIRONMENT: 'test',
    RAILS_URL: railsUrl,
  }
  worker = new Mortal(() => fork(main, ['worker'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env }))
})

afterAll(async () => {
  await worker?.stop()
  await rails?.stop()
  await database?.close()
  await server?.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function order(index: number): Promise<void> {
  const behaviour = BEHAVIOURS[number(BEHAVIOURS.length, 'behaviour', index)] ?? ''
  const instruction: CreditTransferInstruction = {
    id: newId<'credit_transfer'>(),
    creditorName: `Creditor ${index} ${behaviour}`.trim(),
    creditorIban: 'DE89370400440532013000',
    creditorBic: null,
    amount: money(EUR, BigInt(1_00 + index)),
    endToEndId: `P-${index}`,
    instructionId: null,
    remittanceInformation: null,
    creditorReference: null,
    purpose: null,
    requestedExecutionDate: localDateOf(clock.now()),
    paymentInformationId: null,
  }
  const wanted = { debtor: company.accounts[0], instructions: [instruction], paymentFileId: null }
  const ctx = { actor: systemActor('test.order'), now: clock.now() }
  const [answer] = await database.transaction(ctx.actor, (tx) => initiateCreditTransfers(ctx, tx, wanted))
  expect(answer?.ok).toBe(true)
}

const receive = (index: number, creditorIban: string) =>
  httpRailSandbox(railsUrl, clock).sendIncoming({
    amount: money(EUR, BigInt(5_00 + index)),
    creditorIban,
    debtorName: 'Payer',
    debtorIban: 'FR1420041010050500013M02606',
    remittanceInformation: `R-${index}`,
    endToEndId: `R-${index}`,
    copies: 1 + number(3, 'copies', index),
  })

async function kill(index: number): Promise<void> {
  await delay(50 + number(500, 'when', index))
  const whom = number(3, 'whom', index)
  if (whom === 0) return worker.kill()
  if (whom === 1) return rails.kill()
  await server.kill()
  server = await startEmbedded({ dataDirectory: folder, settings })
}

type Row = { transactionId: string; status: string; amountMinor: bigint; messages: bigint }

const transfers = () =>
  database.read(
    testActor,
    (tx) => tx.rows<Row>`
      select transaction_id as "transactionId", status, amount_minor as "amountMinor",
             (select count(*) from payments.outgoing_message m join payments.outgoing_message_transfer c on c.message_id = m.id
               where c.transfer_id = t.id and m.message_name like 'pacs.008%') as messages
        from payments.credit_transfer t`,
  )

/** What the rails know of a payment; tried again while they are being started. */
async function known(transactionId: string): Promise<{ received: number; executions: number; returns: number }> {
  const response = await fetch(`${railsUrl}/transactions/${transactionId}`, {
    headers: { 'bank-time': clock.now().toISOString() },
  })
  return response.ok ? ((await response.json()) as never) : { received: 0, executions: 0, returns: 0 }
}

test(
  `kill -9 of worker, rails and PostgreSQL, ${KILLS} times (seed "${SEED}"): every payment is executed once or not at all, and the books say which`,
  async () => {
    for (let index = 0; index < PAYMENTS; index++) await order(index)
    for (let index = 0; index < RECEIPTS; index++) {
      const iban = index % 4 === 0 ? 'FR7630006000011234567890189' : company.accounts[0].iban
      expect((await receive(index, iban)).ok).toBe(true)
    }
    for (let index = 0; index < KILLS; index++) await kill(index)

    // Time passes until the rails have said their last word on everything.
    const open = async () =>
      (await transfers()).filter((t) => !['settled', 'rejected', 'returned'].includes(t.status)).length +
      Number(
        (
          await database.read(
            testActor,
            (tx) => tx.one<{ n: bigint }>`
        select count(*) as n from payments.incoming_transfer where status in ('suspended', 'returning')`,
          )
        ).n,
      )
    for (let round = 0; round < 40 && (await open()) > 0; round++) {
      await clock.moveTo(new Date(clock.now().getTime() + 5 * 60_000))
      await delay(1_500)
    }
    expect(await open()).toBe(0)

    const rows = await transfers()
    expect(rows).toHaveLength(PAYMENTS)
    const disagreeing: unknown[] = []
    for (const row of rows) {
      const { received, executions, returns } = await known(row.transactionId)
      const expected = { settled: [1, 0], rejected: [0, 0], returned: [1, 1] }[row.status]
      const agrees = executions === expected?.[0] && returns === expected[1]
      if (!agrees || received > 1 || row.messages !== 1n) disagreeing.push({ ...row, received, executions, returns })
    }
    expect(disagreeing).toEqual([])

    const sum = (of: Row[]) => of.reduce((total, row) => total + row.amountMinor, 0n)
    const paid = sum(rows.filter((row) => row.status === 'settled'))
    let credited = 0n
    for (let index = 0; index < RECEIPTS; index++) if (index % 4 !== 0) credited += BigInt(5_00 + index)
    const [customer, nostro] = await database.read(testActor, (tx) =>
      balancesOf(tx, [company.accounts[0].ledgerAccountId, settlementAccounts(company.accounts[0].bookId).nostro]),
    )
    expect(customer).toMatchObject({ balance: FUNDED - paid + credited, available: FUNDED - paid + credited })
    expect(nostro?.balance).toBe(paid - credited - FUNDED)
    const payments = await database.read(testActor, verifyPayments)
    expect(payments.filter((check) => check.violations > 0)).toEqual([])
    expect((await verifyLedger(database)).checks.filter((check) => check.violations > 0)).toEqual([])
  },
  120_000 + KILLS * 10_000,
)
