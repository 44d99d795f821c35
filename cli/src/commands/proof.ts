import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../../../server/src/platform/clock.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { WrongUse } from '../support/refusal.ts'
import { CLONE, type Counts, countsText, runVitest } from '../support/run-tests.ts'

/** Where the figures of long runs stand. */
const RECORD = join(CLONE, 'docs/reliability.json')
const CONFIG = 'vitest.proof.config.ts'

type Suite = {
  readonly name: string
  readonly proves: string
  /** Test files whose paths contain one of these. */
  readonly filters: readonly string[]
  /** What runs them, when it is not the project's own configuration. */
  readonly config?: string
  readonly short: Readonly<Record<string, string>>
  readonly long: Readonly<Record<string, string>>
}

/** What takes too long for every run of the tests: each with a budget for CI, and one for proving it. */
const SUITES: readonly Suite[] = [
  {
    name: 'connections',
    proves: 'silent connections by the thousand leave the door open',
    filters: ['idle-sockets.proof'],
    config: CONFIG,
    short: { PARTITA_TEST_CONNECTIONS: '3000' },
    long: { PARTITA_TEST_CONNECTIONS: '20000' },
  },
  {
    name: 'ledger',
    proves: 'random batches are answered as the plain rules say',
    filters: ['post-batch.property'],
    short: { LEDGER_PROPERTY_BATCHES: '40000' },
    long: { LEDGER_PROPERTY_BATCHES: '1000000' },
  },
]

type Figures = Record<string, number | string>
type Proof = {
  readonly suite: string
  readonly ok: boolean
  readonly seconds: number
  readonly counts: Counts
  readonly figures: Figures
}

export function define(command: Command): void {
  command
    .argument('[suite]', `one of: ${SUITES.map(({ name }) => name).join(', ')}; all with their short budgets when none is named`)
    .addHelpText(
      'after',
      `
Suites:
${SUITES.map(({ name, proves }) => `  ${name.padEnd(14)}${proves}`).join('\n')}

A suite that is named runs with its long budget, and its figures go into docs/reliability.json.`,
    )
  defineAction<CommonOptions>(command, ['npm run proof', 'npm run proof -- ledger'], ([name], _, output) => prove(name, output))
}

async function prove(name: string | undefined, output: Output): Promise<ExitCode> {
  const suites = name === undefined ? SUITES : SUITES.filter((suite) => suite.name === name)
  if (suites.length === 0)
    throw new WrongUse(`"${name}" is no suite: choose one of ${SUITES.map((suite) => suite.name).join(', ')}`)
  const proofs: Proof[] = []
  for (const suite of suites) proofs.push(await runSuite(suite, name === undefined ? suite.short : suite.long, output))
  if (name !== undefined) for (const proof of proofs) record(proof)
  const counts = proofs.reduce(
    (sum, { counts: c }) => ({ passed: sum.passed + c.passed, failed: sum.failed + c.failed, skipped: sum.skipped + c.skipped }),
    NONE,
  )
  output.result(
    { ok: proofs.every(({ ok }) => ok), ...counts, proofs },
    `\n${proofs.map(line).join('\n')}\n\n${countsText(counts)}\n`,
  )
  return proofs.every(({ ok }) => ok) ? 0 : 1
}

const NONE: Counts = { passed: 0, failed: 0, skipped: 0 }

async function runSuite(
  { name, proves, filters, config, ...suite }: Suite,
  budget: Suite['short'],
  output: Output,
): Promise<Proof> {
  output.note(`▸ ${name}: ${proves} (${Object.values({ ...suite, ...budget }).at(-1)})`)
  const folder = mkdtempSync(join(tmpdir(), 'partita-figures-'))
  const file = join(folder, 'figures.jsonl')
  try {
    const environment = { ...budget, PARTITA_TEST_FIGURES: file }
    const { ok, seconds, counts } = await runVitest({ filters, output, environment, ...(config && { config }) })
    return { suite: name, ok, seconds: Math.round(seconds), counts, figures: { ...budget, ...readFigures(file) } }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const readFigures = (file: string): Figures =>
  existsSync(file)
    ? Object.assign(
        {},
        ...readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((text) => JSON.parse(text) as Figures),
      )
    : {}

/** A proof counts for the commit that it was made on: changes that are not committed are said. */
function record({ suite, ...proof }: Proof): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: CLONE, encoding: 'utf8' }).trim()
  const isClean = git('status', '--porcelain', '--', ':!docs/reliability.json') === ''
  const commit = `${git('rev-parse', '--short', 'HEAD')}${isClean ? '' : ' with changes'}`
  const known = existsSync(RECORD) ? (JSON.parse(readFileSync(RECORD, 'utf8')) as object) : {}
  const date = systemClock.now().toISOString().slice(0, 10)
  writeFileSync(RECORD, `${JSON.stringify({ ...known, [suite]: { date, commit, ...proof } }, undefined, 2)}\n`)
}

const line = ({ suite, ok, seconds, counts, figures }: Proof): string =>
  `  ${ok ? 'ok    ' : 'FAILED'}  ${suite.padEnd(14)} ${`${seconds} s`.padStart(8)}  ${countsText(counts)}  ${Object.entries(
    figures,
  )
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`
