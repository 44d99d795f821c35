import type { LightMyRequestResponse } from 'fastify'
import type { MemberActor } from '../../src/platform/actor.ts'
import { type MountPorts, mount } from '../../src/platform/http/mount.ts'
import type { Operation } from '../../src/platform/http/operation.ts'
import { createHttpServer } from '../../src/platform/http/server.ts'
import type { Id } from '../../src/platform/ids.ts'
import { createMetrics } from '../../src/platform/metrics.ts'
import type { Request } from './examples.ts'
import type { TestBank } from './support.ts'

/** A server that believes who the test says is calling: for rights that no credential of today can be short of. */
export type ActingServer = {
  /** The demo company's owner, with every right. */
  readonly member: MemberActor
  send(actor: MemberActor, request: Request): Promise<LightMyRequestResponse>
  close(): Promise<void>
}

export async function serverForActors(
  bank: TestBank,
  operations: readonly Operation[] = bank.operations,
  ports: Partial<MountPorts> = {},
): Promise<ActingServer> {
  const { config, database, clock, logger } = bank.dependencies
  const server = createHttpServer({
    logger,
    metrics: createMetrics({ process: false }),
    rateLimits: config.rateLimits,
    connections: { max: 0, perAddress: 0 },
    load: config.load,
    trustedProxies: [],
    isReady: async () => true,
  })
  let actor: MemberActor | undefined
  server.app.addHook('onRequest', (request, _reply, done) => {
    if (actor) request.actor = actor
    done()
  })
  const permissions = new Set(operations.map(({ access }) => access.permission))
  mount(server.app, operations, { database, clock, permissions, ...ports })
  await server.app.ready()
  const { rows } = await bank.db.admin.query<{ id: Id<'membership'>; organizationId: Id<'organization'> }>(
    `select m.id, m.organization_id as "organizationId" from team.membership m join team.organization o on o.id = m.organization_id
      where o.slug = $1 and m.role = 'owner'`,
    [bank.demo.organizationSlug],
  )
  const owner = rows[0]
  if (!owner) throw new Error('the demo company has no owner')
  return {
    member: {
      kind: 'member',
      organizationId: owner.organizationId,
      membershipId: owner.id,
      role: 'owner',
      permissions,
      credential: { kind: 'api_key', id: 'x', label: 'x' },
      scopes: 'all',
      accounts: 'all',
      sca: undefined,
      requestId: undefined,
      address: undefined,
    },
    send: (acting, { method, path, headers, body }) => {
      actor = acting
      return server.app.inject({
        method,
        url: path,
        headers: { ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      })
    },
    close: () => server.close(),
  }
}
