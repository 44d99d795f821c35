import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Output } from './command.ts'
import { Refusal } from './refusal.ts'
import { withTestFolder } from './test-folder.ts'

export const CLONE = join(import.meta.dirname, '../../..')

/** A program of the project, run by our own Node, and its arguments. */
export type Program = readonly [string, ...string[]]
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

export const countsText = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

/** Runs the test files whose paths contain one of the filters, in a temporary folder of their own that is removed with whatever they leave. */
export async function runVitest(wanted: {
  readonly filters: readonly string[]
  readonly output: Output
  /** Another configuration than the project's own. */
  readonly config?: string
  readonly environment?: Readonly<Record<string, string>>
}): Promise<{ ok: boolean; seconds: number; counts: Counts }> {
  const { filters, output, config, environment } = wanted
  const echo = (chunk: string): boolean => output.json || process.stderr.write(chunk)
  return withTestFolder(async (folder) => {
    const report = join(folder, 'vitest.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const configuration = config === undefined ? [] : ['--config', config]
    const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...configuration, ...reporters, ...filters] as const
    const { ok, seconds } = await runProgram(vitest, { ...environment, TMPDIR: folder }, echo)
    return { ok, seconds, counts: readCounts(report, ok) }
  })
}

type Report = {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

/** A file that cannot be loaded holds no test that could fail, and an error outside every test fails none: each counts as one failure. */
function readCounts(report: string, ok: boolean): Counts {
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 }
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report
  const unloaded = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  const failed = numFailedTests + unloaded
  return { passed: numPassedTests, failed: ok ? failed : Math.max(failed, 1), skipped: numPendingTests }
}

export function runProgram(
  [program, ...args]: Program,
  environment: Readonly<Record<string, string>>,
  onText: (text: string) => unknown,
): Promise<{ ok: boolean; said: string; seconds: number }> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: CLONE,
      env: { ...withoutSettings(process.env), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
        onText(text)
      })
    }
    // However often it is asked to end, it ends when its child has, and tidies up after it.
    let isInterrupted = false
    const forward = (signal: NodeJS.Signals) => {
      isInterrupted = true
      child.kill(signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    for (const signal of signals) process.on(signal, forward)
    child.on('error', reject)
    child.on('close', (code) => {
      for (const signal of signals) process.off(signal, forward)
      if (isInterrupted) reject(new Refusal('interrupted'))
      resolve({ ok: code === 0, said, seconds: (performance.now() - started) / 1000 })
    })
  })
}

/** Tests bring their own database and settings; those of the caller would make them tests of something else. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = /^(DATABASE_URL$|RAILS_URL$|PARTITA_(?!TEST_))/
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ours.test(name)))
}
