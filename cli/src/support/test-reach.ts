import { dirname, extname, join, matchesGlob, normalize } from 'node:path'
import ts from 'typescript'
import { DATABASE_TESTS } from '../../../tools/database-tests.ts'

/** A tracked file's path from the root of the clone, and its text where it is TypeScript or JavaScript. */
export type ClonedFile = { readonly path: string; readonly text: string }

export type Reach = {
  /** Test files that the change can reach, sorted. */
  readonly reached: readonly string[]
  /** The others, sorted. */
  readonly leftOut: readonly string[]
  /** Why more than the graph of files was taken, one reason a line. */
  readonly because: readonly string[]
}

type Rule = { readonly changed: string; readonly runs: (test: string) => boolean; readonly because: string }

const isTest = (path: string): boolean => path.endsWith('.test.ts')
const isDatabaseTest = (test: string): boolean => DATABASE_TESTS.some((glob) => matchesGlob(test, glob))
const everyTest = (): boolean => true

/** What reaches tests without being named by any file that they stand on. */
const RULES: readonly Rule[] = [
  { changed: '**/migrations/*.sql', runs: isDatabaseTest, because: 'every database is made by the migrations' },
  {
    changed: 'server/test/support/{global-setup,cluster}.ts',
    runs: isDatabaseTest,
    because: 'every database test stands on the cluster',
  },
  { changed: 'server/src/platform/postgres/**', runs: isDatabaseTest, because: 'every database test stands on the cluster' },
  { changed: '**/package.json', runs: everyTest, because: 'packages are everywhere' },
  { changed: 'package-lock.json', runs: everyTest, because: 'packages are everywhere' },
  { changed: '{vitest.config.ts,tsconfig.json}', runs: everyTest, because: 'it says how every test is run' },
  { changed: 'server/test/support/strict-events.ts', runs: everyTest, because: 'it is set up before every test' },
]

/** Prose and pictures reach only the tests that name them; what else nobody names may be read by anybody. */
const HARMLESS = [
  '**/*.md',
  'LICENSE',
  '.gitignore',
  '.editorconfig',
  '.github/**',
  '{biome,knip}.json',
  '.dependency-cruiser.mjs',
]

/**
 * Finds the test files that a change can reach.
 *
 * One file reaches another that names it, in an import or in any text: processes that a test starts, and files that it reads, are named by
 * their paths. An import that is only of types reaches nobody. Beyond that there are the rules above, and a changed file that no file names
 * and no rule knows reaches every test: leaving out must be safe.
 */
export function reachIn(files: readonly ClonedFile[]): (changed: readonly string[]) => Reach {
  const graph = graphOf(files)
  const tests = graph.paths.filter(isTest)
  return (changed) => {
    const reached = new Set(reachers(graph, changed).filter((path) => tests.includes(path)))
    const because: string[] = []
    const add = (runs: Rule['runs'], reason: string) => {
      for (const test of tests.filter(runs)) reached.add(test)
      because.push(reason)
    }
    for (const path of changed) {
      const rules = RULES.filter((rule) => matchesGlob(path, rule.changed))
      for (const rule of rules) add(rule.runs, `${path}: ${rule.because}`)
      const isKnown = rules.length > 0 || isSource(path) || graph.isNamed(path)
      if (isKnown || HARMLESS.some((glob) => matchesGlob(path, glob))) continue
      add(everyTest, `${path}: no file names it, so anything may read it`)
    }
    return { reached: [...reached].sort(), leftOut: tests.filter((test) => !reached.has(test)).sort(), because }
  }
}

type Graph = {
  readonly paths: readonly string[]
  /** Who names this file, or a folder that it is in. */
  namersOf(path: string): readonly string[]
  /** Whether somebody names the very file. */
  isNamed(path: string): boolean
}

function graphOf(files: readonly ClonedFile[]): Graph {
  const packages = packagesOf(files)
  const namers = new Map<string, string[]>()
  const patterns: { readonly glob: string; readonly namer: string }[] = []
  for (const file of files.filter(({ path }) => isSource(path))) {
    const { texts, globs } = wordsOf(file)
    for (const path of texts.flatMap((text) => packages.get(text) ?? placesOf(file.path, text)))
      namers.set(path, [...(namers.get(path) ?? []), file.path])
    for (const glob of globs.flatMap((each) => placesOf(file.path, each))) patterns.push({ glob, namer: file.path })
  }
  const namersOf = (path: string): string[] => [
    ...[path, ...foldersAround(path)].flatMap((each) => namers.get(each) ?? []),
    ...patterns.filter(({ glob }) => matchesGlob(path, glob)).map(({ namer }) => namer),
  ]
  return { paths: files.map(({ path }) => path), namersOf, isNamed: (path) => namers.has(path) }
}

const isSource = (path: string): boolean => ['.ts', '.mjs', '.js'].includes(extname(path))

/** `server` alone is too often just a word: a folder counts when there is another around it. */
function foldersAround(path: string): string[] {
  const found: string[] = []
  for (let folder = dirname(path); folder.includes('/'); folder = dirname(folder)) found.push(folder)
  return found
}

/** Everybody who names one of these, or names somebody who does. */
function reachers(graph: Graph, changed: readonly string[]): string[] {
  const seen = new Set(changed)
  for (const path of seen) for (const namer of graph.namersOf(path)) seen.add(namer)
  return [...seen]
}

/** Where a text could lead that looks like a path: from its file, or from the root of the clone. */
function placesOf(from: string, text: string): string[] {
  if (!/^[\w.@*-]+(\/[\w.@*-]+)*\/?$/.test(text) || !/[./]/.test(text)) return []
  const path = text.replace(/\/$/, '')
  return [normalize(join(dirname(from), path)), normalize(path)].filter((place) => !place.startsWith('.'))
}

/** Every text in a file but imports that are only of types; and of each template that looks like a file's path, its holes as `*`. */
function wordsOf({ path, text }: ClonedFile): { texts: string[]; globs: string[] } {
  const texts: string[] = []
  const globs: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && node.importClause?.isTypeOnly) return
    if ((ts.isExportDeclaration(node) && node.isTypeOnly) || ts.isImportTypeNode(node)) return
    if (ts.isStringLiteralLike(node) && !node.text.includes('*')) texts.push(node.text)
    if (ts.isTemplateExpression(node)) {
      const glob = node.head.text + node.templateSpans.map((span) => `*${span.literal.text}`).join('')
      // One that begins with a hole could be anywhere.
      if (/^[\w.-]*\/.*\.[a-z]+$/.test(glob)) globs.push(glob)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest))
  return { texts, globs }
}

/** Import names of our own packages, by their `exports`, with the files that they stand for. */
function packagesOf(files: readonly ClonedFile[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { path, text } of files) {
    if (!path.endsWith('/package.json')) continue
    const { name, exports } = JSON.parse(text) as { name: string; exports?: Readonly<Record<string, string>> }
    for (const [entry, target] of Object.entries(exports ?? {}))
      found.set(normalize(join(name, entry)), normalize(join(dirname(path), target)))
  }
  return found
}
