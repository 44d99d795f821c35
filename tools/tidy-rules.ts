import ts from 'typescript'
import { MODULES } from '../server/src/modules.ts'
import type { SourceFile } from './source-files.ts'

export type Violation = { readonly rule: string; readonly path: string; readonly line: number; readonly instead: string }

type Rule = {
  readonly name: string
  /** What to do instead, shown with every violation. */
  readonly instead: string
  readonly applies: (path: string) => boolean
  /** Whether this piece of syntax breaks the rule. */
  readonly breaks?: (node: ts.Node, path: string) => boolean
  /** The same for the text of a comment. */
  readonly breaksComment?: (comment: string) => boolean
}

const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('server/test/')
const isProduct = (path: string): boolean => /^(server|rails-simulator|notation|cli)\/src\//.test(path) && !isTest(path)
const isServer = (path: string): boolean => /^(server|rails-simulator|notation)\/src\//.test(path) && !isTest(path)

const calls = (node: ts.Node, ...names: string[]): boolean =>
  ts.isCallExpression(node) && names.includes(node.expression.getText())
const callsMethod = (node: ts.Node, name: string): boolean =>
  ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === name

const MODULE_OF = /^server\/src\/modules\/([^/]+)\//
const SCHEMAS = MODULES.map(({ name }) => name)
// SQL is lower case here; prose starts with a capital.
const STATEMENT =
  /^\s*(select\s|insert into\s|update\s+\S+\s+set\s|delete from\s|with\s+\S+\s+as\s|create\s|alter\s|lock table\s|truncate\s)/

/** What stands in a string, without the expressions in a template. */
const sqlText = (node: ts.Node): string | undefined => {
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isTemplateExpression(node)) return undefined
  return [node.head, ...node.templateSpans.map((span) => span.literal)].map((part) => part.text).join('$1')
}

const PLATFORM = /^server\/src\/platform\//

/** A table as Kysely's methods, and ours, take it: a string that is, or is listed in, the first argument. */
function isNamedTable(node: ts.Node): boolean {
  if (!ts.isStringLiteralLike(node)) return false
  const argument = ts.isArrayLiteralExpression(node.parent) ? node.parent : node
  const call = argument.parent
  if (!ts.isCallExpression(call) || call.arguments[0] !== argument) return false
  const method = ts.isPropertyAccessExpression(call.expression) ? call.expression.name.text : call.expression.getText()
  return /^(selectFrom|insertInto|updateTable|deleteFrom|mergeInto|replaceInto|using|from|table|dynamicTable|\w*[jJ]oin(Lateral)?)$/.test(
    method,
  )
}

