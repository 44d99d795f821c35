import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import {
  type CsvMapping,
  noStatement,
  type ParsedStatement,
  type ParsedStatementFile,
  parseStatementFile,
} from '../../../server/src/formats/statements/index.ts'
import { type ImportProblem, importStatementFile } from '../../../server/src/modules/connections/index.ts'
import { operatorActor } from '../../../server/src/platform/actor.ts'
import { BankClock } from '../../../server/src/platform/clock.ts'
import type { Id } from '../../../server/src/platform/ids.ts'
import type { Database } from '../../../server/src/platform/postgres/database.ts'
import { readBankFile, type Unread } from '../support/bank-file.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { findCompany } from '../support/find-company.ts'
import { listImportedFiles, showImportedFile } from '../support/imported-files.ts'
import { Refusal, WrongUse } from '../support/refusal.ts'
import { withDatabase } from '../support/with-database.ts'

type Options = CommonOptions & {
  readonly organization?: string
  readonly mapping?: string
  readonly strict?: boolean
  readonly explain?: boolean
  readonly listFiles?: boolean
  readonly showFile?: string
  readonly out?: string
}

/** What is said of one file; with `--json` an array of these, one per file, in order. */
type FileReport = {
  readonly file: string
  readonly format: string | null
  readonly status: 'imported' | 'partly' | 'refused'
  readonly statements: readonly StatementReport[]
  readonly new: number
  readonly duplicates: number
  readonly problems: readonly ({ readonly line: number | null } & Omit<ImportProblem, 'line'>)[]
}

type StatementReport = {
  readonly account: string
  readonly currency: string
  readonly entries: number
  readonly details: number
  readonly credit: string
  readonly debit: string
  readonly opening: string | null
  readonly closing: string | null
  readonly reconciles: boolean | null
}

export function define(command: Command): void {
  command
    .argument('[file...]', 'camt.052/053/054, MT940/942, OFX 1 or 2, or CSV; told apart by content')
    .option('--organization <slug>', 'whose books (default: the demo company)')
    .option('--mapping <file>', 'JSON that says which CSV column is what; see server/src/formats/README.md')
    .option('--explain', 'show how each column of a CSV file is understood, and import nothing')
    .option('--list-files', 'list the files that were imported, and import nothing')
    .option('--show-file <id>', 'write an imported file out as it came: to standard output, or to --out')
    .option('--out <file>', 'with --show-file: where to write it')
    .option('--strict', 'refuse a file with a statement that does not add up to its own closing balance')
  const examples = [
    'partita import statement.xml',
    'partita import *.sta --strict --json',
    'partita import export.csv --mapping mapping.json',
    'partita import export.csv --explain',
    'partita import --list-files',
    'partita import --show-file 0190… --out march.xml',
  ]
  defineAction<Options>(command, examples, importFiles)
}

async function importFiles(files: readonly string[], options: Options, output: Output): Promise<ExitCode> {
  if (options.listFiles) return listImportedFiles(options, output)
  if (options.showFile !== undefined) return showImportedFile(options.showFile, options, output)
  if (files.length === 0) throw new WrongUse('name at least one file, or ask for --list-files')
  const csvMapping = options.mapping === undefined ? undefined : readMapping(options.mapping)
  if (options.explain) return explainFiles(files, csvMapping, output)
  const reports = await withDatabase(
    { data: options.data, applicationName: 'partita import', onProgress: output.note },
    async (opened) => {
      const company = await findCompany(opened, options.organization, output.note)
      const clock = new BankClock(opened.database)
      await clock.refresh()
      const done: FileReport[] = []
      for (const file of files) {
        done.push(
          await importFile({
            database: opened.database,
            company,
            now: clock.now(),
            file,
            csvMapping,
            strict: options.strict === true,
            output,
          }),
        )
      }
      return done
    },
  )
  output.result(reports, reports.map(toText).join('\n'))
  return reports.some((report) => report.status === 'refused') ? 1 : 0
}

/** How each file is read: nothing is opened, and nothing written. */
function explainFiles(files: readonly string[], csvMapping: CsvMapping | undefined, output: Output): ExitCode {
  const explained = files.map((file) => {
    const { parsed } = parse({ file, csvMapping })
    const csv = 'csv' in parsed ? parsed.csv : undefined
    return {
      file,
      format: parsed.format?.toLowerCase() ?? null,
      status: parsed.ok ? 'readable' : 'refused',
      bank: csv?.bank ?? null,
      header_line: csv?.headerLine ?? null,
      columns: (csv?.columns ?? []).map(({ header, meaning, isKnown }) => ({ header, meaning, known: isKnown })),
      account: csv?.account ?? null,
      decimal: csv?.decimal ?? null,
      date_format: csv?.dateFormat ?? null,
      statements: parsed.ok ? parsed.statements.map(reportOf) : [],
      problems: parsed.problems,
    }
  })
  output.result(explained, explained.map(explanationText).join('\n'))
  return explained.some(({ status }) => status === 'refused') ? 1 : 0
}

type Explained = {
  readonly file: string
  readonly format: string | null
  readonly status: string
  readonly bank: string | null
  readonly columns: readonly { readonly header: string; readonly meaning: string | null; readonly known: boolean }[]
  readonly account: { readonly from: string; readonly account: string | null } | null
  readonly decimal: string | null
  readonly date_format: string | null
  readonly statements: readonly StatementReport[]
  readonly problems: FileReport['problems']
}

