import { list } from '../../../platform/http/list.ts'
import { defineQuery, paging } from '../../../platform/http/query.ts'
import { ok } from '../../../platform/result.ts'
import { listMemberships as membershipsPage } from '../queries/list-memberships.ts'
import { MembershipSchema, membershipToWire } from '../wire.ts'

export const listMemberships = list({
  id: 'listMemberships',
  route: 'GET /v2/memberships',
  tag: 'Memberships',
  summary: 'List the organization’s members, in the order they joined.',
  access: { credentials: ['api_key', 'oauth', 'session'], scope: 'organization.read', permission: 'members.read' },
  rows: 'memberships',
  row: MembershipSchema,
  query: defineQuery(paging),
  page: async (tx, { actor }, _query, range) => ok(await membershipsPage(tx, actor.organizationId, range)),
  toWire: membershipToWire,
  refusals: {},
})
