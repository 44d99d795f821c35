import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { partita } from '../../../server/src/bank.ts'
import { operatorActor } from '../../../server/src/platform/actor.ts'
import { systemClock } from '../../../server/src/platform/clock.ts'
import { type CaseDesk, endCase, takeUpCases, workerStatus } from '../../../server/src/platform/passes/cases.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { Refusal, WrongUse } from '../support/refusal.ts'
import { withDatabase } from '../support/with-database.ts'
import { statusDocument, statusText } from '../support/worker-report.ts'

type RetryOptions = CommonOptions & { readonly pass?: string }
type CloseOptions = CommonOptions & { readonly because: string }

/** Cases shown at once; the counts beside each pass are of all. */
const CASES_SHOWN = 200

export function define(command: Command): void {
  const subcommand = (name: string, description: string) =>
    command.command(name).description(description).copyInheritedSettings(command)
  defineAction<CommonOptions>(
    subcommand('status', 'show every pass of every worker process, and the items that failed'),
    ['partita worker status', 'partita worker status --json'],
    (_, options, output) => status(options, output),
  )
  defineAction<RetryOptions>(
    subcommand('retry', 'try a failed item again, or all of a pass')
      .argument('[case]', 'its number, see "partita worker status"')
      .option('--pass <name>', 'all open cases and waiting items of this pass'),
    ['partita worker retry 17', 'partita worker retry --pass payments.submit'],
    ([number], options, output) => retry(number, options, output),
  )
  defineAction<CloseOptions>(
    subcommand('close', 'end a case that was dealt with in another way: its item is never tried again')
      .argument('<case>', 'its number, see "partita worker status"')
      .requiredOption('--because <text>', 'what was done instead, for those who ask later'),
    ['partita worker close 17 --because "paid by hand on 3 March"'],
    ([number = ''], options, output) => close(number, options, output),
  )
}

/** Shows how the workers go. */
async function status(options: CommonOptions, output: Output): Promise<ExitCode> {
  const now = systemClock.now()
  const report = await atTheDesk(options, 'partita worker status', output, (desk) =>
    workerStatus(desk, CASES_SHOWN, partita.subjects),
  )
  output.result(statusDocument(report, now), statusText(report, now))
  return 0
}

async function retry(number: string | undefined, options: RetryOptions, output: Output): Promise<ExitCode> {
  if ((number === undefined) === (options.pass === undefined)) throw new WrongUse('give a case, or --pass with a name')
  const choice = number === undefined ? { pass: options.pass as string } : { number: caseNumber(number) }
  const taken = await atTheDesk(options, 'partita worker retry', output, (desk) => takeUpCases(desk, choice))
  if (taken.length === 0)
    throw new Refusal(number === undefined ? `nothing fails in ${options.pass}` : `there is no open case ${number}`)
  const lines = taken.map((one) => `case ${one.number}: ${one.pass} takes up ${one.item} again`)
  output.result({ taken_up: taken.map(({ number: n, pass, item }) => ({ case: n, pass, item })) }, lines.join('\n'))
  return 0
}

async function close(number: string, options: CloseOptions, output: Output): Promise<ExitCode> {
  const wanted = caseNumber(number)
  const because = options.because.trim()
  if (because === '') throw new WrongUse('--because needs a reason')
  const closed = await atTheDesk(options, 'partita worker close', output, (desk) => endCase(desk, wanted, because))
  if (!closed) throw new Refusal(`there is no open case ${number}`)
  output.result({ closed: { case: closed.number, pass: closed.pass, item: closed.item } }, `case ${number} is closed`)
  return 0
}

function caseNumber(text: string): bigint {
  if (!/^[1-9]\d{0,17}$/.test(text)) throw new WrongUse(`"${text}" is no number of a case`)
  return BigInt(text)
}

function atTheDesk<T>(options: CommonOptions, name: string, output: Output, work: (desk: CaseDesk) => Promise<T>): Promise<T> {
  const settings = { data: options.data, applicationName: name, onProgress: output.note }
  const actor = operatorActor(userInfo().username, name)
  return withDatabase(settings, ({ database }) => work({ actor, database, machine: systemClock }))
}
