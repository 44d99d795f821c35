import type { Id } from './ids.ts'

/** That a person agreed to exactly this act, by strong customer authentication. */
export type ScaProof = { readonly sessionId: string; readonly method: string }

/** A member of an organization, acting by a credential of his. */
export type MemberActor = {
  readonly kind: 'member'
  readonly organizationId: Id<'organization'>
  readonly membershipId: Id<'membership'>
  readonly role: string
  /** What the role, or the custom role, allows. */
  readonly permissions: ReadonlySet<string>
  readonly credential: {
    readonly kind: 'api_key' | 'oauth' | 'session' | 'partner'
    readonly id: string
    /** The part of the credential that logs may name. */
    readonly label: string
  }
  /** What the credential was given of the member's rights. */
  readonly scopes: ReadonlySet<string> | 'all'
  readonly accounts: ReadonlySet<Id<'bank_account'>> | 'all'
  readonly sca: ScaProof | undefined
  readonly requestId: string | undefined
  readonly address: string | undefined
}

/** The machine's operator: whoever runs the command line. */
export type OperatorActor = {
  readonly kind: 'operator'
  readonly name: string
  readonly reason: string
  /** Those whose rows the work may see; without, all. */
  readonly organizationIds?: readonly Id<'organization'>[]
}

/** The bank itself, as a named pass, consumer or lane: never as nobody. */
export type SystemActor = {
  readonly kind: 'system'
  readonly as: `${string}.${string}`
  /** Those whose rows the work may see; without, all. */
  readonly organizationIds?: readonly Id<'organization'>[]
}

/** Who acts. A value that is passed in; what a transaction may see follows from it. */
export type Actor = MemberActor | OperatorActor | SystemActor

/** What every command is given: who acts, and when. */
export type CommandContext = { readonly actor: Actor; readonly now: Date }

/** @param as whose work it is, `module.work`. @param organizationIds bounds the work to these; without, it sees all: only where none is known. */
export const systemActor = (as: SystemActor['as'], organizationIds?: readonly Id<'organization'>[]): SystemActor => ({
  kind: 'system',
  as,
  ...(organizationIds && { organizationIds }),
})

/** @param name the login on this machine. @param reason the command that was given. */
export const operatorActor = (name: string, reason: string, organizationIds?: readonly Id<'organization'>[]): OperatorActor => ({
  kind: 'operator',
  name,
  reason,
  ...(organizationIds && { organizationIds }),
})
