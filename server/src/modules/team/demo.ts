import type { CommandContext } from '../../platform/actor.ts'
import { assert } from '../../platform/assert.ts'
import type { DemoCompany } from '../../platform/module.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { foundOrganization, type NewMember } from './commands/found-organization.ts'

/** The company that `npm start` shows: invented, like everybody it deals with. */
const DEMO_ORGANIZATION = {
  name: 'Atelier Lumen',
  legalName: 'Atelier Lumen SAS',
  locale: 'fr',
  legalShareCapitalMinor: 1_500_000n,
  legalCountry: 'FR',
  legalRegistrationDate: '2021-04-12',
  legalForm: 'SAS',
  legalAddress: '9 rue du Port 44000 Nantes FRANCE',
  legalSector: '7410Z',
  legalNumber: '89912345600017',
} as const

const DEMO_MEMBERS: readonly [NewMember, ...NewMember[]] = [
  {
    firstName: 'Camille',
    lastName: 'Arnaud',
    email: 'camille@atelier-lumen.example',
    role: 'owner',
    team: 'Management',
    residenceCountry: 'FR',
    nationality: 'FR',
    birthCountry: 'FR',
    birthdate: '1987-07-12',
    ubo: true,
  },
  {
    firstName: 'Jonas',
    lastName: 'Weber',
    email: 'jonas@atelier-lumen.example',
    role: 'admin',
    team: 'Management',
    nationality: 'DE',
  },
  { firstName: 'Inès', lastName: 'Morel', email: 'ines@atelier-lumen.example', role: 'manager', team: 'Studio' },
  {
    firstName: 'Luca',
    lastName: 'Ferri',
    email: 'luca@atelier-lumen.example',
    role: 'employee',
    team: 'Studio',
    nationality: 'IT',
  },
  { firstName: 'Sofia', lastName: 'Almeida', email: 'sofia@almeida-conseil.example', role: 'accountant' },
]

const DAY_MS = 86_400_000

/** Takes the demo company in, the day before its story begins: its legal facts, its people, its key. */
export async function foundDemoCompany({ actor }: CommandContext, tx: Tx, company: DemoCompany): Promise<void> {
  const openedAt = new Date(company.since.getTime() - DAY_MS)
  const { organizationId: id, slug, secretKey: secret } = company
  const organization = { ...DEMO_ORGANIZATION, id, slug, contractSignedAt: openedAt }
  const founded = await foundOrganization({ actor, now: openedAt }, tx, { organization, members: DEMO_MEMBERS, secret })
  assert(founded.ok, 'the slug of the demo company is taken')
  company.secretKey = founded.value.secret
  company.members = founded.value.membershipIds
}
