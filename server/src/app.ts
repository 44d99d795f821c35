import type { FastifyInstance } from 'fastify'
import { findApiKeyByHash } from './modules/identity/index.ts'
import { authenticate } from './platform/http/authentication.ts'
import { documentHeaders } from './platform/http/openapi.ts'
import { createHttpServer, type HttpServer } from './platform/http/server.ts'
import type { Metrics } from './platform/metrics.ts'
import type { ModuleParts, World } from './platform/module.ts'
import type { Database } from './platform/postgres/database.ts'

export type AppOptions = {
  /** How long a credential is believed without looking it up again; 0 in tests that revoke one. */
  readonly credentialCacheMs?: number
  /** Collects the routes' documentation, which `app.swagger()` then gives. */
  readonly openapi?: boolean
} & HealthOptions

export type HealthOptions = {
  /** Why this process should get no requests although its database answers; undefined when it may. */
  readonly unfit?: () => string | undefined
}

const CREDENTIAL_CACHE_MS = 2_000

/** The HTTP side of the bank: what the platform serves, and behind authentication the routes that the modules bring. */
export async function buildApp(world: World, parts: readonly ModuleParts[], options: AppOptions = {}): Promise<HttpServer> {
  const { config, database } = world
  const server = healthServer(world, options)
  await server.app.register(async (authenticated: FastifyInstance) => {
    authenticated.addHook(
      'onRequest',
      authenticate({
        findCredential: (secretSha256) => findApiKeyByHash(database, secretSha256),
        cacheMs: options.credentialCacheMs ?? CREDENTIAL_CACHE_MS,
        stagingToken: config.stagingToken,
      }),
    )
    for (const { routes } of parts) routes?.(authenticated)
    if (config.sandbox) for (const { sandboxRoutes } of parts) sandboxRoutes?.(authenticated)
  })
  await server.app.ready()
  return server
}

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
    trustedProxies: config.trustedProxies,
    metricsToken: config.metricsToken,
    openapi: options.openapi ? OPENAPI : undefined,
    isReady: () => database.answersWithin(READY_MS_MAX),
    unfit: options.unfit,
  })
}

// A balancer must hear that the database is silent before it gives up on us.
const READY_MS_MAX = 1_000

function observePool(metrics: Metrics, database: Database): void {
  metrics.gauge('partita_database_connections', 'Connections to PostgreSQL.', () => database.occupancy().total)
  metrics.gauge('partita_database_connections_idle', 'Connections that nobody uses.', () => database.occupancy().idle)
  metrics.gauge('partita_database_waiting', 'Callers that wait for a connection.', () => database.occupancy().waiting)
}

const OPENAPI = {
  transform: documentHeaders,
  refResolver: { buildLocalReference: (schema: { $id?: unknown }) => String(schema.$id) },
  openapi: {
    openapi: '3.1.1',
    info: {
      title: 'Partita',
      version: 'v2',
      description: 'Business accounts and payments, wire-compatible with the Qonto Business API v2.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:4100', description: 'What `npm start` starts.' }],
    components: {
      securitySchemes: {
        SecretKey: {
          type: 'apiKey' as const,
          in: 'header' as const,
          name: 'Authorization',
          description: '`{organization slug}:{secret key}`, as it is: no scheme word, no Base64.',
        },
      },
    },
  },
}
