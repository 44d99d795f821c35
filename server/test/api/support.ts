import type { LightMyRequestResponse } from 'fastify'
import { buildApp, operationsOf } from '../../src/app.ts'
import { partita } from '../../src/bank.ts'
import { BankClock, fixedClock } from '../../src/platform/clock.ts'
import type { Config } from '../../src/platform/config.ts'
import type { Operation } from '../../src/platform/http/operation.ts'
import type { HttpServer } from '../../src/platform/http/server.ts'
import { silentLogger } from '../../src/platform/logging.ts'
import { createMetrics } from '../../src/platform/metrics.ts'
import type { World } from '../../src/platform/module.ts'
import type { TestDatabase } from '../support/database.ts'
import { createDemoDatabase, type DemoDatabase, TODAY } from '../support/demo.ts'

/** The whole API over a database of its own, with the demo company in it, answering in this process. */
export type TestBank = {
  readonly db: TestDatabase
  readonly dependencies: World
  readonly server: HttpServer
  readonly operations: readonly Operation[]
  readonly demo: DemoDatabase['demo']
  /** Sends a request as the demo company, or as whoever `authorization` says; null sends none. */
  request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    options?: RequestOptions,
  ): Promise<LightMyRequestResponse>
  get(url: string, options?: RequestOptions): Promise<LightMyRequestResponse>
  close(): Promise<void>
}

export type RequestOptions = {
  readonly authorization?: string | null
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

export async function startTestBank(overrides: NodeJS.ProcessEnv = {}): Promise<TestBank> {
  const db = await createDemoDatabase()
  const { demo } = db
  const dependencies = await dependenciesOf(db, overrides)
  const parts = partita.parts(dependencies)
  const server = await buildApp(dependencies, { parts, permissions: partita.permissions }, { credentialCacheMs: 0 })
  const own = `${demo.organizationSlug}:${demo.secretKey}`
  const request: TestBank['request'] = (method, url, { authorization = own, headers = {}, body } = {}) =>
    server.app.inject({
      method,
      url,
      headers: { ...(authorization === null ? {} : { authorization }), ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    })
  return {
    db,
    dependencies,
    server,
    operations: operationsOf(parts, true),
    demo,
    request,
    get: (url, options) => request('GET', url, options),
    close: async () => {
      await server.close()
      await db.drop()
    },
  }
}

export function testConfig(url: string, overrides: NodeJS.ProcessEnv = {}): Config {
  const loaded = partita.configure({
    DATABASE_URL: url,
    PARTITA_ENVIRONMENT: 'test',
    PARTITA_LOG_LEVEL: 'silent',
    ...UNLIMITED,
    ...overrides,
  })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  return loaded.config
}

const UNLIMITED = { PARTITA_RATE_LIMIT_10_SECONDS: '0', PARTITA_RATE_LIMIT_10_MINUTES: '0', PARTITA_RATE_LIMIT_401_PER_HOUR: '0' }

async function dependenciesOf(db: TestDatabase, overrides: NodeJS.ProcessEnv): Promise<World> {
  // Standing still, so that the demo company's history and every answer are the same each time.
  const clock = new BankClock(db.database, fixedClock(TODAY))
  await clock.refresh()
  const config = testConfig(db.url, overrides)
  return { config, database: db.database, clock, logger: silentLogger, metrics: createMetrics({ process: false }) }
}
