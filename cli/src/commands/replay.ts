import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import {
  type ReplayReport,
  type ReplayRow,
  readReplayFile,
  replayHistory,
} from '../../../server/src/modules/connections/index.ts'
import { findOrganizationBySlug } from '../../../server/src/modules/team/index.ts'
import { operatorActor } from '../../../server/src/platform/actor.ts'
import { BankClock } from '../../../server/src/platform/clock.ts'
import { type Currency, formatDecimal, isCurrency, money, parseDecimal } from '../../../server/src/platform/money.ts'
import type { Database } from '../../../server/src/platform/postgres/database.ts'
import { type BankReport, verifyBank } from '../../../server/src/verify.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { Refusal, WrongUse } from '../support/refusal.ts'
import { verifyText } from '../support/verify-report.ts'
import { withDatabase } from '../support/with-database.ts'

type Options = CommonOptions & { readonly currency: string; readonly tolerance: string; readonly organization?: string }

const RATE_EVERY_MS = 1_000
const MISMATCHES_SHOWN = 20

export function define(command: Command): void {
  command
    .argument('<file>', 'CSV with the header account,date,amount,balance_after,text; row 1 is the first after it')
    .requiredOption('--currency <code>', 'currency of all amounts, ISO 4217')
    .option('--tolerance <amount>', "how far a balance may be off: the source's own rounding", '0.00')
    .option('--organization <slug>', "whose history it is (default: the bank's own)")
  defineAction<Options>(
    command,
    ['partita replay history.csv --currency CZK', 'partita replay history.csv --currency EUR --tolerance 0.05 --json'],
    ([file = ''], options, output) => replay(file, options, output),
  )
}

async function replay(file: string, options: Options, output: Output): Promise<ExitCode> {
  const startedAt = performance.now()
  const currency = readCurrency(options.currency)
  const tolerance = parseDecimal(currency, options.tolerance)
  if (!tolerance || tolerance.minor < 0n)
    throw new WrongUse(`--tolerance ${options.tolerance} is not an amount of ${currency} from zero up, such as 0.05`)
  const rows = readRows(file, currency)
  const settings = { data: options.data, applicationName: 'partita replay', onProgress: output.note }
  return withDatabase(settings, async ({ database }) => {
    const slug = options.organization
    const report = await post(database, { rows, currency, toleranceMinor: tolerance.minor, slug }, file, output)
    output.note('Verifying the books')
    const verify = await verifyBank(database)
    const seconds = Math.round(performance.now() - startedAt) / 1_000
    output.result(documentOf(report, currency, seconds, verify), textOf(report, currency, seconds, verify))
    return report.mismatches.length === 0 && verify.ok ? 0 : 1
  })
}

function readCurrency(code: string): Currency {
  if (!isCurrency(code) || !Intl.supportedValuesOf('currency').includes(code))
    throw new WrongUse(`"${code}" is no currency: give --currency an ISO 4217 code in capital letters, such as CZK`)
  return code
}

function readRows(file: string, currency: Currency): ReplayRow[] {
  let content: Buffer
  try {
    content = readFileSync(file)
  } catch (error) {
    throw new Refusal(`cannot read ${file}: ${(error as Error).message}`)
  }
  const read = readReplayFile(content, currency)
  if (!read.ok) throw new Refusal(`${file}: ${read.refusal}. Nothing was posted`)
  return read.value
}

type Wanted = {
  readonly rows: readonly ReplayRow[]
  readonly currency: Currency
  readonly toleranceMinor: bigint
  readonly slug: string | undefined
}

async function post(database: Database, { slug, ...wanted }: Wanted, file: string, output: Output): Promise<ReplayReport> {
  const clock = new BankClock(database)
  await clock.refresh()
  const organization = slug === undefined ? undefined : await findOrganization(database, slug)
  const actor = operatorActor(userInfo().username, 'partita replay', organization && [organization.id])
  output.note(`Replaying ${wanted.rows.length} rows`)
  const bar = output.bar(wanted.rows.length, 'rows')
  const startedAt = performance.now()
  const rate = (rows: number) => `${rows} rows, ${Math.round((rows * 1_000) / (performance.now() - startedAt))} a second`
  let saidAt = startedAt
  const onProgress = (rows: number) => {
    bar.update(rows)
    if (process.stderr.isTTY || performance.now() - saidAt < RATE_EVERY_MS) return
    saidAt = performance.now()
    output.note(`  ${rate(rows)}`)
  }
  try {
    const replayed = await replayHistory({ actor, database }, { ...wanted, organization, clock, onProgress })
    if (!replayed.ok) {
      const { row, reason } = replayed.refusal
      throw new Refusal(
        `${file}: ${row ? `row ${row.row} (account ${row.account})` : 'an account'} was refused by the ledger: ${reason}`,
      )
    }
    output.note(`  ${rate(replayed.value.posted + replayed.value.alreadyPosted)}`)
    return replayed.value
  } finally {
    bar.stop()
  }
}

async function findOrganization(database: Database, slug: string) {
  const id = await database.read(operatorActor(userInfo().username, 'partita replay'), (tx) => findOrganizationBySlug(tx, slug))
  if (!id) throw new Refusal(`there is no organization "${slug}": see partita demo, or leave --organization out`)
  return { id, slug }
}

const mismatchesOf = (report: ReplayReport, currency: Currency) =>
  report.mismatches.map(({ row, account, expected, actual }) => ({
    row,
    account,
    expected: formatDecimal(money(currency, expected)),
    actual: formatDecimal(money(currency, actual)),
  }))

const documentOf = (report: ReplayReport, currency: Currency, seconds: number, verify: BankReport) => ({
  rows: report.rows,
  accounts: report.accounts,
  posted: report.posted,
  already_posted: report.alreadyPosted,
  mismatches: mismatchesOf(report, currency),
  seconds,
  verify,
})

function textOf(report: ReplayReport, currency: Currency, seconds: number, verify: BankReport): string {
  const { rows, accounts, posted, alreadyPosted } = report
  const mismatches = mismatchesOf(report, currency)
  const lines = mismatches
    .slice(0, MISMATCHES_SHOWN)
    .map(
      ({ row, account, expected, actual }) =>
        `MISMATCH  row ${row}, account ${account}: ${expected} in the file, ${actual} in the ledger`,
    )
  if (mismatches.length > MISMATCHES_SHOWN) lines.push(`… and ${mismatches.length - MISMATCHES_SHOWN} more (--json has all)`)
  lines.push(
    `${rows} rows of ${accounts} accounts in ${seconds} s: ${posted} posted, ${alreadyPosted} posted before, ${mismatches.length} mismatches`,
    verifyText(verify),
  )
  return lines.join('\n')
}
