import { Type } from 'typebox'
import { assert } from '../../../platform/assert.ts'
import { atParameter } from '../../../platform/http/api-error.ts'
import { type OperationContext, operation, refused } from '../../../platform/http/operation.ts'
import { boolean, defineQuery } from '../../../platform/http/query.ts'
import { ok, refuse } from '../../../platform/result.ts'
import { findOrganization } from '../../team/index.ts'
import { allAccounts } from '../queries/bank-accounts.ts'
import { OrganizationSchema, organizationToWire } from '../wire.ts'
import { reader } from './permissions.ts'

const shared = {
  tag: 'Organizations',
  access: reader('accounts.read'),
  sca: 'none',
  idempotency: 'none',
  audit: 'none',
  query: defineQuery({ include_external_accounts: boolean(false, 'Also list connected accounts at other banks.') }),
  answer: Type.Object({ organization: OrganizationSchema }),
} as const

export const getOrganization = operation({
  ...shared,
  id: 'getOrganization',
  route: 'GET /v2/organization',
  summary: 'The organization of the credential, and its accounts.',
  read: ({ query }) => ok(query),
  run: async (ctx, query) => ok(await ownOrganization(ctx, query.include_external_accounts)),
  write: toWire,
  refusals: {},
})

export const getOrganizationBySlug = operation({
  ...shared,
  id: 'getOrganizationBySlug',
  route: 'GET /v2/organizations/:id',
  summary: 'The same, addressed by slug.',
  deprecated: true,
  read: ({ query, params }) => ok({ ...query, asked: params.id }),
  run: async (ctx, { asked, include_external_accounts }) => {
    const own = await ownOrganization(ctx, include_external_accounts)
    return asked === own.organization.slug || asked === own.organization.id ? ok(own) : refuse('organization_not_found')
  },
  write: toWire,
  refusals: { organization_not_found: refused(404, atParameter('not_found', 'Organization not found', 'id')) },
})

const ownOrganization = ({ database, actor }: OperationContext, withExternal: boolean) =>
  database.read(actor, async (tx) => {
    const organization = await findOrganization(tx, actor.organizationId)
    assert(organization, 'a credential belongs to an organization that is not there')
    return { organization, accounts: await allAccounts(tx, actor.organizationId, withExternal) }
  })

function toWire({ organization, accounts }: Awaited<ReturnType<typeof ownOrganization>>): object {
  return { organization: organizationToWire(organization, accounts) }
}
