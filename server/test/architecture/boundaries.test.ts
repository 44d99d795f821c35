import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forbidden } from '../../../.dependency-cruiser.mjs'
import { findBoundaryViolations } from '../../../tools/boundary-run.ts'

const MODULES = 'server/src/modules'

/** One import per rule that the rule must catch, and beside it one that it must let pass. */
const PLANTS: readonly { rule: string; from: string; to: string; typeOnly?: boolean }[] = [
  { rule: 'door', from: `${MODULES}/payments/commands/pay.ts`, to: `${MODULES}/accounts/store.ts` },
  { rule: 'door-outside', from: 'cli/src/commands/peek.ts', to: `${MODULES}/ledger/store.ts` },
  { rule: 'may-call-ledger', from: `${MODULES}/ledger/commands/post.ts`, to: `${MODULES}/accounts/index.ts` },
  { rule: 'may-call-identity', from: `${MODULES}/identity/commands/issue.ts`, to: `${MODULES}/team/index.ts` },
  { rule: 'may-call-team', from: `${MODULES}/team/commands/found.ts`, to: `${MODULES}/ledger/index.ts` },
  { rule: 'may-call-accounts', from: `${MODULES}/accounts/commands/open.ts`, to: `${MODULES}/payments/index.ts` },
  { rule: 'may-call-feed', from: `${MODULES}/feed/queries/peek.ts`, to: `${MODULES}/connections/index.ts` },
  { rule: 'may-call-connections', from: `${MODULES}/connections/commands/pay.ts`, to: `${MODULES}/payments/index.ts` },
  { rule: 'may-call-payments', from: `${MODULES}/payments/commands/ask.ts`, to: `${MODULES}/identity/index.ts` },
  { rule: 'manifests-by-the-list', from: 'server/src/app.ts', to: `${MODULES}/ledger/module.ts` },
  { rule: 'on-the-list', from: `${MODULES}/unlisted/index.ts`, to: `server/src/platform/money.ts` },
  { rule: 'events', from: `${MODULES}/accounts/commands/listen.ts`, to: `${MODULES}/ledger/events.ts` },
  { rule: 'pure-domain', from: `${MODULES}/payments/domain/rule.ts`, to: 'server/src/platform/events/outbox.ts' },
  { rule: 'declared-operations', from: `${MODULES}/payments/plugin.ts`, to: 'node_modules/fastify/index.ts' },
  { rule: 'operations-above', from: `${MODULES}/payments/operations/peek.ts`, to: `${MODULES}/payments/file-store.ts` },
  { rule: 'formats-know-nobody', from: 'server/src/formats/reader.ts', to: 'server/src/platform/postgres/database.ts' },
  { rule: 'platform-below', from: 'server/src/platform/upward.ts', to: `${MODULES}/ledger/index.ts` },
  { rule: 'rails-apart', from: 'rails-simulator/src/shortcut.ts', to: 'server/src/formats/other.ts' },
  { rule: 'rails-schemes-apart', from: 'rails-simulator/src/core/favourite.ts', to: 'rails-simulator/src/inst/index.ts' },
  { rule: 'notation-below', from: 'notation/src/clever.ts', to: 'server/src/platform/money.ts' },
  { rule: 'server-apart', from: 'server/src/shortcut.ts', to: 'rails-simulator/src/rails.ts' },
  { rule: 'no-test-in-source', from: 'server/src/needs-test.ts', to: 'server/src/some.test.ts' },
]

const ALLOWED: readonly { from: string; to: string; typeOnly?: boolean }[] = [
  { from: `${MODULES}/payments/operations/ask.ts`, to: `${MODULES}/payments/queries/answer.ts` },
  { from: 'server/src/platform/http/serve.ts', to: 'node_modules/fastify/index.ts' },
  { from: 'rails-simulator/src/inst/decide.ts', to: 'rails-simulator/src/core/draft.ts' },
  { from: 'rails-simulator/src/schemes.ts', to: 'rails-simulator/src/inst/index.ts' },
  { from: 'rails-simulator/src/inst/read.ts', to: 'notation/src/xml/index.ts' },
  { from: `${MODULES}/payments/commands/good.ts`, to: `${MODULES}/accounts/index.ts` },
  { from: `${MODULES}/payments/consumers.ts`, to: `${MODULES}/ledger/events.ts` },
  { from: `${MODULES}/payments/domain/typed.ts`, to: `${MODULES}/accounts/index.ts`, typeOnly: true },
  { from: `${MODULES}/payments/domain/amount.ts`, to: 'server/src/platform/money.ts' },
  { from: 'server/src/modules.ts', to: `${MODULES}/payments/module.ts` },
  { from: 'cli/src/commands/ask.ts', to: `${MODULES}/ledger/index.ts` },
]

describe('boundaries', () => {
  const clone = mkdtempSync(join(tmpdir(), 'partita-boundaries-'))
  let violations: readonly { rule: string; from: string; to: string }[] = []

  beforeAll(async () => {
    const imports = new Map<string, string>()
    for (const { from, to, typeOnly } of [...PLANTS, ...ALLOWED]) {
      const keyword = typeOnly ? 'import type' : 'import'
      imports.set(
        from,
        `${keyword} { value } from '${up(from)}${to}'\nexport const other${typeOnly ? ': typeof value' : ''} = ${typeOnly ? '1' : 'value'}\n`,
      )
      if (!imports.has(to)) imports.set(to, 'export const value = 1\n')
    }
    imports.set('server/src/circle-a.ts', "import { b } from './circle-b.ts'\nexport const a = (): unknown => b\n")
    imports.set('server/src/circle-b.ts', "import { a } from './circle-a.ts'\nexport const b = (): unknown => a\n")
    imports.set('server/src/lost.ts', "import { a } from './nowhere.ts'\nexport const c = a\n")
    for (const [path, text] of imports) {
      mkdirSync(dirname(join(clone, path)), { recursive: true })
      writeFileSync(join(clone, path), text)
    }
    const { summary } = await findBoundaryViolations(clone, ['server', 'cli', 'notation', 'rails-simulator'])
    violations = summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }))
  })

  afterAll(() => rmSync(clone, { recursive: true, force: true }))

  test.each(PLANTS)('$rule catches what is planted in $from', ({ rule, from, to }) => {
    expect(violations).toContainEqual({ rule, from, to })
  })

  test('a circle and an import that leads nowhere are caught', () => {
    expect(violations.some(({ rule, from }) => rule === 'no-circular' && from.includes('circle-'))).toBe(true)
    expect(violations.some(({ rule, from }) => rule === 'resolvable' && from === 'server/src/lost.ts')).toBe(true)
  })

  test('every rule has its plant', () => {
    const planted = new Set([...PLANTS.map(({ rule }) => rule), 'no-circular', 'resolvable'])
    expect(forbidden.map(({ name }) => name).filter((name) => !planted.has(name))).toEqual([])
  })

  test.each(ALLOWED)('$from may import $to', ({ from }) => {
    expect(violations.filter((violation) => violation.from === from)).toEqual([])
  })
})

const up = (from: string): string => '../'.repeat(from.split('/').length - 1)
