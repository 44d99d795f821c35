import type { Tx } from '../postgres/database.ts'
import type { SubjectRef } from '../subject.ts'
import type { Earlier, Verdict } from './patience.ts'

/** A failed item and where it stands now. */
export type FailedItem = {
  readonly item: string
  readonly subject: SubjectRef | null
  readonly reason: string
  readonly verdict: Verdict
}

/** What is known of items that failed before and are not done. */
export const earlierFailures = async (tx: Tx, pass: string, items: readonly string[]): Promise<Map<string, Earlier>> => {
  const rows = await tx.rows<Earlier & { item: string }>`
    select item, attempts, first_failed_at as "firstFailedAt" from platform.failed_item
     where pass = ${pass} and item = any(${items}::text[]) and done_at is null`
  return new Map(rows.map((row) => [row.item, row]))
}

/** Keeps failures. @returns the number by which a person calls each. */
export const recordFailures = (tx: Tx, pass: string, failed: readonly FailedItem[], at: Date) => tx.rows<{
  item: string
  number: bigint
}>`
  insert into platform.failed_item (
    pass, item, subject_kind, subject_id, attempts, reason, first_failed_at, last_failed_at, retry_at, stuck_at)
  select ${pass}, item, kind, id, attempts, reason, first_failed_at, ${at}, retry_at, case when retry_at is null then ${at}::timestamptz end
    from unnest(
      ${failed.map((f) => f.item)}::text[], ${failed.map((f) => f.subject?.kind ?? null)}::text[],
      ${failed.map((f) => f.subject?.id ?? null)}::uuid[], ${failed.map((f) => f.verdict.attempts)}::int[],
      ${failed.map((f) => f.reason)}::text[], ${failed.map((f) => f.verdict.firstFailedAt.toISOString())}::timestamptz[],
      ${failed.map((f) => f.verdict.retryAt?.toISOString() ?? null)}::timestamptz[])
      as f(item, kind, id, attempts, reason, first_failed_at, retry_at)
  on conflict (pass, item) do update
     set attempts = excluded.attempts, reason = excluded.reason, first_failed_at = excluded.first_failed_at,
         last_failed_at = excluded.last_failed_at, retry_at = excluded.retry_at, done_at = null,
         -- One that was done and fails again is another case than the one that was solved.
         stuck_at = case when failed_item.done_at is null then coalesce(excluded.stuck_at, failed_item.stuck_at) else excluded.stuck_at end,
         taken_up_at = case when failed_item.done_at is null then failed_item.taken_up_at end,
         taken_up_by = case when failed_item.done_at is null then failed_item.taken_up_by end
  returning item, number`

/** What succeeds does not fail any more. @returns the numbers of those that had been cases. */
export const recordSuccesses = async (tx: Tx, pass: string, items: readonly string[], at: Date): Promise<bigint[]> => {
  const ended = await tx.rows<{ number: bigint; wasCase: boolean }>`
    update platform.failed_item set done_at = ${at}
     where pass = ${pass} and item = any(${items}::text[]) and done_at is null
    returning number, stuck_at is not null as "wasCase"`
  return ended.filter((one) => one.wasCase).map((one) => one.number)
}

/** waiting: tried again at `retryAt`. stuck: a case that waits for a person. closed: never tried again. */
export type CaseState = 'waiting' | 'stuck' | 'closed'

/** A failed item as a person sees it. */
export type Case = {
  readonly number: bigint
  readonly pass: string
  readonly item: string
  readonly subjectKind: string | null
  readonly subjectId: string | null
  readonly state: CaseState
  readonly attempts: number
  readonly reason: string
  readonly since: Date
  readonly lastFailedAt: Date
  readonly retryAt: Date | null
  readonly takenUpAt: Date | null
  readonly takenUpBy: string | null
}

/** Items that fail now, cases first and the oldest first. */
export const openCases = (tx: Tx, limit: number) => tx.rows<Case>`
  select number, pass, item, subject_kind as "subjectKind", subject_id as "subjectId",
         case when retry_at is null then 'stuck' else 'waiting' end as state, attempts, reason, first_failed_at as since,
         last_failed_at as "lastFailedAt", retry_at as "retryAt", taken_up_at as "takenUpAt", taken_up_by as "takenUpBy"
    from platform.failed_item
   where done_at is null and closed_at is null
   order by retry_at is not null, first_failed_at, number
   limit ${limit}`

/** How many items of each pass fail now. */
export const countOpen = (tx: Tx) => tx.rows<{ pass: string; waiting: number; stuck: number }>`
  select pass, count(retry_at)::int as waiting, (count(*) - count(retry_at))::int as stuck
    from platform.failed_item where done_at is null and closed_at is null group by pass`

/** What a person says about cases. */
export type Decision = { readonly by: string; readonly at: Date }

/** Which items a person means: one case, or all that fail in a pass. */
export type CaseChoice = { readonly number: bigint } | { readonly pass: string }

const numberOf = (choice: CaseChoice) => ('number' in choice ? choice.number : null)
const passOf = (choice: CaseChoice) => ('pass' in choice ? choice.pass : null)

/** Lets items be taken at once, with all their attempts before them again. A closed case is opened by it. */
export const takeUp = (tx: Tx, choice: CaseChoice, { by, at }: Decision) => tx.rows<{
  number: bigint
  pass: string
  item: string
}>`
  update platform.failed_item
     set retry_at = ${at}, attempts = 0, taken_up_at = ${at}, taken_up_by = ${by}, closed_at = null, closed_by = null, closed_because = null
   where done_at is null and (number = ${numberOf(choice)} or (pass = ${passOf(choice)} and closed_at is null))
  returning number, pass, item`

/** Ends a case whose item shall not be tried again: somebody has dealt with it. */
export const closeCase = (tx: Tx, number: bigint, { by, at }: Decision, because: string) => tx.maybe<{
  number: bigint
  pass: string
  item: string
}>`
  update platform.failed_item
     set closed_at = ${at}, closed_by = ${by}, closed_because = ${because}, retry_at = null, stuck_at = coalesce(stuck_at, ${at})
   where number = ${number} and done_at is null and closed_at is null
  returning number, pass, item`

/** Forgets cases that ended before; at most `limit` at once. */
export const forgetEnded = (tx: Tx, before: Date, limit: number) => tx.run`
  delete from platform.failed_item
   where number in (select number from platform.failed_item where done_at < ${before} limit ${limit})`
