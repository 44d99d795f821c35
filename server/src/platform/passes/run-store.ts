import type { Tx } from '../postgres/database.ts'

/** How a pass goes in one process. */
export type PassReport = {
  readonly pass: string
  readonly describe: string
  readonly everyMs: number
  /** Since the process started. */
  readonly runs: number
  readonly failures: number
  /** Items, or what a chore counts. */
  readonly done: number
  readonly lastRunAt: Date | null
  readonly lastSuccessAt: Date | null
  readonly durationMs: number
  /** Why the last run failed; null when it did not. */
  readonly lastError: string | null
  readonly failingSince: Date | null
}

/** Keeps what one process says of all its passes, in one statement. */
export const reportRuns = (tx: Tx, process: string, reports: readonly PassReport[], at: Date) => tx.run`
  insert into platform.pass_run (
    process, reported_at, pass, describe, every_ms, runs, failures, done, last_run_at, last_success_at, duration_ms, last_error,
    failing_since)
  select ${process}, ${at}::timestamptz, r.* from unnest(
    ${reports.map((r) => r.pass)}::text[], ${reports.map((r) => r.describe)}::text[], ${reports.map((r) => r.everyMs)}::int[],
    ${reports.map((r) => r.runs)}::bigint[], ${reports.map((r) => r.failures)}::bigint[], ${reports.map((r) => r.done)}::bigint[],
    ${reports.map((r) => r.lastRunAt?.toISOString() ?? null)}::timestamptz[],
    ${reports.map((r) => r.lastSuccessAt?.toISOString() ?? null)}::timestamptz[], ${reports.map((r) => r.durationMs)}::int[],
    ${reports.map((r) => r.lastError)}::text[], ${reports.map((r) => r.failingSince?.toISOString() ?? null)}::timestamptz[]) as r
  on conflict (pass, process) do update
     set reported_at = excluded.reported_at, describe = excluded.describe, every_ms = excluded.every_ms, runs = excluded.runs,
         failures = excluded.failures, done = excluded.done, last_run_at = excluded.last_run_at,
         last_success_at = excluded.last_success_at, duration_ms = excluded.duration_ms, last_error = excluded.last_error,
         failing_since = excluded.failing_since`

/** A process that ends says so by leaving. */
export const forgetProcess = (tx: Tx, process: string) => tx.run`delete from platform.pass_run where process = ${process}`

/** One that was killed has only fallen silent. */
export const forgetSilent = (tx: Tx, before: Date) => tx.run`delete from platform.pass_run where reported_at < ${before}`

export type StoredReport = Omit<PassReport, 'runs' | 'failures' | 'done'> & {
  readonly process: string
  readonly runs: bigint
  readonly failures: bigint
  readonly done: bigint
  readonly reportedAt: Date
}

export const storedReports = (tx: Tx) => tx.rows<StoredReport>`
  select pass, describe, every_ms as "everyMs", process, runs, failures, done, last_run_at as "lastRunAt",
         last_success_at as "lastSuccessAt", duration_ms as "durationMs", last_error as "lastError", failing_since as "failingSince",
         reported_at as "reportedAt"
    from platform.pass_run order by pass, process`
