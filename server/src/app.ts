import type { FastifyInstance } from 'fastify'
import { accountsHttp } from './modules/accounts/http.ts'
import { findApiKeyByHash } from './modules/identity/index.ts'
import { httpRailSandbox, InternalTransfers, paymentsHttp, simulationHttp } from './modules/payments/index.ts'
import { teamHttp } from './modules/team/http.ts'
import type { BankClock } from './platform/clock.ts'
import type { Config } from './platform/config.ts'
import { authenticate } from './platform/http/authentication.ts'
import { documentHeaders } from './platform/http/openapi.ts'
import { createHttpServer, type HttpServer } from './platform/http/server.ts'
import type { Logger } from './platform/logging.ts'
import type { Metrics } from './platform/metrics.ts'
import type { Database } from './platform/postgres/database.ts'

/** What every part of the bank stands on. Made once per process, by main.ts or by a test. */
export type Dependencies = {
  readonly config: Config
  readonly database: Database
  readonly clock: BankClock
  readonly logger: Logger
  readonly metrics: Metrics
}

export type AppOptions = {
  /** How long a credential is believed without looking it up again; 0 in tests that revoke one. */
  readonly credentialCacheMs?: number
  /** Collects the routes' documentation, which `app.swagger()` then gives. */
  readonly openapi?: boolean
}

const CREDENTIAL_CACHE_MS = 2_000

/** The composition root: the one place that knows every module. Reading it is reading the wiring. */
export async function buildApp(dependencies: Dependencies, options: AppOptions = {}): Promise<HttpServer> {
  const { config, database, clock, logger, metrics } = dependencies
  const server = createHttpServer({
    logger,
    metrics,
    rateLimits: config.rateLimits,
    load: config.load,
    trustedProxies: config.trustedProxies,
    metricsToken: config.metricsToken,
    openapi: options.openapi ? OPENAPI : undefined,
    isReady: () => database.answersWithin(READY_MS_MAX),
  })
  observePool(metrics, database)

  await server.app.register(async (authenticated: FastifyInstance) => {
    authenticated.addHook(
      'onRequest',
      authenticate({
        findCredential: (secretSha256) => findApiKeyByHash(database, secretSha256),
        cacheMs: options.credentialCacheMs ?? CREDENTIAL_CACHE_MS,
        stagingToken: config.stagingToken,
      }),
    )
    teamHttp(authenticated, { database })
    accountsHttp(authenticated, { database })
    paymentsHttp(authenticated, { clock, internalTransfers: new InternalTransfers(database) })
    if (config.sandbox) simulationHttp(authenticated, { clock, rail: httpRailSandbox(config.railsUrl, clock) })
  })
  await server.app.ready()
  return server
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
