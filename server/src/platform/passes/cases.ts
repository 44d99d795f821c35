import type { OperatorActor } from '../actor.ts'
import type { Clock } from '../clock.ts'
import { Findings } from '../findings.ts'
import { asId } from '../ids.ts'
import type { Database, Tx } from '../postgres/database.ts'
import { ref } from '../subject.ts'
import { type SubjectFacts, Subjects } from '../subjects.ts'
import { type Case, type CaseChoice, closeCase, countOpen, openCases, takeUp } from './item-store.ts'
import { type StoredReport, storedReports } from './run-store.ts'

/** What `partita worker status` tells. */
export type WorkerStatus = {
  readonly runs: readonly StoredReport[]
  /** Failed items, those that wait for a person first. */
  readonly cases: readonly (Case & { readonly about: SubjectFacts | undefined })[]
  readonly open: readonly { readonly pass: string; readonly waiting: number; readonly stuck: number }[]
}

/** Who decides about cases, and when by the machine's clock. */
export type CaseDesk = { readonly actor: OperatorActor; readonly database: Database; readonly machine: Clock }

type Named = { readonly number: bigint; readonly pass: string; readonly item: string }

/** How all passes of all processes go, and at most `casesMax` failed items, each with what it is about in the words of the module that owns it. */
export const workerStatus = (
  { actor, database }: CaseDesk,
  casesMax: number,
  subjects = new Subjects([]),
): Promise<WorkerStatus> =>
  database.read(
    actor,
    async (tx) => {
      const cases = await openCases(tx, casesMax)
      const described = await subjects.describe(tx, cases.flatMap(subjectOf))
      const about = (one: Case) => described.get(`${one.subjectKind}/${one.subjectId}`)
      return {
        runs: await storedReports(tx),
        cases: cases.map((one) => ({ ...one, about: about(one) })),
        open: await countOpen(tx),
      }
    },
    { snapshot: true },
  )

const subjectOf = ({ subjectKind, subjectId }: Case) => {
  const id = asId<string>(subjectId ?? '')
  return subjectKind === null || id === undefined ? [] : [ref(subjectKind, id)]
}

const CASES_TOLD = 1_000

/** Work of the bank that waits for a person: the books are right, but something has not been done. */
export async function proveNothingStuck(tx: Tx): Promise<Findings> {
  const stuck = new Findings('no_work_waits_for_a_person', true)
  const cases = await openCases(tx, CASES_TOLD)
  for (const { state, number, pass, item, reason } of cases)
    if (state === 'stuck') stuck.add(`case ${number}: ${pass} ${item}: ${reason}`)
  return stuck
}

/**
 * Lets one failed item, or all of a pass that are open, be tried again now and as often as at first. A closed case is opened by its number.
 * @returns what was taken up: nothing when there is no such case, or it is done.
 */
export const takeUpCases = ({ actor, database, machine }: CaseDesk, choice: CaseChoice): Promise<Named[]> =>
  database.transaction(actor, async (tx) => {
    const taken = await takeUp(tx, choice, { by: actor.name, at: machine.now() })
    for (const pass of new Set(taken.map((one) => one.pass))) tx.wake(pass)
    return taken
  })

/** Says that a person has dealt with an item in another way: it is never tried again. @returns undefined when no such case is open. */
export const endCase = ({ actor, database, machine }: CaseDesk, number: bigint, because: string): Promise<Named | undefined> =>
  database.transaction(actor, (tx) => closeCase(tx, number, { by: actor.name, at: machine.now() }, because))
