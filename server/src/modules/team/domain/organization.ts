import type { LocalDate } from '../../../platform/clock.ts'
import type { Id } from '../../../platform/ids.ts'

/** A company that banks with us, as its registers know it. */
export type Organization = {
  readonly id: Id<'organization'>
  /** First half of its API key; never changes. */
  readonly slug: string
  readonly name: string
  readonly legalName: string | null
  readonly locale: 'fr' | 'de' | 'it' | 'es' | 'en' | 'pt' | null
  /** Euro cents. */
  readonly legalShareCapitalMinor: bigint | null
  /** ISO 3166 alpha-2. */
  readonly legalCountry: string | null
  readonly legalRegistrationDate: LocalDate | null
  readonly legalForm: string | null
  /** One line. */
  readonly legalAddress: string | null
  /** Activity code, such as NAF 6201Z. */
  readonly legalSector: string | null
  /** Number in the company register: SIRET, HRB and the like. */
  readonly legalNumber: string | null
  readonly contractSignedAt: Date | null
}

export const ROLES = ['owner', 'admin', 'manager', 'reporting', 'employee', 'accountant'] as const
export type Role = (typeof ROLES)[number]

/** A person's place in an organization. */
export type Membership = {
  readonly id: Id<'membership'>
  readonly organizationId: Id<'organization'>
  readonly firstName: string
  readonly lastName: string
  readonly email: string | null
  /** Null while `invitable`. */
  readonly role: Role | null
  readonly teamId: Id<'team'> | null
  readonly residenceCountry: string | null
  readonly nationality: string | null
  readonly birthCountry: string | null
  readonly birthdate: LocalDate | null
  /** Ultimate beneficial owner. */
  readonly ubo: boolean | null
  readonly status: 'active' | 'invitable' | 'pending' | 'revoked'
}
