import { type Static, Type } from 'typebox'
import { named } from '../../platform/http/openapi.ts'
import { type Membership, ROLES } from './domain/organization.ts'

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description })
const country = (description: string) => nullable(Type.String({ pattern: '^[A-Z]{2}$' }), description)

export const MembershipSchema = named(
  'Membership',
  Type.Object(
    {
      id: Type.String({ format: 'uuid' }),
      first_name: Type.String(),
      last_name: Type.String(),
      email: Type.Optional(Type.String({ description: 'Left out when unknown, never null.' })),
      role: nullable(Type.String({ enum: [...ROLES] }), 'Null while the status is invitable.'),
      team_id: nullable(Type.String({ format: 'uuid' }), 'The team that the member belongs to.'),
      residence_country: country('Country of residence, ISO 3166 alpha-2.'),
      nationality: country('Nationality, ISO 3166 alpha-2.'),
      birth_country: country('Country of birth, ISO 3166 alpha-2.'),
      birthdate: nullable(Type.String({ format: 'date' }), 'Date of birth.'),
      ubo: nullable(Type.Boolean(), 'Whether the member is an ultimate beneficial owner.'),
      status: Type.String({ description: 'active, invitable, pending or revoked; more may come.' }),
    },
    { description: 'A person’s place in an organization.' },
  ),
)

export const membershipToWire = (membership: Membership): Static<typeof MembershipSchema> => ({
  id: membership.id,
  first_name: membership.firstName,
  last_name: membership.lastName,
  ...(membership.email === null ? {} : { email: membership.email }),
  role: membership.role,
  team_id: membership.teamId,
  residence_country: membership.residenceCountry,
  nationality: membership.nationality,
  birth_country: membership.birthCountry,
  birthdate: membership.birthdate,
  ubo: membership.ubo,
  status: membership.status,
})