/** Functions that stores of other schemas may call: the doors in SQL. */
const SQL_DOORS = /\bplatform\.held\(/g

/** Each bans something that has hurt others, and names what to use. Tests plant every one of them. */
export const RULES: readonly Rule[] = [
  {
    name: 'no-parse-float',
    instead: 'parseDecimal from platform/money: a float loses cents',
    applies: (path) => isProduct(path) || isTest(path),
    breaks: (node) => calls(node, 'parseFloat', 'Number.parseFloat'),
  },
  {
    name: 'no-to-fixed',
    instead: 'formatDecimal from platform/money; for rates and seconds Intl.NumberFormat',
    applies: isProduct,
    breaks: (node) => callsMethod(node, 'toFixed'),
  },
  {
    name: 'no-number-of-amount',
    instead: 'keep amounts as bigint minor units; platform/http/json-numbers.ts and wire.ts write them as JSON numbers',
    applies: (path) => isServer(path) && !/(wire|json-numbers)\.ts$/.test(path),
    breaks: (node) =>
      calls(node, 'Number') && /amount|balance|money/i.test((node as ts.CallExpression).arguments[0]?.getText() ?? ''),
  },
  {
    name: 'one-clock',
    instead: 'take `now` or a Clock as an argument; platform/clock.ts alone asks the machine',
    applies: (path) => isProduct(path) && path !== 'server/src/platform/clock.ts',
    breaks: (node) =>
      calls(node, 'Date.now') ||
      (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0),
  },
  {
    name: 'no-hidden-randomness',
    instead: 'newId from platform/ids, node:crypto for secrets, a seeded generator in the simulator',
    applies: isServer,
    breaks: (node) => calls(node, 'Math.random'),
  },
  {
    name: 'one-config',
    instead: 'a setting in platform/config.ts, passed as a value',
    applies: (path) => isServer(path) && path !== 'server/src/platform/config.ts' && !path.endsWith('/main.ts'),
    breaks: (node) => ts.isPropertyAccessExpression(node) && node.getText() === 'process.env',
  },
  {
    name: 'no-console',
    instead: 'the logger; in the cli the Output that the command is given',
    applies: isProduct,
    breaks: (node) => ts.isPropertyAccessExpression(node) && node.expression.getText() === 'console',
  },
  {
    name: 'sql-in-stores',
    instead: "a function in the module's store (store.ts, …-store.ts) or, for a read of its own, in queries/",
    applies: (path) => MODULE_OF.test(path) && !isTest(path) && !/\/(store\.ts|[^/]*-store\.ts|queries\/[^/]*\.ts)$/.test(path),
    breaks: (node) =>
      (ts.isTaggedTemplateExpression(node) && /\.(rows|one|maybe|run)$/.test(node.tag.getText())) ||
      STATEMENT.test(sqlText(node) ?? ''),
  },
  {
    name: 'own-schema',
    instead: 'a call through the door of the module that owns the table',
    applies: (path) => (MODULE_OF.test(path) || PLATFORM.test(path)) && !isTest(path),
    breaks: (node, path) => {
      const own = MODULE_OF.exec(path)?.[1] ?? 'platform'
      const others = ['platform', ...SCHEMAS].filter((schema) => schema !== own).join('|')
      const text = (sqlText(node) ?? '').replaceAll(SQL_DOORS, '')
      return (
        new RegExp(`\\b(from|join|into|update|table)\\s+(${others})\\.[a-z_]`, 'i').test(text) ||
        (STATEMENT.test(text) && new RegExp(`\\b(${others})\\.[a-z_]+`).test(text)) ||
        (isNamedTable(node) && new RegExp(`^(${others})\\.`).test(text))
      )
    },
  },
  {
    name: 'no-sleeping-test',
    instead: 'pass the time in, or wait for the thing itself (vi.waitFor)',
    applies: (path) => isTest(path) && !path.endsWith('.e2e.test.ts') && !path.startsWith('server/test/support/'),
    breaks: (node) =>
      ts.isImportDeclaration(node) &&
      node.moduleSpecifier.getText().includes('timers/promises') &&
      !node.importClause?.isTypeOnly,
  },
  {
    name: 'nothing-unfinished',
    instead: 'finish it, or open an issue',
    applies: () => true,
    breaksComment: (comment) => /\b(TODO|FIXME|XXX|HACK)\b/.test(comment),
  },
]

/** Everything in a file that breaks a rule. */
export function findViolations(file: SourceFile): Violation[] {
  const rules = RULES.filter((rule) => rule.applies(file.path))
  if (rules.length === 0) return []
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true)
  const found: Violation[] = []
  const note = (rule: Rule, position: number) =>
    found.push({
      rule: rule.name,
      path: file.path,
      line: source.getLineAndCharacterOfPosition(position).line + 1,
      instead: rule.instead,
    })
  const visit = (node: ts.Node): void => {
    for (const rule of rules) if (rule.breaks?.(node, file.path)) note(rule, node.getStart(source))
    ts.forEachChild(node, visit)
  }
  visit(source)
  for (const { text, position } of comments(source)) {
    for (const rule of rules) if (rule.breaksComment?.(text)) note(rule, position)
  }
  return found
}

function comments(source: ts.SourceFile): { text: string; position: number }[] {
  const found = new Map<number, string>()
  const visit = (node: ts.Node): void => {
    for (const range of [
      ...(ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(source.text, node.getEnd()) ?? []),
    ]) {
      found.set(range.pos, source.text.slice(range.pos, range.end))
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return [...found].map(([position, text]) => ({ position, text }))
}
