import type { WorkerStatus } from '../../../server/src/platform/passes/cases.ts'
import { table } from './table.ts'

/** A process tells every 5 s; one that has been silent for longer was killed, or cannot reach the database. */
const SILENT_AFTER_MS = 20_000

const secondsSince = (at: Date | null, now: Date): number | null =>
  at === null ? null : Math.max(0, Math.round((now.getTime() - at.getTime()) / 1_000))

/** `partita worker status --json`. */
export const statusDocument = ({ runs, cases, open }: WorkerStatus, now: Date) => ({
  passes: runs.map((run) => ({
    pass: run.pass,
    describe: run.describe,
    process: run.process,
    every_ms: run.everyMs,
    runs: run.runs,
    failures: run.failures,
    done: run.done,
    last_run_at: run.lastRunAt,
    last_success_at: run.lastSuccessAt,
    duration_ms: run.durationMs,
    last_error: run.lastError,
    failing_since: run.failingSince,
    reported_at: run.reportedAt,
    silent: isSilent(run.reportedAt, now),
  })),
  items: open.map(({ pass, waiting, stuck }) => ({ pass, waiting, stuck })),
  cases: cases.map((one) => ({
    case: one.number,
    pass: one.pass,
    item: one.item,
    subject: one.subjectKind === null ? null : { kind: one.subjectKind, id: one.subjectId },
    about: one.about ?? null,
    state: one.state,
    reason: one.reason,
    attempts: one.attempts,
    since: one.since,
    last_failed_at: one.lastFailedAt,
    retry_at: one.retryAt,
    taken_up_at: one.takenUpAt,
    taken_up_by: one.takenUpBy,
  })),
})

/** The same for people: a line per pass and process, then what failed. */
export function statusText({ runs, cases, open }: WorkerStatus, now: Date): string {
  const processes = [...new Set(runs.map((run) => run.process))]
  const lines = processes.flatMap((process) => {
    const own = runs.filter((run) => run.process === process)
    const silent = own.every((run) => isSilent(run.reportedAt, now)) ? ', silent: it was killed or cannot reach the database' : ''
    return [`worker ${process}${silent}`, ...table(own.map((run) => passLine(run, now))), '']
  })
  if (lines.length === 0) lines.push('no worker runs: "partita start" starts one', '')
  lines.push(...open.map(({ pass, waiting, stuck }) => `${pass}: ${stuck} stuck, ${waiting} waiting for another try`))
  lines.push(...cases.flatMap((one) => caseLines(one, now)))
  lines.push(
    cases.length === 0 ? 'no item fails' : '"partita worker retry <case>" tries again, "partita worker close <case>" ends a case',
  )
  return lines.join('\n')
}

const isSilent = (reportedAt: Date, now: Date): boolean => now.getTime() - reportedAt.getTime() > SILENT_AFTER_MS

function passLine(run: WorkerStatus['runs'][number], now: Date): string[] {
  const ago = secondsSince(run.lastRunAt, now)
  const state = run.lastError === null ? run.describe : `FAILS since ${run.failingSince?.toISOString()}: ${run.lastError}`
  return [
    run.pass,
    ago === null ? 'not yet' : `${ago} s ago`,
    `${run.durationMs} ms`,
    `${run.done} done`,
    `${run.failures} failed`,
    state,
  ]
}

function caseLines(one: WorkerStatus['cases'][number], now: Date): string[] {
  const about = one.subjectKind === null ? '' : `, about ${one.subjectKind} ${one.subjectId}`
  const next = one.retryAt === null ? 'STUCK' : `tried again in ${secondsUntil(one.retryAt, now)} s`
  return [
    `  case ${one.number}  ${one.pass}  ${next}, ${one.attempts} attempts since ${one.since.toISOString()}`,
    `    item ${one.item}${about}`,
    ...(one.about ? [`    ${one.about.title}`] : []),
    `    ${one.reason}`,
  ]
}

const secondsUntil = (at: Date, now: Date): number => Math.max(0, Math.round((at.getTime() - now.getTime()) / 1_000))
