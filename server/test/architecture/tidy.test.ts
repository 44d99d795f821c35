import { describe, expect, test } from 'vitest'
import { listSources } from '../../../tools/source-files.ts'
import { findViolations, RULES } from '../../../tools/tidy-rules.ts'

const DOMAIN = 'server/src/modules/payments/domain/rule.ts'
const STORE = 'server/src/modules/payments/store.ts'

/** Per rule: something it must catch, and something alike that it must not. */
const PLANTS: Readonly<Record<string, { bad: [path: string, text: string]; good: [path: string, text: string] }>> = {
  'no-parse-float': { bad: [DOMAIN, 'parseFloat("1.10")'], good: [DOMAIN, '// never parseFloat("1.10")'] },
  'no-to-fixed': { bad: [DOMAIN, 'amount.toFixed(2)'], good: ['bench/table.ts', 'seconds.toFixed(2)'] },
  'no-number-of-amount': { bad: [DOMAIN, 'Number(transfer.amountMinor)'], good: [DOMAIN, 'Number(row.count)'] },
  'one-clock': { bad: [DOMAIN, 'const now = new Date()'], good: [DOMAIN, 'const at = new Date(row.at)'] },
  'no-hidden-randomness': {
    bad: ['rails-simulator/src/luck.ts', 'Math.random()'],
    good: ['rails-simulator/src/luck.ts', 'Math.max(1, 2)'],
  },
  'one-config': { bad: [DOMAIN, 'process.env.HOME'], good: ['server/src/platform/config.ts', 'process.env.HOME'] },
  'no-console': { bad: ['server/src/app.ts', 'console.log(1)'], good: ['tools/generate.ts', 'console.log(1)'] },
  'sql-in-stores': {
    bad: ['server/src/modules/payments/commands/pay.ts', 'tx.rows`select 1`'],
    good: [STORE, 'tx.rows`select 1`'],
  },
  'own-schema': {
    bad: [STORE, 'tx.rows`select id from ledger.account where id = 1`'],
    good: [STORE, 'tx.rows`select id from payments.transfer where id = 1`'],
  },
  'no-sleeping-test': {
    bad: ['server/src/platform/x.test.ts', "import { setTimeout } from 'node:timers/promises'"],
    good: ['server/test/journeys/x.e2e.test.ts', "import { setTimeout } from 'node:timers/promises'"],
  },
  'nothing-unfinished': { bad: [DOMAIN, '/* TO' + 'DO: later */ const a = 1'], good: [DOMAIN, "const word = 'TO' + 'DO'"] },
}

describe('tidy', () => {
  test.each(RULES.map((rule) => rule.name))('%s catches what is planted, and only that', (name) => {
    const plant = PLANTS[name]
    expect(plant, 'every rule has its plant').toBeDefined()
    if (!plant) return
    const [badPath, badText] = plant.bad
    const [goodPath, goodText] = plant.good
    expect(findViolations({ path: badPath, text: badText }).map(({ rule }) => rule)).toContain(name)
    expect(findViolations({ path: goodPath, text: goodText }).map(({ rule }) => rule)).not.toContain(name)
  })

  test.each([
    ['a comma', STORE, 'tx.rows`select t.id from payments.transfer t, ledger.account a`'],
    ['a function', STORE, 'tx.rows`select ledger.post_batch(1)`'],
    ['a function that is no door', STORE, "tx.rows`select platform.holding('x')`"],
    ['a table beside a door', STORE, "tx.rows`select platform.held('x', now()) from platform.failed_item`"],
    ['a table of the platform', STORE, 'tx.run`delete from platform.outbox`'],
    ['a Kysely query', STORE, "build.selectFrom('ledger.account').select('id')"],
    ['a list of tables', STORE, "build.selectFrom(['payments.transfer as t', 'ledger.account as a'])"],
    ['a join', STORE, "query.innerJoin('ledger.account', 'a', 'b')"],
    ['an update', STORE, "build.updateTable('ledger.account')"],
    ['a declared table', STORE, "table('ledger.account', { id: uuid() })"],
    ['the platform, which knows no module', 'server/src/platform/outbox.ts', 'tx.rows`select id from team.membership`'],
  ])('another schema is noticed behind %s', (_, path, text) => {
    expect(findViolations({ path, text }).map(({ rule }) => rule)).toContain('own-schema')
  })

  test.each([
    ['an event of another module', "const on = ['ledger.period_closed.v1']"],
    ['its own tables', "build.selectFrom('payments.transfer').innerJoin('payments.payment_file', 'a', 'b')"],
    ['prose', "assert(ok, 'Select what ledger.post answers')"],
    ['a variable of the same name', `tx.rows\`select id from payments.transfer where id = any($\{accounts.map((a) => a.id)})\``],
    ['who acts', "systemActor('ledger.lane')"],
    ['a door', "tx.rows`select id from payments.transfer where id not in (select platform.held('x', now()))`"],
  ])('another schema is not seen in %s', (_, text) => {
    expect(findViolations({ path: STORE, text }).map(({ rule }) => rule)).not.toContain('own-schema')
  })

  test('it looks at every part of the project', () => {
    const paths = listSources().map((file) => file.path)
    for (const start of [
      'server/src/platform/',
      'server/src/modules/ledger/',
      'server/src/formats/',
      'rails-simulator/src/',
      'cli/src/',
      'tools/',
    ]) {
      expect(paths.filter((path) => path.startsWith(start)).length, start).toBeGreaterThan(2)
    }
  })
})
