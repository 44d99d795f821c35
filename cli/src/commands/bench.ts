import { join } from 'node:path'
import type { Command } from 'commander'
import { runBench, writeReadme } from '../../../bench/main.ts'
import { toMarkdown } from '../../../bench/report.ts'
import { systemClock } from '../../../server/src/platform/clock.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'

type Options = CommonOptions & { readonly quick?: boolean; readonly writeReadme?: boolean }

const README = join(import.meta.dirname, '../../../README.md')

export function define(command: Command): void {
  command
    .option('--quick', 'fewer repeats and smaller tables: at most a minute in all')
    .option('--write-readme', 'put the table into README.md')
  defineAction<Options>(command, ['npm run bench', 'npm run bench -- --quick --json', 'npm run bench -- --write-readme'], bench)
}

/** Measures on a PostgreSQL of its own: the bank's data is not touched. Exit code 1 when a proof afterwards fails. */
async function bench(_: readonly string[], options: Options, output: Output): Promise<ExitCode> {
  const report = await runBench({ quick: options.quick === true, onProgress: output.note })
  if (options.writeReadme) writeReadme(report, README, systemClock.now())
  output.result(report, `${report.postgres}\n\n${toMarkdown(report)}`)
  return report.rows.every((row) => row.verified) ? 0 : 1
}
