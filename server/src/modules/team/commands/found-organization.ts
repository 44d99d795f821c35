import type { CommandContext } from '../../../platform/actor.ts'
import { newId } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { ok, type Result, refuse } from '../../../platform/result.ts'
import { issueApiKey } from '../../identity/index.ts'
import type { Membership, Organization } from '../domain/organization.ts'
import * as store from '../store.ts'

/** A member as whoever founds the organization describes them; what is left out is unknown. */
export type NewMember = Pick<Membership, 'firstName' | 'lastName'> &
  Partial<Omit<Membership, 'id' | 'organizationId' | 'teamId'>> & { readonly id?: Membership['id']; readonly team?: string }

export type FoundOrganization = {
  readonly organization: Organization
  /** The first one is the owner, for whom the API key acts. */
  readonly members: readonly [NewMember, ...NewMember[]]
  /** An API key's secret made earlier; absent: a new one. */
  readonly secret?: string | undefined
}

/**
 * Takes an organization in: its legal facts, its people, its API key (system scope).
 *
 * @returns the key's secret, which cannot be shown again, and the members' ids in the order given; or that the slug is taken.
 */
export async function foundOrganization(
  ctx: CommandContext,
  tx: Tx,
  request: FoundOrganization,
): Promise<Result<{ secret: string; membershipIds: readonly Membership['id'][] }, 'slug_taken'>> {
  const { organization } = request
  const { now } = ctx
  if ((await store.insertOrganization(tx, organization, now)) === 0) return refuse('slug_taken')

  const teams = new Map<string, ReturnType<typeof newId<'team'>>>()
  for (const name of new Set(request.members.flatMap((member) => member.team ?? []))) {
    teams.set(name, newId<'team'>())
    await store.insertTeam(tx, { id: teams.get(name) as ReturnType<typeof newId<'team'>>, organizationId: organization.id, name })
  }
  const memberships = request.members.map((member, index): Membership => {
    const { team, ...facts } = member
    return {
      ...UNKNOWN,
      role: index === 0 ? 'owner' : 'employee',
      ...facts,
      id: member.id ?? newId<'membership'>(),
      organizationId: organization.id,
      teamId: team === undefined ? null : (teams.get(team) ?? null),
    }
  })
  for (const membership of memberships) await store.insertMembership(tx, membership, now)

  const owner = memberships[0] as Membership
  const secret = await issueApiKey(ctx, tx, {
    organizationId: organization.id,
    membershipId: owner.id,
    login: organization.slug,
    secret: request.secret,
  })
  return ok({ secret, membershipIds: memberships.map((membership) => membership.id) })
}

const UNKNOWN = {
  email: null,
  residenceCountry: null,
  nationality: null,
  birthCountry: null,
  birthdate: null,
  ubo: null,
  status: 'active',
} as const
