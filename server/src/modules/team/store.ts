import type { LocalDate } from '../../platform/clock.ts'
import type { Id } from '../../platform/ids.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import type { Membership, Organization, Role } from './domain/organization.ts'

export const findOrganization = (tx: Tx, id: string) => tx.maybe<Organization>`
  select id, slug, name, legal_name as "legalName", locale, legal_share_capital_minor as "legalShareCapitalMinor",
         legal_country as "legalCountry", legal_registration_date as "legalRegistrationDate", legal_form as "legalForm",
         legal_address as "legalAddress", legal_sector as "legalSector", legal_number as "legalNumber", contract_signed_at as "contractSignedAt"
    from team.organization where id = ${id}`

export const findOrganizationId = (tx: Tx, slug: string) =>
  tx.maybe<{ id: Id<'organization'> }>`select id from team.organization where slug = ${slug}`

/** @returns 0 when the slug is taken. */
export const insertOrganization = (tx: Tx, o: Organization, createdAt: Date) => tx.run`
  insert into team.organization (
    id, slug, name, legal_name, locale, legal_share_capital_minor, legal_country, legal_registration_date, legal_form, legal_address,
    legal_sector, legal_number, contract_signed_at, created_at)
  values (
    ${o.id}, ${o.slug}, ${o.name}, ${o.legalName}, ${o.locale}, ${o.legalShareCapitalMinor}, ${o.legalCountry}, ${o.legalRegistrationDate},
    ${o.legalForm}, ${o.legalAddress}, ${o.legalSector}, ${o.legalNumber}, ${o.contractSignedAt}, ${createdAt})
  on conflict (slug) do nothing`

export const insertTeam = (tx: Tx, team: { id: Id<'team'>; organizationId: string; name: string }) => tx.run`
  insert into team.team (id, organization_id, name) values (${team.id}, ${team.organizationId}, ${team.name})`

export const insertMembership = (tx: Tx, m: Membership & { birthdate: LocalDate | null }, createdAt: Date) => tx.run`
  insert into team.membership (
    id, organization_id, first_name, last_name, email, role, team_id, residence_country, nationality, birth_country, birthdate, ubo, status,
    created_at)
  values (
    ${m.id}, ${m.organizationId}, ${m.firstName}, ${m.lastName}, ${m.email}, ${m.role}, ${m.teamId}, ${m.residenceCountry}, ${m.nationality},
    ${m.birthCountry}, ${m.birthdate}, ${m.ubo}, ${m.status}, ${createdAt})`

/** Those of these members who may act today, with the role that they act in. */
export const findActiveMembers = (tx: Tx, ids: readonly string[]) => tx.rows<{
  id: Id<'membership'>
  organizationId: Id<'organization'>
  role: Role
}>`
  select id, organization_id as "organizationId", role
    from team.membership where id = any(${ids}::uuid[]) and status = 'active' and role is not null`

/** Members in the order they joined. */
export const listMemberships = (tx: Tx, organizationId: string, page: { limit: number; offset: number }) => tx.rows<Membership>`
  select id, organization_id as "organizationId", first_name as "firstName", last_name as "lastName", email, role, team_id as "teamId",
         residence_country as "residenceCountry", nationality, birth_country as "birthCountry", birthdate, ubo, status
    from team.membership
   where organization_id = ${organizationId}
   order by created_at, id
   limit ${page.limit} offset ${page.offset}`

export const countMemberships = (tx: Tx, organizationId: string) => tx.one<{ count: bigint }>`
  select count(*) as count from team.membership where organization_id = ${organizationId}`

export const findOwner = (tx: Tx, organizationId: string) => tx.maybe<{ id: Id<'membership'> }>`
  select id from team.membership
   where organization_id = ${organizationId} and role = 'owner' and status = 'active'
   order by created_at, id
   limit 1`
