import { expect } from 'vitest'
import { partita } from '../../src/bank.ts'
import { balancesOf, verifyLedger } from '../../src/modules/ledger/index.ts'
import {
  type CreditTransferInstruction,
  initiateCreditTransfers,
  openHomeBook,
  paymentPasses,
  type Rail,
  settlementAccounts,
  verifyPayments,
} from '../../src/modules/payments/index.ts'
import { operatorActor, systemActor } from '../../src/platform/actor.ts'
import { fixedClock, localDateOf } from '../../src/platform/clock.ts'
import { newId } from '../../src/platform/ids.ts'
import { EUR, money } from '../../src/platform/money.ts'
import { takeUpCases, workerStatus } from '../../src/platform/passes/cases.ts'
import type { Pass, PassName } from '../../src/platform/passes/pass.ts'
import { ATTEMPTS_MAX } from '../../src/platform/passes/patience.ts'
import { type ItemTrouble, runPass } from '../../src/platform/passes/run-pass.ts'
import { testActor } from './actors.ts'
import { makeCompany, type TestCompany, testBank } from './company.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

type Clock = ReturnType<typeof fixedClock>

/** A bank with one company, its worker's payment passes moved by hand, and a clock that stands still. */
export class PayingBank {
  readonly clock: Clock
  readonly db: TestDatabase
  readonly company: TestCompany
  /** The machine's time, by which failed items are tried again. */
  readonly machine: Clock
  readonly passes: readonly Pass[]
  /** Items that no pass could do, newest last; a test that expects some takes them out. */
  readonly troubles: ItemTrouble[] = []

  private constructor(clock: Clock, db: TestDatabase, company: TestCompany, passes: readonly Pass[]) {
    this.clock = clock
    this.machine = fixedClock(clock.now())
    this.db = db
    this.company = company
    this.passes = passes
  }

  static async open(railOf: (clock: Clock) => Rail, fundedMinor = 1_000_000_00n): Promise<PayingBank> {
    const clock = fixedClock('2026-03-02T09:00:00Z')
    const db = await createTestDatabase()
    await openHomeBook(db.database, clock.now())
    const passes = paymentPasses({ database: db.database, clock, rail: railOf(clock), bank: testBank })
    return new PayingBank(clock, db, await makeCompany(db.database, clock.now(), { fundedMinor }), passes)
  }

  /** Proves the books, then forgets everything. */
  async close(): Promise<void> {
    const payments = await this.db.database.read(testActor, verifyPayments)
    expect(payments.filter((check) => !check.isWarning && check.violations > 0)).toEqual([])
    expect(this.troubles).toEqual([])
    expect((await verifyLedger(this.db.database)).ok).toBe(true)
    await this.db.drop()
  }

  /** Everything the worker does, until nothing is left to do at this moment. */
  async settleDown(): Promise<void> {
    for (let hasMore = true; hasMore; ) {
      hasMore = false
      for (const pass of this.passes) hasMore = (await this.run(pass)) || hasMore
    }
  }

  /** One run of a pass. @returns whether there may be more for it to do. */
  async run(pass: Pass | PassName): Promise<boolean> {
    const found = this.passes.find((one) => one === pass || one.name === pass)
    if (!found) throw new Error(`there is no pass ${pass}`)
    const { hasMore, troubles } = await runPass({ database: this.db.database, clock: this.clock, machine: this.machine }, found)
    this.troubles.push(...troubles)
    return hasMore
  }

  /** What a person at the desk of the worker sees and does. */
  readonly desk = {
    cases: async () => (await workerStatus(this.#desk(), 100, partita.subjects)).cases,
    retry: (pass: PassName) => takeUpCases(this.#desk(), { pass }),
  }

  #desk = () => ({ actor: operatorActor('Ada', 'test'), database: this.db.database, machine: this.machine })

  /** Time passes for what failed, as often as it is tried again: what still fails is stuck. */
  async losePatience(): Promise<void> {
    for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
      this.machine.advance(15 * 60_000)
      await this.settleDown()
    }
  }

  async passTime(seconds: number): Promise<void> {
    this.clock.advance(seconds * 1_000)
    await this.settleDown()
  }

  async send(creditorName: string, minor: bigint, over: Partial<CreditTransferInstruction> = {}) {
    const instruction: CreditTransferInstruction = {
      id: newId<'credit_transfer'>(),
      creditorName,
      creditorIban: 'DE89370400440532013000',
      creditorBic: 'COBADEFFXXX',
      amount: money(EUR, minor),
      endToEndId: 'INV-204',
      instructionId: null,
      remittanceInformation: 'Invoice 204',
      creditorReference: null,
      purpose: null,
      requestedExecutionDate: localDateOf(this.clock.now()),
      paymentInformationId: null,
      ...over,
    }
    const order = { debtor: this.company.accounts[0], instructions: [instruction], paymentFileId: null }
    const ctx = { actor: systemActor('test.order'), now: this.clock.now() }
    const [answer] = await this.db.database.transaction(ctx.actor, (tx) => initiateCreditTransfers(ctx, tx, order))
    if (!answer?.ok) throw new Error(`refused: ${answer?.refusal}`)
    return answer.value
  }

  /** The first account, and the bank's own accounts in its book. */
  async money() {
    const { nostro, clearingOut, clearingIn, suspense } = settlementAccounts(this.company.accounts[0].bookId)
    const ids = [this.company.accounts[0].ledgerAccountId, nostro, clearingOut, clearingIn, suspense]
    const [customer, n, out, in_, s] = await this.db.database.read(testActor, (tx) => balancesOf(tx, ids))
    return {
      booked: customer?.balance ?? 0n,
      available: customer?.available ?? 0n,
      nostro: n?.balance ?? 0n,
      out: out?.balance ?? 0n,
      in: in_?.balance ?? 0n,
      suspense: s?.balance ?? 0n,
    }
  }

  async row<T = Record<string, unknown>>(sql: string, ...values: unknown[]): Promise<T> {
    return (await this.db.admin.query(sql, values)).rows[0] as T
  }

  statusOf(transferId: string) {
    return this.row('select status, status_reason_code as reason from payments.credit_transfer where id = $1', transferId)
  }

  feedRow(feedId: string) {
    return this.row('select status, settled_balance_minor::text as balance from feed.transaction where id = $1', feedId)
  }

  /** The newest row in an account's feed, the first account's unless told otherwise. */
  lastFeedRow(account = this.company.accounts[0].id) {
    return this.row(
      `select side, amount_minor::text as amount, label, reference, status from feed.transaction
        where bank_account_id = $1 order by number desc limit 1`,
      account,
    )
  }

  /** What was made of a message of the rail. */
  async outcomeOf(railMessageId: string): Promise<string | undefined> {
    const found = await this.row<{ outcome: string | null } | undefined>(
      `select coalesce(m.outcome, (select string_agg(p.outcome, ' ' order by p.position)
                 from payments.incoming_message_part p where p.rail_message_id = m.rail_message_id)) as outcome
         from payments.incoming_message m where m.rail_message_id = $1`,
      railMessageId,
    )
    return found?.outcome ?? undefined
  }
}
