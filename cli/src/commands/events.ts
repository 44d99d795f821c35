import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { type OperatorActor, operatorActor } from '../../../server/src/platform/actor.ts'
import { BankClock, systemClock } from '../../../server/src/platform/clock.ts'
import {
  deliveryReport,
  type EventRefusal,
  replayEvents,
  retryEvents,
  setAsideEvents,
  skipEvent,
} from '../../../server/src/platform/events/administration.ts'
import { positionAt } from '../../../server/src/platform/events/archive.ts'
import { asId } from '../../../server/src/platform/ids.ts'
import type { Database, Tx } from '../../../server/src/platform/postgres/database.ts'
import type { Result } from '../../../server/src/platform/result.ts'
import { type CommonOptions, defineAction, type ExitCode, type Output } from '../support/command.ts'
import { listDocument, listText } from '../support/events-report.ts'
import { Refusal, WrongUse } from '../support/refusal.ts'
import { withDatabase } from '../support/with-database.ts'

type RetryOptions = CommonOptions & { readonly all?: boolean }
type SkipOptions = CommonOptions & { readonly because: string }
type ReplayOptions = CommonOptions & { readonly from: string }

/** Events shown at once; the counts beside each consumer are of all. */
const EVENTS_SHOWN = 200

export function define(command: Command): void {
  const subcommand = (name: string, description: string) =>
    command.command(name).description(description).copyInheritedSettings(command)
  defineAction<CommonOptions>(
    subcommand('list', 'show every consumer: how far it is, how it fails, and the events that it set aside'),
    ['partita events list', 'partita events list --json'],
    (_, options, output) => list(options, output),
  )
  defineAction<RetryOptions>(
    subcommand('retry', 'hand an event that failed to its consumer again, now and with a new day of patience')
      .argument('<consumer>', 'its name, see "partita events list"')
      .argument('[event]', 'the id of an event that it set aside or parked')
      .option('--all', 'all that it set aside or parked'),
    [
      'partita events retry notifications.payment_news 019cae2a-5b10-7d1e-8f42-6a3b9c0d1e2f',
      'partita events retry notifications.payment_news --all',
    ],
    ([consumer = '', event], options, output) => retry(consumer, event, options, output),
  )
  defineAction<SkipOptions>(
    subcommand('skip', 'never hand this event to the consumer; what waits behind it goes on')
      .argument('<consumer>', 'its name, see "partita events list"')
      .argument('<event>', 'the id of an event that it set aside or parked')
      .requiredOption('--because <text>', 'why, for those who ask later; it is kept'),
    [
      'partita events skip notifications.payment_news 019cae2a-5b10-7d1e-8f42-6a3b9c0d1e2f --because "told the customer by telephone"',
    ],
    ([consumer = '', event = ''], options, output) => skip(consumer, event, options, output),
  )
  defineAction<ReplayOptions>(
    subcommand('replay', 'hand everything from a position or moment on to the consumer again, also what it has handled')
      .argument('<consumer>', 'its name, see "partita events list"')
      .requiredOption('--from <position|time>', 'a position of the archive, or a moment of the bank as 2026-03-02T09:00:00Z'),
    [
      'partita events replay bookkeeping.journal --from 120000',
      'partita events replay bookkeeping.journal --from 2026-03-02T09:00:00Z',
    ],
    ([consumer = ''], options, output) => replay(consumer, options, output),
  )
}

async function list(options: CommonOptions, output: Output): Promise<ExitCode> {
  const found = await onDatabase(options, 'partita events list', output, async (database, actor) => {
    const clock = new BankClock(database)
    await clock.refresh()
    const read = async (tx: Tx) => ({
      report: await deliveryReport(tx, clock.now()),
      events: await setAsideEvents(tx, EVENTS_SHOWN),
    })
    return database.read(actor, read, { snapshot: true })
  })
  output.result(listDocument(found), listText(found, systemClock.now()))
  return 0
}

async function retry(consumer: string, event: string | undefined, options: RetryOptions, output: Output): Promise<ExitCode> {
  if ((event === undefined) === (options.all !== true)) throw new WrongUse('give the id of an event, or --all')
  const id = event === undefined ? undefined : eventId(event)
  const due = await act(options, 'partita events retry', output, consumer, (tx) =>
    retryEvents(tx, consumer, id, systemClock.now()),
  )
  output.result({ consumer, due }, due === 0 ? `${consumer} has set nothing aside` : `${consumer}: ${due} due again`)
  return 0
}

async function skip(consumer: string, event: string, options: SkipOptions, output: Output): Promise<ExitCode> {
  const id = eventId(event)
  const reason = options.because.trim()
  if (reason === '') throw new WrongUse('--because needs a reason')
  await act(options, 'partita events skip', output, consumer, (tx, { name }) =>
    skipEvent(tx, consumer, id, { reason, by: name, now: systemClock.now() }),
  )
  output.result({ consumer, skipped: id, because: reason }, `${consumer} will never see ${id}`)
  return 0
}

async function replay(consumer: string, options: ReplayOptions, output: Output): Promise<ExitCode> {
  const from = placeOf(options.from)
  const { position, events } = await act(options, 'partita events replay', output, consumer, async (tx) => {
    const at = typeof from === 'bigint' ? from : await positionAt(tx, from)
    const done = await replayEvents(tx, consumer, at)
    return done.ok ? { ok: true, value: { position: at, ...done.value } } : done
  })
  output.result({ consumer, from: position, events }, `${consumer} goes back to ${position}: ${events} positions to go`)
  return 0
}

function eventId(text: string): string {
  const id = asId<'event'>(text)
  if (!id) throw new WrongUse(`"${text}" is no id of an event`)
  return id
}

function placeOf(text: string): bigint | Date {
  if (/^[1-9]\d{0,17}$/.test(text)) return BigInt(text)
  const moment = new Date(text)
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(moment.getTime()))
    throw new WrongUse(`"${text}" is neither a position nor a moment such as 2026-03-02T09:00:00Z`)
  return moment
}

const WHY: Readonly<Record<EventRefusal, (consumer: string) => string>> = {
  consumer_not_found: (consumer) => `there is no consumer ${consumer}: "partita events list" shows them`,
  event_not_set_aside: (consumer) => `${consumer} has not set this event aside: "partita events list" shows those that it has`,
  event_waits_behind_another: () => 'the event waits behind an earlier one of its aggregate: retry or skip that one',
  position_ahead_of_consumer: (consumer) => `${consumer} has not come so far: a replay goes back only`,
}

/** Does something to a consumer in one transaction. @throws Refusal with the way out. */
async function act<T>(
  options: CommonOptions,
  name: string,
  output: Output,
  consumer: string,
  work: (tx: Tx, actor: OperatorActor) => Promise<Result<T, EventRefusal>>,
): Promise<T> {
  const result = await onDatabase(options, name, output, (database, actor) =>
    database.transaction(actor, (tx) => work(tx, actor)),
  )
  if (!result.ok) throw new Refusal(WHY[result.refusal](consumer))
  return result.value
}

function onDatabase<T>(
  options: CommonOptions,
  name: string,
  output: Output,
  work: (database: Database, actor: OperatorActor) => Promise<T>,
): Promise<T> {
  const settings = { data: options.data, applicationName: name, onProgress: output.note }
  const actor = operatorActor(userInfo().username, name)
  return withDatabase(settings, ({ database }) => work(database, actor))
}
