import ts from 'typescript'
import { expect, test } from 'vitest'
import { listSources, type SourceFile } from '../../../tools/source-files.ts'

/** How many arguments say who acts; one more says for which organizations. */
const MAKERS: Readonly<Record<string, number>> = { systemActor: 1, operatorActor: 2 }

/** Where an actor is made that sees every organization's rows, with the name or reason that it is given. */
function unboundActors(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
    const found: string[] = []
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) {
        const said = MAKERS[node.expression.getText()]
        const organizations = said === undefined ? undefined : node.arguments[said]?.getText()
        if (said !== undefined && (organizations === undefined || /\bundefined\b/.test(organizations)))
          found.push(`${path} ${node.arguments[said - 1]?.getText()}`)
      }
      if (ts.isPropertyAssignment(node) && /^kind: '(system|operator)'$/.test(node.getText())) found.push(`${path} by hand`)
      ts.forEachChild(node, visit)
    }
    visit(source)
    return found
  })
}

const production = (): SourceFile[] =>
  listSources().filter(
    ({ path }) =>
      /^(server|cli)\/src\//.test(path) &&
      !/\.test\.ts$|\/test-[a-z-]+\.ts$/.test(path) &&
      path !== 'server/src/platform/actor.ts',
  )

/** Where no organization is known, or the work is the whole bank's. May only shrink. */
const UNBOUND: readonly string[] = [
  // The machine's operator asks about the worker or the events of the whole bank, or names a company or an account that is yet to be found.
  'cli/src/commands/events.ts name',
  "cli/src/commands/pay.ts 'partita pay'",
  "cli/src/commands/replay.ts 'partita replay'",
  "cli/src/commands/statement.ts 'partita statement'",
  'cli/src/commands/worker.ts name',
  "cli/src/support/find-company.ts 'partita: which organization'",
  // The ledger's tables belong to books, not to organizations.
  "server/src/modules/ledger/commands/posting-lane.ts 'ledger.posting_lane'",
  "server/src/modules/ledger/queries/verify-ledger.ts 'ledger.verify'",
  // Which of the file's creditors have an account here, whosever it is.
  "server/src/modules/payments/commands/accept-payment-file.ts 'payments.payment_file'",
  "server/src/modules/payments/passes.ts 'payments.open_home_book'",
  // A credential says whose it is.
  "server/src/modules/team/queries/actors.ts 'team.authentication'",
  // Tables of the whole bank, and work that is taken for whoever is next.
  "server/src/platform/clock.ts 'platform.clock'",
  'server/src/platform/events/delivery.ts this.#options.consumer.name',
  "server/src/platform/events/relay.ts 'events.relay'",
  'server/src/platform/passes/run-pass.ts pass.name',
  "server/src/platform/passes/runner.ts 'platform.report_passes'",
  "server/src/platform/postgres/database.ts 'platform.probe'",
  "server/src/platform/postgres/schema-check.ts 'platform.schema'",
  "server/src/seed.ts 'seed.companies'",
  "server/src/seed.ts 'seed.demo'",
  "server/src/verify.ts 'platform.verify'",
]

test('work that sees all organizations is done in these places alone', () => {
  expect([...new Set(unboundActors(production()))].sort()).toEqual([...UNBOUND])
})

test.each([
  ["database.read(systemActor('payments.curious'), work)", "'payments.curious'"],
  ["systemActor('payments.curious', isBounded ? ids : undefined)", "'payments.curious'"],
  ["operatorActor(login, 'partita look')", "'partita look'"],
  ["const actor = { kind: 'system', as: 'payments.curious' }", 'by hand'],
])('planted, %s is noticed', (text, named) => {
  expect(unboundActors([{ path: 'server/src/planted.ts', text }])).toEqual([`server/src/planted.ts ${named}`])
})

test('an actor with organizations is not on the list', () => {
  const text = "systemActor('ledger.lane', organizationIds); operatorActor(login, 'partita import', [id])"
  expect(unboundActors([{ path: 'server/src/planted.ts', text }])).toEqual([])
})
