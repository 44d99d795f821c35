import type { LightMyRequestResponse } from 'fastify'
import { buildApp, operationsOf } from '../../src/app.ts'
import { partita } from '../../src/bank.ts'
import type { Operation } from '../../src/platform/http/operation.ts'
import type { HttpServer } from '../../src/platform/http/server.ts'
import type { World } from '../../src/platform/module.ts'
import type { TestDatabase } from '../support/database.ts'
import { createDemoDatabase, type DemoDatabase, testWorld } from '../support/demo.ts'

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
  const dependencies = await testWorld(db, overrides)
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