function explanationText(explained: Explained): string {
  const { columns, account, decimal, date_format, bank } = explained
  const width = Math.max(0, ...columns.map(({ header }) => header.length))
  const meaningOf = ({ meaning, known }: Explained['columns'][number]) =>
    meaning ?? (known ? 'not kept' : 'UNKNOWN: name its meaning in a mapping, if it has one')
  const facts = [
    ...(columns.length > 0 ? [`  header of     ${bank ?? 'no bank that is known: read by the names of its columns'}`] : []),
    ...(account ? [`  own account   ${account.account ?? ''} (from ${account.from})`] : []),
    ...(decimal ? [`  decimal mark  ${decimal}`] : []),
    ...(date_format ? [`  dates         ${date_format}`] : []),
  ]
  const table = columns.map((column) => `  ${column.header.padEnd(width)}  ${meaningOf(column)}`)
  return [
    `${explained.file}: ${explained.status}${explained.format ? ` (${explained.format})` : ''}`,
    ...facts,
    ...table,
    ...explained.statements.map(statementText),
    ...explained.problems.map(problemText),
  ].join('\n')
}

function readMapping(file: string): CsvMapping {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as CsvMapping
  } catch (error) {
    throw new Refusal(`the mapping ${file} cannot be read (${(error as Error).message}): it must be a JSON file`)
  }
}

type Work = {
  readonly database: Database
  readonly company: { readonly id: Id<'organization'>; readonly slug: string }
  readonly now: Date
  readonly file: string
  readonly csvMapping: CsvMapping | undefined
  readonly strict: boolean
  readonly output: Output
}

async function importFile(work: Work): Promise<FileReport> {
  const { content, parsed } = parse(work)
  const format = parsed.format?.toLowerCase() ?? null
  const refused = { file: work.file, format, status: 'refused', new: 0, duplicates: 0 } as const
  if (!parsed.ok) return { ...refused, statements: [], problems: parsed.problems }
  const statements = parsed.statements.map(reportOf)
  const broken = work.strict ? parsed.statements.find((statement) => statement.reconciles === false) : undefined
  if (broken) {
    const message = `the statement of ${broken.account.id} does not add up to its closing balance ${broken.closing}; without --strict it is imported with its break`
    return { ...refused, statements, problems: [{ line: broken.line, code: 'does_not_reconcile', message }, ...parsed.problems] }
  }
  const bar = work.output.bar(
    parsed.statements.reduce((sum, statement) => sum + statement.entries.length, 0),
    `entries of ${work.file}`,
  )
  const { id: organizationId, slug: organizationSlug } = work.company
  const actor = operatorActor(userInfo().username, 'partita import', [organizationId])
  const outcome = await importStatementFile(
    { actor, now: work.now, database: work.database },
    { organizationId, organizationSlug, fileName: work.file, file: parsed, content, onProgress: bar.update },
  )
  bar.stop()
  return {
    file: work.file,
    format,
    status: outcome.status,
    statements,
    new: outcome.added,
    duplicates: outcome.duplicates,
    problems: outcome.problems,
  }
}

type Unreadable = {
  readonly ok: false
  readonly format: null
  readonly problems: readonly [{ line: number | null; code: string; message: string }]
}

function parse({ file, csvMapping }: Pick<Work, 'file' | 'csvMapping'>): {
  readonly content: Uint8Array
  readonly parsed: ParsedStatementFile | Unreadable
} {
  const unreadable = (code: string, message: string, line: number | null = null) => ({
    content: new Uint8Array(),
    parsed: { ok: false, format: null, problems: [{ line, code, message }] } as const,
  })
  let content: Uint8Array | Unread
  try {
    const { size } = statSync(file)
    if (size > LIMITS.maxBytes) return unreadable('too_large', `${size} bytes, at most ${LIMITS.maxBytes} are read`)
    content = readBankFile(file, LIMITS.maxBytes, noStatement)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return unreadable('file_unreadable', UNREADABLE[code ?? ''] ?? message)
  }
  if (!(content instanceof Uint8Array)) return unreadable(content.code, content.message, content.line)
  return { content, parsed: parseStatementFile(content, csvMapping === undefined ? LIMITS : { ...LIMITS, csvMapping }) }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder: name the files in it, as in folder/*.xml',
  EACCES: 'reading it is not permitted',
}

/** Some hundred thousand bookings: a year of a busy account. The server's own limits are for strangers. */
const LIMITS = { maxBytes: 256 * 1024 * 1024, maxElements: 8_000_000 }

const reportOf = (statement: ParsedStatement): StatementReport => ({
  account: statement.account.id,
  currency: statement.currency,
  entries: statement.totals.entries,
  details: statement.totals.details,
  credit: statement.totals.credit,
  debit: statement.totals.debit,
  opening: statement.opening,
  closing: statement.closing,
  reconciles: statement.reconciles,
})

function toText(report: FileReport): string {
  const head = `${report.file}: ${report.status}${report.format ? ` (${report.format})` : ''}, ${report.new} new, ${report.duplicates} known`
  return [head, ...report.statements.map(statementText), ...report.problems.map(problemText)].join('\n')
}

const statementText = (s: StatementReport): string =>
  `  ${s.account} ${s.currency}: ${s.entries} entries, +${s.credit} −${s.debit}, ${s.opening ?? '?'} → ${s.closing ?? '?'}${s.reconciles === false ? '  DOES NOT ADD UP' : ''}`

const problemText = (p: FileReport['problems'][number]): string =>
  `  ${p.line === null ? '' : `line ${p.line}: `}${p.code}: ${p.message}`
