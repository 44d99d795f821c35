import type { FastifyInstance } from 'fastify'
import { credentialsOfApiKeys } from './modules/team/index.ts'
import { roomWatch } from './platform/disk.ts'
import { authenticate } from './platform/http/authentication.ts'
import { mount } from './platform/http/mount.ts'
import type { Operation } from './platform/http/operation.ts'
import { createHttpServer, type HttpServer } from './platform/http/server.ts'
import type { Metrics } from './platform/metrics.ts'
import type { ModuleParts, World } from './platform/module.ts'
import { type Permissions, permissionsOfRoles } from './platform/permissions.ts'
import type { Database } from './platform/postgres/database.ts'

export type AppOptions = {
  /** How long a credential is believed without looking it up again; 0 in tests that revoke one. */
  readonly credentialCacheMs?: number
} & HealthOptions

export type HealthOptions = {
  /** Why this process should get no requests although its database answers; undefined when it may. */
  readonly unfit?: () => string | undefined
}

const CREDENTIAL_CACHE_MS = 2_000

/** What the modules bring to the HTTP side: what they answer, and which permissions their operations may ask for. */
export type HttpParts = { readonly parts: readonly ModuleParts[]; readonly permissions: Permissions }

/** The HTTP side of the bank: what the platform serves, and behind authentication the operations that the modules bring. */
export async function buildApp(world: World, { parts, permissions }: HttpParts, options: AppOptions = {}): Promise<HttpServer> {
  const { config, database, clock } = world
  const server = healthServer(world, options)
  const permissionsOf = permissionsOfRoles(permissions)
  await server.app.register(async (authenticated: FastifyInstance) => {
    authenticated.addHook(
      'onRequest',
      authenticate({
        findCredentials: (secretsSha256) => credentialsOfApiKeys(database, secretsSha256, permissionsOf),
        cacheMs: options.credentialCacheMs ?? CREDENTIAL_CACHE_MS,
        lookUpSecret: server.lookUpSecret,
        stagingToken: config.stagingToken,
      }),
    )
    const ports = { database, clock, permissions: new Set(Object.keys(permissions)), budgetMs: config.requestMs }
    mount(authenticated, operationsOf(parts, config.sandbox), ports)
  })
  await server.app.ready()
  return server
}

/** Every operation that the modules bring to a bank. */
export const operationsOf = (parts: readonly ModuleParts[], isSandbox: boolean): Operation[] =>
  parts.flatMap(({ operations = [], sandboxOperations = [] }) => [...operations, ...(isSandbox ? sandboxOperations : [])])

/** The HTTP side of a process that serves nothing else: health and metrics, for probes and Prometheus. */
export async function serveHealth(world: World, options: HealthOptions): Promise<HttpServer> {
  const server = healthServer(world, options)
  await server.app.ready()
  return server
}

function healthServer({ config, database, logger, metrics }: World, options: AppOptions): HttpServer {
  observePool(metrics, database)
  return createHttpServer({
    logger,
    metrics,
    rateLimits: config.rateLimits,
    load: config.load,
    connections: config.connections,
    trustedProxies: config.trustedProxies,
    metricsToken: config.metricsToken,
    isReady: () => database.answersWithin(READY_MS_MAX),
    unfit: options.unfit,
    lacksRoom: config.database.folder === '' ? undefined : roomWatch(config.database.folder),
  })
}

// A balancer must hear that the database is silent before it gives up on us.
const READY_MS_MAX = 1_000

function observePool(metrics: Metrics, database: Database): void {
  metrics.gauge('partita_database_connections', 'Connections to PostgreSQL.', () => database.occupancy().total)
  metrics.gauge('partita_database_connections_idle', 'Connections that nobody uses.', () => database.occupancy().idle)
  metrics.gauge('partita_database_waiting', 'Callers that wait for a connection.', () => database.occupancy().waiting)
}
