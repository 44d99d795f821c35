import { stripVTControlCharacters } from 'node:util'
import type { Command } from 'commander'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { WrongUse } from '../support/refusal.ts'
import { CLONE, type Counts, countsText, type Program, runProgram, runVitest } from '../support/run-tests.ts'
import type { Reach } from '../support/test-reach.ts'

type Step = {
  readonly name: string
  readonly proves: string
  /** A program of the project, run by our own Node, and its arguments. */
  readonly program: Program
  /** Seeing fewer files is a failure, for programs that would find nothing in nothing and be content. */
  readonly filesMin?: number
}

/** What is cheap and what most mistakes trip over comes first. */
const GATES: readonly Step[] = [
  {
    name: 'lint',
    proves: 'style and formatting',
    program: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
    filesMin: 100,
  },
  { name: 'types', proves: 'TypeScript, strict', program: ['node_modules/typescript/bin/tsc', '-p', '.'] },
  { name: 'boundaries', proves: 'who may import whom', program: ['tools/boundaries.ts'] },
  { name: 'tidy', proves: 'one clock, no floats, SQL in stores', program: ['tools/tidy.ts'] },
  { name: 'dead code', proves: 'no unused file, export or package', program: ['node_modules/knip/bin/knip.js', '--no-progress'] },
]

type Outcome = { readonly step: string; readonly ok: boolean; readonly seconds: number; readonly detail: string }
type Options = CommonOptions & { readonly only?: string; readonly since?: string }

export function define(command: Command): void {
  command
    .argument('[filter...]', 'run only the tests whose path contains one of these; nothing else is checked')
    .option('--only <step>', `run one step: ${[...GATES.map((gate) => gate.name), 'tests'].join(', ')}`)
    .option('--since <revision>', 'run every check, but only the tests that what has changed since then can reach')
    .addHelpText(
      'after',
      `
With --since the change is everything committed since the revision, staged, unstaged or new. A test is reached by a file that it imports, or that it or
one of those names by its path; migrations reach every database test, packages and unknown files every test. What is left out is named.`,
    )
  defineAction<Options>(
    command,
    ['npm test', 'npm test -- ledger', 'npm test -- --since main', 'partita test --only lint'],
    runAll,
  )
}

async function runAll(filters: readonly string[], options: Options, output: Output): Promise<ExitCode> {
  const names = [...GATES.map((gate) => gate.name), 'tests']
  if (options.only !== undefined && !names.includes(options.only)) {
    throw new WrongUse(`"${options.only}" is no step: choose one of ${names.join(', ')}`)
  }
  const isPartial = filters.length > 0 && options.since === undefined
  const wanted = (name: string): boolean => (options.only ? options.only === name : !isPartial || name === 'tests')
  const choice = wanted('tests') && options.since !== undefined ? await chooseTests(options.since, filters, output) : undefined
  const outcomes: Outcome[] = []
  for (const gate of GATES.filter((step) => wanted(step.name))) outcomes.push(await runGate(gate, output))

  let counts: Counts | undefined
  if (wanted('tests')) {
    const tests = choice?.reached.length === 0 ? NOTHING_REACHED : await runTests(choice?.reached ?? filters, output)
    counts = tests.counts
    outcomes.push(tests.outcome)
  }
  const ok = outcomes.every((outcome) => outcome.ok)
  output.result({ ok, ...counts, steps: outcomes, leftOut: choice?.leftOut }, summary(outcomes, counts) + leftOutText(choice))
  return ok ? 0 : 1
}

/** Which tests the change can reach, within the paths that were asked for. Says which it leaves out: a green run must not look like more. */
async function chooseTests(revision: string, filters: readonly string[], output: Output): Promise<Reach> {
  // They bring the TypeScript compiler with them, which a plain run has no use for.
  const [{ changedFilesSince, clonedFiles }, { reachIn }] = await Promise.all([
    import('../support/changed-files.ts'),
    import('../support/test-reach.ts'),
  ])
  const changed = changedFilesSince(CLONE, revision)
  const reach = reachIn(clonedFiles(CLONE))(changed)
  const isAsked = (path: string): boolean => filters.length === 0 || filters.some((filter) => path.includes(filter))
  const reached = reach.reached.filter(isAsked)
  const leftOut = [...reach.leftOut, ...reach.reached.filter((path) => !isAsked(path))].sort()
  const number = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
  output.note(`▸ since ${revision}: ${number(changed.length, 'changed file')}, ${number(reached.length, 'test file')} in reach`)
  for (const reason of reach.because) output.note(`  ${reason}`)
  return { ...reach, reached, leftOut }
}

const leftOutText = (choice: Reach | undefined): string =>
  choice === undefined || choice.leftOut.length === 0
    ? ''
    : `\nLeft out, ${choice.leftOut.length} test files that the change does not reach or nobody asked for:\n${choice.leftOut.map((path) => `  ${path}\n`).join('')}`

const NOTHING_REACHED: { outcome: Outcome; counts: Counts } = {
  outcome: { step: 'tests', ok: true, seconds: 0, detail: 'none is in reach of the change' },
  counts: { passed: 0, failed: 0, skipped: 0 },
}

async function runGate(step: Step, output: Output): Promise<Outcome> {
  output.note(`▸ ${step.name}: ${step.proves}`)
  const { ok: isContent, said, seconds } = await runProgram(step.program, {}, () => {})
  const seen = /(\d+) (files|modules)/.exec(stripVTControlCharacters(said))
  const ok = isContent && Number(seen?.[1] ?? 0) >= (step.filesMin ?? 0)
  // What a gate says is worth reading only when it fails.
  if (!ok) output.note(said.trimEnd())
  const detail = isContent ? `it looked at ${seen?.[0] ?? 'nothing'}` : 'see above'
  return { step: step.name, ok, seconds, detail: ok ? `${step.proves}${seen ? ` (${seen[0]})` : ''}` : detail }
}

async function runTests(filters: readonly string[], output: Output): Promise<{ outcome: Outcome; counts: Counts }> {
  output.note('▸ tests: unit, property, database and end-to-end')
  const { ok, seconds, counts } = await runVitest({ filters, output })
  return { outcome: { step: 'tests', ok, seconds, detail: countsText(counts) }, counts }
}

const seconds = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

function summary(outcomes: readonly Outcome[], counts: Counts | undefined): string {
  const rows = outcomes.map(
    ({ step, ok, seconds: took, detail }) =>
      `  ${ok ? 'ok    ' : 'FAILED'}  ${step.padEnd(11)} ${`${seconds.format(took)} s`.padStart(8)}  ${detail}`,
  )
  const skipped = counts && counts.skipped > 0 ? SKIPPED : ''
  return `\n${rows.join('\n')}\n${skipped}${counts ? `\n${countsText(counts)}\n` : ''}`
}

const SKIPPED = '\nNOT EVERYTHING WAS TESTED: see SKIPPED above for what was missing.\n'
