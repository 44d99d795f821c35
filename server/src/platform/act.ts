import type { MemberActor } from './actor.ts'
import type { KeyClaim } from './idempotency.ts'
import type { Tx } from './postgres/database.ts'
import type { SubjectRef } from './subject.ts'
import { writer } from './write.ts'

/** What happened, for whoever keeps a record of it: `outcome` is `done`, or the refusal in its own word. */
export type ActRecord = {
  readonly operation: string
  readonly actor: MemberActor
  /** What was acted on; undefined when it has no id, or the act was refused. */
  readonly subject: SubjectRef | undefined
  readonly outcome: string
  readonly at: Date
}

/** Keeps records of acts. With a transaction it is the act's own: record and effect stand or fall together. Without one, it opens its own. */
export interface ActRecorder {
  record(tx: Tx | undefined, acts: readonly ActRecord[]): Promise<void>
}

/**
 * One request to do something, as whoever carries it out sees it: the key that it is to be done once under, with how its outcome is
 * answered, and how it becomes a record. Code that commits (`inOwnTransaction`, a lane) stores both in the transaction of the effect; it
 * learns nothing about HTTP.
 */
export interface Act {
  /** Its own key if none came with it; none where keys mean nothing. */
  readonly claim: KeyClaim<unknown> | undefined
  /** Undefined when nobody keeps records. */
  readonly recorder: ActRecorder | undefined
  /** The record of this outcome: to be handed to the recorder, once. */
  recordOf(value: unknown): ActRecord
}

export type ActDone = { readonly act: Act; readonly value: unknown }

/** Records what was done, in the transaction that did it: one call for all acts of a shared commit. */
export async function recordActs(tx: Tx, done: readonly ActDone[]): Promise<void> {
  const recorder = done[0]?.act.recorder
  if (!recorder) return
  await recorder.record(
    tx,
    done.map(({ act, value }) => act.recordOf(value)),
  )
}

/** The same for commands that are decided together. */
export const actRecords = writer('platform.act_record', (_, tx, done: readonly ActDone[]) => recordActs(tx, done))
