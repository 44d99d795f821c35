import { Type } from 'typebox'
import { assert } from '../../../platform/assert.ts'
import { type OperationContext, operation } from '../../../platform/http/operation.ts'
import { boolean, defineQuery, type QueryOf } from '../../../platform/http/query.ts'
import { ok } from '../../../platform/result.ts'
import { findOrganization } from '../../team/index.ts'
import { allAccounts } from '../queries/bank-accounts.ts'
import { OrganizationSchema, organizationToWire } from '../wire.ts'
import { reader } from './permissions.ts'

const parameters = { include_external_accounts: boolean(false, 'Also list connected accounts at other banks.') }
type Asked = QueryOf<typeof parameters>

const shared = {
  tag: 'Organizations',
  access: reader('accounts.read'),
  sca: 'none',
  idempotency: 'none',
  audit: 'none',
  query: defineQuery(parameters),
  answer: Type.Object({ organization: OrganizationSchema }),
} as const

const own = {
  ...shared,
  read: ({ query }: { readonly query: Asked }) => ok(query),
  run: async (ctx: OperationContext, query: Asked) => ok(await ownOrganization(ctx, query.include_external_accounts)),
  write: toWire,
  refusals: {},
}

/** The same under its older paths. What stands in them has never mattered: a credential has one organization (qonto-api.md §50). */
const deprecated = {
  ...own,
  deprecated: true,
  headers: {
    Deprecation: 'true',
    Sunset: 'Sun, 15 Nov 2026 00:00:00 GMT', // the contract's day; we go on answering
    Link: '</v2/organization>; rel="successor-version"',
  },
} as const

export const getOrganization = operation({
  ...own,
  id: 'getOrganization',
  route: 'GET /v2/organization',
  summary: 'The organization of the credential, and its accounts.',
})

export const getOrganizationBySlug = operation({
  ...deprecated,
  id: 'getOrganizationBySlug',
  route: 'GET /v2/organizations/:id',
  summary: 'The same, whatever stands in the path.',
})

export const getOrganizationBySlugV1 = operation({
  ...deprecated,
  id: 'getOrganizationBySlugV1',
  route: 'GET /v1/organizations/:slug',
  summary: 'The same, whatever stands in the path.',
})

const ownOrganization = ({ database, actor: { organizationId }, actor }: OperationContext, withExternal: boolean) =>
  database.read(
    actor,
    async (tx) => {
      const [organization, accounts] = await Promise.all([
        findOrganization(tx, organizationId),
        allAccounts(tx, organizationId, withExternal),
      ])
      assert(organization, 'a credential belongs to an organization that is not there')
      return { organization, accounts }
    },
    { pipelined: true },
  )

function toWire({ organization, accounts }: Awaited<ReturnType<typeof ownOrganization>>): object {
  return { organization: organizationToWire(organization, accounts) }
}
