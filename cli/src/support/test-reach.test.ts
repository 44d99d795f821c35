import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import config from '../../../vitest.config.ts'
import { changedFilesSince, clonedFiles } from './changed-files.ts'
import { WrongUse } from './refusal.ts'
import { reachIn } from './test-reach.ts'

const CLONE = join(import.meta.dirname, '../../..')

/** A small project: a sum and its test, a test over the database, a process that a test starts, commands loaded by name. */
const PROJECT = {
  'server/src/sum.ts': 'export const sum = 1',
  'server/src/sum.test.ts': "import { sum } from './sum.ts'\nimport type { Word } from './word.ts'",
  'server/src/word.ts': "export type Word = string\nexport const word = 'w'",
  'server/src/word.test.ts': "import { word } from './word.ts'",
  'server/src/rows.db.test.ts': "import { word } from './word.ts'",
  'server/src/main.ts': "import { tree } from '@own/notation/xml'",
  'server/test/start.e2e.test.ts': "fork(join(import.meta.dirname, '../src/main.ts'))",
  'server/test/fixture.test.ts': "readFileSync(new URL('../../api/answers/list.json', import.meta.url))",
  'server/test/folder.test.ts': "readdirSync('api/answers/')",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a file
  'cli/main.ts': 'await import(`./commands/${name}.ts`)',
  'cli/commands/pay.ts': 'export const pay = 1',
  'cli/main.test.ts': "import './main.ts'",
  'notation/package.json': '{"name":"@own/notation","exports":{"./xml":"./src/xml.ts"}}',
  'notation/src/xml.ts': 'export const tree = 1',
  'api/answers/list.json': '',
  'README.md': '',
  'package.json': '{"name":"own"}',
}

const reachInProject = reachIn(Object.entries(PROJECT).map(([path, text]) => ({ path, text })))
const reached = (...changed: string[]) =>
  reachInProject(changed).reached.map((path) => path.split('/').at(-1)?.replace('.test.ts', ''))

describe('what a change can reach', () => {
  test.each([
    ['an import', 'server/src/sum.ts', ['sum']],
    ['the test itself', 'server/src/sum.test.ts', ['sum']],
    ['an import, but not one of types only', 'server/src/word.ts', ['rows.db', 'word']],
    ['a process started by its path', 'server/src/main.ts', ['start.e2e']],
    ['a package of our own, through a process', 'notation/src/xml.ts', ['start.e2e']],
    ['a file or its folder that is read', 'api/answers/list.json', ['fixture', 'folder']],
    ['a file that is gone', 'api/answers/gone.ts', ['folder']],
    ['what is loaded by a name made up', 'cli/commands/pay.ts', ['main']],
    ['a migration, by rule', 'server/src/modules/x/migrations/0002_y.sql', ['rows.db', 'start.e2e']],
    ['prose that nobody reads', 'README.md', []],
    ['a source that nobody imports', 'server/src/new.ts', []],
  ])('%s', (_, changed, tests) => expect(reached(changed)).toEqual(tests))

  test.each(['package.json', 'package-lock.json', 'vitest.config.ts', 'data/unheard-of.bin'])(
    '%s may not leave anything out',
    (path) => expect(reached(path)).toHaveLength(7),
  )

  test('reasons are told for what goes beyond the files, and what is left out is named', () => {
    expect(reachInProject(['data/unheard-of.bin']).because).toEqual([
      'data/unheard-of.bin: no file names it, so anything may read it',
    ])
    const { reached: some, leftOut, because } = reachInProject(['server/src/sum.ts'])
    expect([some.length + leftOut.length, because]).toEqual([7, []])
  })

  test('what is set up before every test may not leave anything out', () => {
    const before = config.test?.setupFiles ?? []
    expect(before).toHaveLength(1)
    for (const path of before) expect(reached(path)).toHaveLength(7)
  })

  test('in this project is no less than what must be run', () => {
    const files = clonedFiles(CLONE)
    const reachOf = reachIn(files)
    const reach = (path: string) => reachOf([path]).reached
    const rails = reach('rails-simulator/src/core/simulator.ts')
    expect(rails).toContain('server/test/journeys/sepa-crash.e2e.test.ts')
    expect(rails).not.toContain('server/src/platform/money.property.test.ts')
    expect(reach('server/src/modules/ledger/index.ts')).toContain('server/test/api/access.db.test.ts')
    expect(reach('notation/src/decimal.ts')).toContain('server/src/platform/money.property.test.ts')
    expect(reach('cli/src/commands/verify.ts')).toContain('server/test/journeys/start-commands.e2e.test.ts')
    expect(reach('rails-simulator/test/before-schemes.jsonl')).toContain('rails-simulator/src/core/scheme.test.ts')
    for (const { path } of files.filter((file) => file.path.endsWith('.test.ts'))) expect(reach(path)).toContain(path)
  })
})

describe('what has changed', () => {
  let clone = ''
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(clone, path)), { recursive: true })
    writeFileSync(join(clone, path), text)
  }
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: clone })
  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), 'partita-changed-'))
    git('init', '-q', '-b', 'main')
    for (const name of ['same', 'staged', 'unstaged', 'deleted', 'old name é']) write(`${name}.ts`, `${name}\n`.repeat(5))
    write('.gitignore', 'ignored.ts\n')
    git('add', '.')
    git('commit', '-qm', 'first')
  })
  afterEach(() => rmSync(clone, { recursive: true }))

  test('is what was committed, staged, edited, moved, deleted or added, and may not be what is ignored', () => {
    write('committed.ts', '1')
    git('add', '.')
    git('commit', '-qm', 'second')
    git('mv', 'old name é.ts', 'new name.ts')
    git('rm', '-q', 'deleted.ts')
    write('staged.ts', '2')
    git('add', 'staged.ts')
    write('unstaged.ts', '2')
    write('folder/untracked.ts', '2')
    write('ignored.ts', '2')
    const all = ['committed', 'deleted', 'folder/untracked', 'new name', 'old name é', 'staged', 'unstaged']
    expect(changedFilesSince(clone, 'HEAD~1')).toEqual(all.map((name) => `${name}.ts`))
    expect(changedFilesSince(clone, 'HEAD')).not.toContain('committed.ts')
    expect(clonedFiles(clone).map(({ path }) => path)).not.toContain('deleted.ts')
  })

  test('on a branch may not be what others have done since it began', () => {
    git('checkout', '-qb', 'branch')
    write('mine.ts', '1')
    git('add', '.')
    git('commit', '-qm', 'mine')
    git('checkout', '-q', 'main')
    write('theirs.ts', '1')
    git('add', '.')
    git('commit', '-qm', 'theirs')
    git('checkout', '-q', 'branch')
    expect(changedFilesSince(clone, 'main')).toEqual(['mine.ts'])
  })

  test.each(['nobody', '--output=x', ''])('since %j is refused: git knows no such revision', (revision) =>
    expect(() => changedFilesSince(clone, revision)).toThrow(WrongUse),
  )
})
