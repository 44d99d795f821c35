import { createHash } from 'node:crypto'
import type { CommandContext } from './actor.ts'
import { assert } from './assert.ts'
import type { Id } from './ids.ts'
import type { Tx } from './postgres/database.ts'
import type { SubjectRef } from './subject.ts'

/** What a person is shown of a subject, and agrees to: one sentence, and the facts that it holds for, in the order in which they are read. */
export type SubjectFacts = { readonly title: string; readonly facts: Readonly<Record<string, string>> }

/** What a decision about a subject does, in the transaction that decides; nothing else may carry it out. */
export type SubjectDecisions<Kind extends string> = {
  approved(ctx: CommandContext, tx: Tx, id: Id<Kind>): Promise<void>
  refused(ctx: CommandContext, tx: Tx, id: Id<Kind>, because: string): Promise<void>
}

/**
 * A kind of thing that records are about. The module that owns it registers it in its manifest, so that whoever shows cases, asks for approvals or
 * keeps records of acts can speak of any subject and knows no module.
 */
export type SubjectKind<Kind extends string = string> = {
  readonly kind: Kind
  /** Of each id that exists and that the transaction may see. */
  describe(tx: Tx, ids: readonly Id<Kind>[]): Promise<ReadonlyMap<Id<Kind>, SubjectFacts>>
  /** Only for kinds that somebody can be asked to approve. */
  readonly decisions?: SubjectDecisions<Kind>
}

// biome-ignore lint/suspicious/noExplicitAny: a registry holds kinds whose ids are each their own
export type AnySubjectKind = SubjectKind<any>

export const subjectKind = <Kind extends string>(kind: SubjectKind<Kind>): SubjectKind<Kind> => kind

/** Every kind that a module has registered. */
export class Subjects {
  readonly #kinds = new Map<string, AnySubjectKind>()

  constructor(kinds: readonly AnySubjectKind[]) {
    for (const kind of kinds) {
      assert(!this.#kinds.has(kind.kind), `two modules register the subject ${kind.kind}`)
      this.#kinds.set(kind.kind, kind)
    }
  }

  get kinds(): readonly string[] {
    return [...this.#kinds.keys()]
  }

  /**
   * What these are, one query per kind.
   * @returns by `kind/id`; a subject that is not there, that the transaction may not see, or of a kind that nobody registered has no entry.
   */
  async describe(tx: Tx, refs: readonly SubjectRef[]): Promise<Map<string, SubjectFacts>> {
    const described = new Map<string, SubjectFacts>()
    for (const kind of new Set(refs.map((ref) => ref.kind))) {
      const ids = [...new Set(refs.filter((ref) => ref.kind === kind).map((ref) => ref.id))]
      const found = await this.#kinds.get(kind)?.describe(tx, ids)
      for (const [id, facts] of found ?? []) described.set(`${kind}/${id}`, facts)
    }
    return described
  }

  /** How a decision about a subject is carried out. @throws Bug for a kind that nobody can be asked to approve. */
  decisionsOf(kind: string): SubjectDecisions<string> {
    const decisions = this.#kinds.get(kind)?.decisions
    assert(decisions, `${kind} is nothing that is approved`)
    return decisions
  }
}

/**
 * What was agreed to, in 32 bytes: the same facts in any order give the same, any other fact or sentence another. An approval or a signature holds
 * for its fingerprint alone, so that what is carried out is what was agreed to.
 */
export function fingerprintOf({ title, facts }: SubjectFacts): Buffer {
  const lines = Object.entries(facts)
    .map(([name, value]) => [name, value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([title, lines]))
    .digest()
}
