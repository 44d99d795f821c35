import type { Id } from './ids.ts'

/**
 * What a record is about, when it may be about things of many kinds: a row of the feed, a case, an approval, an audit record. `kind` is the
 * word that brands the id (`credit_transfer` for an `Id<'credit_transfer'>`); in SQL it is the pair `subject_kind`, `subject_id`.
 */
export type SubjectRef<Kind extends string = string> = { readonly kind: Kind; readonly id: Id<Kind> }

export const ref = <Kind extends string>(kind: Kind, id: Id<NoInfer<Kind>>): SubjectRef<Kind> => ({ kind, id })
