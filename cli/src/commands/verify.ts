import type { Command } from 'commander'
import { verifyBank } from '../../../server/src/verify.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { verifyText } from '../support/verify-report.ts'
import { withDatabase } from '../support/with-database.ts'

export function define(command: Command): void {
  defineAction<CommonOptions>(command, ['partita verify', 'partita verify --json --data ./other-bank'], (_, options, output) =>
    verify(options, output),
  )
}

/** Proves the books, also of a bank that is running. */
async function verify(options: CommonOptions, output: Output): Promise<ExitCode> {
  const settings = { data: options.data, applicationName: 'partita verify', onProgress: output.note }
  const report = await withDatabase(settings, ({ database }) => verifyBank(database))
  output.result(report, verifyText(report))
  return report.ok ? 0 : 1
}
