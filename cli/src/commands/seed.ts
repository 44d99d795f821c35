import { createHash } from 'node:crypto'
import type { Command } from 'commander'
import { seedCompanies } from '../../../server/src/seed.ts'
import { type CommonOptions, defineAction } from '../support/command.ts'
import { seededDemo, worldOf } from '../support/demo-company.ts'
import { WrongUse } from '../support/refusal.ts'
import { withDatabase } from '../support/with-database.ts'

type Options = CommonOptions & { readonly companies: string; readonly transactions: string; readonly seed: string }

export function define(command: Command): void {
  command
    .option('--companies <number>', 'companies beside the demo company', '0')
    .option('--transactions <number>', 'transactions of each', '100')
    .option('--seed <number>', 'the same seed makes the same companies', '1')
  defineAction<Options>(
    command,
    ['partita seed', 'partita seed --companies 20 --transactions 500'],
    async (_, options, output) => {
      const companies = wholeNumber('--companies', options.companies, 10_000)
      const transactions = wholeNumber('--transactions', options.transactions, 1_000_000)
      const seed = wholeNumber('--seed', options.seed, 2_147_483_647)
      await withDatabase({ data: options.data, applicationName: 'partita seed', onProgress: output.note }, async (opened) => {
        const demo = await seededDemo(opened.database, opened.url, opened.dataDirectory, output.note)
        const bar = output.bar(companies, 'companies')
        const made = await seedCompanies(await worldOf(opened.database, opened.url), {
          seed,
          count: companies,
          transactionsEach: transactions,
          // From the one secret that is kept, so that the same command prints the same keys again.
          secretOf: (slug) => createHash('sha256').update(`${demo.secret_key} ${slug}`).digest('hex'),
          onProgress: bar.update,
        })
        bar.stop()
        const list = [
          { organization_slug: demo.organization_slug, secret_key: demo.secret_key },
          ...made.map((company) => ({ organization_slug: company.organizationSlug, secret_key: company.secretKey })),
        ]
        output.result({ companies: list }, list.map((company) => `${company.organization_slug}:${company.secret_key}`).join('\n'))
      })
      return 0
    },
  )
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= max)) throw new WrongUse(`${option} takes a whole number from 0 to ${max}, not "${text}"`)
  return value
}
