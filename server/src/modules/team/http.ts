import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { describeOperation } from '../../platform/http/openapi.ts'
import { MetaSchema, metaOf, offsetOf } from '../../platform/http/paging.ts'
import { defineQuery, paging } from '../../platform/http/query.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { listMemberships } from './queries/list-memberships.ts'
import { MembershipSchema, membershipToWire } from './wire.ts'

const listQuery = defineQuery(paging)

/** `GET /v2/memberships`. */
export function teamHttp(app: FastifyInstance, { database }: { database: Database }): void {
  app.get(
    '/v2/memberships',
    describeOperation({
      operationId: 'listMemberships',
      tag: 'Memberships',
      summary: 'List the organization’s members, in the order they joined.',
      scope: 'organization.read',
      query: listQuery.schema,
      answer: Type.Object({ memberships: Type.Array(MembershipSchema), meta: MetaSchema }),
    }),
    async (request) => {
      const query = listQuery.read(request.query)
      const { organizationId } = request.principal
      const page = { limit: query.per_page, offset: offsetOf(query) }
      const { memberships, count } = await database.read({ organizationId }, (tx) => listMemberships(tx, organizationId, page))
      return { memberships: memberships.map(membershipToWire), meta: metaOf(query, count) }
    },
  )
}
