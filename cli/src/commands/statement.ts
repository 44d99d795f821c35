import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import {
  type StatementDocument,
  writeCamt053,
  writeCsv,
  writeMt940,
  writePdf,
} from '../../../server/src/formats/statements/index.ts'
import { toldByBanks } from '../../../server/src/modules/connections/index.ts'
import { statementDocument } from '../../../server/src/modules/feed/index.ts'
import { findOrganizationBySlug } from '../../../server/src/modules/team/index.ts'
import { operatorActor } from '../../../server/src/platform/actor.ts'
import { addDays, BankClock } from '../../../server/src/platform/clock.ts'
import { currency, formatDecimal, isCurrency } from '../../../server/src/platform/money.ts'
import type { Tx } from '../../../server/src/platform/postgres/database.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { Refusal, WrongUse } from '../support/refusal.ts'
import { withDatabase } from '../support/with-database.ts'

type Options = CommonOptions & {
  readonly from: string
  readonly to: string
  readonly format: string
  readonly out?: string
  readonly organization?: string
  readonly currency?: string
}

const FORMATS: Readonly<Record<string, (document: StatementDocument) => string | Promise<Uint8Array>>> = {
  'camt.053': writeCamt053,
  mt940: writeMt940,
  csv: writeCsv,
  pdf: writePdf,
}

export function define(command: Command): void {
  command
    .argument('<iban>', 'the account, by IBAN or, when it has none, by its number')
    .requiredOption('--from <date>', 'first day, YYYY-MM-DD')
    .requiredOption('--to <date>', 'last day, YYYY-MM-DD')
    .requiredOption('--format <format>', Object.keys(FORMATS).join(' | '))
    .option('--out <file>', 'where to write it (default: standard output)')
    .option('--organization <slug>', 'whose account, when several have connected it')
    .option('--currency <code>', 'which account, where a bank keeps several currencies under one number')
  defineAction<Options>(
    command,
    ['partita statement FR76… --from 2026-03-01 --to 2026-03-31 --format camt.053 --out march.xml'],
    ([iban = ''], options, output) => statement(iban, options, output),
  )
}

async function statement(iban: string, options: Options, output: Output): Promise<ExitCode> {
  const { from, to, format, out } = options
  const write = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  if (!write) throw new WrongUse(`there is no format "${format}": use one of ${Object.keys(FORMATS).join(', ')}`)
  for (const [name, date] of [
    ['--from', from],
    ['--to', to],
  ] as const) {
    if (!isDate(date)) throw new WrongUse(`${name} "${date}" is no date: write it as 2026-03-31`)
  }
  if (options.currency !== undefined && !isCurrency(options.currency))
    throw new WrongUse(`--currency "${options.currency}" is no ISO 4217 code: write it as EUR`)
  const only = options.currency === undefined ? {} : { currency: currency(options.currency) }
  if (from > to) throw new WrongUse(`--from ${from} is after --to ${to}`)
  if (format === 'pdf' && out === undefined) throw new WrongUse('a PDF needs a file: add --out statement.pdf')

  const onProgress = (message: string) => output.note(`  ${message}`)
  const document = await withDatabase(
    { data: options.data, applicationName: 'partita statement', onProgress },
    async ({ database }) => {
      const clock = new BankClock(database)
      await clock.refresh()
      const organizationId = await database.read(operatorActor(userInfo().username, 'partita statement'), (tx) =>
        organizationOf(tx, options.organization),
      )
      const wanted = { account: iban.trim(), organizationId, from, to, now: clock.now(), ...only }
      return database.read(operatorActor(userInfo().username, 'partita statement'), (tx) =>
        statementDocument(tx, wanted, toldByBanks),
      )
    },
  )
  if (!document) throw new Refusal(`there is no account ${iban} with a history: "partita demo" shows the demo company's accounts`)
  const content = await write(document)
  if (out !== undefined) save(out, content)
  const facts = {
    iban: document.iban,
    format,
    from,
    to,
    currency: document.opening.currency,
    opening: formatDecimal(document.opening),
    closing: formatDecimal(document.closing),
    entries: document.entries.length,
    out: out ?? null,
  }
  output.result(
    out === undefined ? { ...facts, content } : facts,
    out === undefined
      ? String(content)
      : `${out}: ${facts.entries} entries, ${facts.opening} → ${facts.closing} ${facts.currency}`,
  )
  return 0
}

function save(out: string, content: string | Uint8Array): void {
  try {
    writeFileSync(out, content)
  } catch (error) {
    throw new Refusal(`${out} cannot be written (${(error as Error).message}): name a file in a folder that is there and yours`)
  }
}

/** The calendar moves what is no day; a day stays where it is. */
const isDate = (text: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && addDays(text, 0) === text

async function organizationOf(tx: Tx, slug: string | undefined) {
  if (slug === undefined) return null
  const id = await findOrganizationBySlug(tx, slug)
  if (!id) throw new Refusal(`there is no organization "${slug}": see "partita demo" and "partita seed"`)
  return id
}
