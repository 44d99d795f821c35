import type { Command } from 'commander'
import { type CommonOptions, defineAction } from '../support/command.ts'
import { dataFolder } from '../support/data-folder.ts'
import { seededDemo } from '../support/demo-company.ts'
import { runningUrl } from '../support/running-bank.ts'
import { withDatabase } from '../support/with-database.ts'

const DEFAULT_PORT = '4100'

export function define(command: Command): void {
  defineAction<CommonOptions>(command, ['partita demo', 'partita demo --json'], async (_, options, output) => {
    const onProgress = output.note
    const demo = await withDatabase({ data: options.data, applicationName: 'partita demo', onProgress }, (opened) =>
      seededDemo(opened.database, opened.url, opened.dataDirectory, output.note),
    )
    const running = runningUrl(dataFolder(options.data))
    const url = running ?? `http://127.0.0.1:${process.env.PARTITA_PORT ?? DEFAULT_PORT}`
    const lines = [
      `Address        ${url}${running ? '' : ' (not running: npm start)'}`,
      `Demo company   ${demo.organization_slug}`,
      `API key        ${demo.organization_slug}:${demo.secret_key}`,
      ...demo.accounts.map((account) => `Account        ${account.iban}  ${account.name}${account.main ? ' (main)' : ''}`),
    ]
    output.result({ url, ...demo }, lines.join('\n'))
    return 0
  })
}
