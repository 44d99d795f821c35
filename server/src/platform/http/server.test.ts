import { hash } from 'node:crypto'
import { type AddressInfo, connect } from 'node:net'
import { Type } from 'typebox'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { MemberActor } from '../actor.ts'
import { PlatformUnavailable } from '../errors.ts'
import { createLogger, type Logger } from '../logging.ts'
import { createMetrics } from '../metrics.ts'
import { HttpRefusal, notFound } from './api-error.ts'
import { authenticate, type Credential } from './authentication.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts'

const servers: HttpServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** A request that is answered when the test says so. */
const held = { arrive: () => {}, release: () => {} }

const Body = Type.Object({ name: Type.String({ maxLength: 5 }) }, { additionalProperties: false })

/** A server with a route for every thing that can happen. */
async function serverWith(options: Partial<HttpServerOptions> = {}) {
  const lines: Record<string, unknown>[] = []
  const logger: Logger = createLogger({
    level: 'info',
    service: 'test',
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  })
  const server = createHttpServer({
    logger,
    metrics: createMetrics({ process: false }),
    rateLimits: { per10Seconds: 0, per10Minutes: 0, unauthorizedPerHour: 0 },
    load: { readsInFlightMax: 10, writesInFlightMax: 10, eventLoopLagMsMax: 10_000 },
    connections: { max: 0, perAddress: 0 },
    trustedProxies: [],
    isReady: async () => true,
    ...options,
  })
  servers.push(server)
  const { app } = server
  app.post('/echo', { schema: { body: Body } }, async (request) => request.body)
  app.get('/ok', async () => ({ ok: true }))
  app.get('/things/:id', async () => {
    throw notFound('Thing')
  })
  app.get('/bug', async () => {
    throw new Error('duplicate key: (iban)=("FR7619999000010000000000121")')
  })
  app.get('/held', async () => {
    held.arrive()
    await new Promise<void>((resolve) => {
      held.release = resolve
    })
    return { ok: true }
  })
  app.get('/guess', async () => {
    throw new HttpRefusal(401, [{ code: 'unauthorized', detail: 'Invalid credentials' }])
  })
  app.get('/away', async () => {
    throw new PlatformUnavailable('no database connection within 1000 ms')
  })
  await app.ready()
  return { ...server, lines }
}

const json = { 'content-type': 'application/json' }

describe('an error', () => {
  test.each<
    [
      string,
      string,
      { method: 'GET' | 'POST' | 'PUT'; url: string; headers?: Record<string, string>; payload?: string | Buffer },
      number,
    ]
  >([
    ['an unknown path', 'not_found', { method: 'GET', url: '/v2/nothing' }, 404],
    ['a known path with another method', 'not_found', { method: 'PUT', url: '/ok' }, 404],
    [
      'an unknown path, whatever is sent there',
      'not_found',
      { method: 'POST', url: '/v2/nothing', headers: json, payload: '{' },
      404,
    ],
    ['a method without a body that claims to be JSON', 'not_found', { method: 'PUT', url: '/ok', headers: json }, 404],
    ['a very long path', 'not_found', { method: 'GET', url: `/things/${'x'.repeat(9_000)}` }, 404],
    ['a broken escape in the path', 'bad_request', { method: 'GET', url: '/%zz' }, 400],
    ['JSON that is none', 'malformed_json', { method: 'POST', url: '/echo', headers: json, payload: '{"name":' }, 400],
    [
      'a body that reaches for the prototype',
      'malformed_json',
      { method: 'POST', url: '/echo', headers: json, payload: '{"__proto__":{"a":1},"name":"x"}' },
      400,
    ],
    ['an empty body', 'invalid_body', { method: 'POST', url: '/echo', headers: json, payload: '' }, 422],
    ['no body', 'invalid_body', { method: 'POST', url: '/echo' }, 422],
    ['a body of null', 'invalid_body', { method: 'POST', url: '/echo', headers: json, payload: 'null' }, 422],
    [
      'a body that is no JSON by its own account',
      'bad_request',
      { method: 'POST', url: '/echo', headers: { 'content-type': 'text/plain' }, payload: 'x' },
      400,
    ],
    [
      'an unknown field behind a content type with a tab, which once skipped validation (CVE-2026-25223)',
      'invalid',
      {
        method: 'POST',
        url: '/echo',
        headers: { 'content-type': 'application/json\t; charset=utf-8' },
        payload: '{"name":"x","a":1}',
      },
      422,
    ],
    [
      'bytes that are no UTF-8',
      'malformed_json',
      { method: 'POST', url: '/echo', headers: json, payload: Buffer.from('{"name":"\xe9"}', 'latin1') },
      400,
    ],
    [
      'a body of two megabytes',
      'bad_request',
      { method: 'POST', url: '/echo', headers: json, payload: JSON.stringify('x'.repeat(2_000_000)) },
      413,
    ],
    ['a field of the wrong type', 'not_a_string', { method: 'POST', url: '/echo', headers: json, payload: '{"name":1}' }, 400],
    ['an unknown field', 'invalid', { method: 'POST', url: '/echo', headers: json, payload: '{"name":"x","admin":true}' }, 422],
    [
      'a field that is too long',
      'above_max_size',
      { method: 'POST', url: '/echo', headers: json, payload: '{"name":"123456"}' },
      422,
    ],
    ['a missing field', 'missing_key', { method: 'POST', url: '/echo', headers: json, payload: '{}' }, 422],
    ['a database that is away', 'service_unavailable', { method: 'GET', url: '/away' }, 503],
    ['a bug', 'internal_server_error', { method: 'GET', url: '/bug' }, 500],
  ])('of %s has the envelope', async (_, code, request, status) => {
    const { app } = await serverWith()
    const answer = await app.inject(request)
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toContain('application/json')
    const body = answer.json()
    expect(body.errors[0].code).toBe(code)
    expect(body.errors[0].detail).toEqual(expect.any(String))
    expect(body.trace_id).toMatch(/^[0-9a-f]{32}$/)
    expect(body.trace_id).toBe(answer.headers['x-tyk-trace-id'])
    if (status === 503) expect(answer.headers['retry-after']).toBe('1')
  })

  test('of ours is logged once, with its trace id, and tells the caller nothing of its cause', async () => {
    const { app, lines } = await serverWith()
    const answer = await app.inject('/bug')
    expect(answer.body).not.toMatch(/duplicate|iban/)
    const logged = lines.filter((line) => line['log.level'] === 'error')
    expect(logged).toHaveLength(1)
    expect(logged[0]).toMatchObject({ message: 'a request failed', 'trace.id': answer.json().trace_id, 'http.route': '/bug' })
    expect(JSON.stringify(lines)).not.toContain('FR7619999')
  })

  test('of the caller’s is not logged as an error', async () => {
    const { app, lines } = await serverWith()
    await app.inject({ method: 'POST', url: '/echo', headers: json, payload: '{"name":1}' })
    expect(lines.map((line) => line['log.level'])).toEqual(['info'])
  })
})

test('a request without a Host is refused in the envelope', async () => {
  const { app } = await serverWith()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /ok HTTP/1.1\r\nConnection: close\r\n\r\n'))
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
  })
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*"The Host header is missing"[\s\S]*"trace_id"/)
})

test('each request is one line, by its route and without its query', async () => {
  const { app, lines } = await serverWith()
  await app.inject('/ok?iban=FR7619999000010000000000121')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({
    message: 'request',
    'http.route': '/ok',
    'http.response.status_code': 200,
    'http.request.method': 'GET',
  })
  expect(JSON.stringify(lines)).not.toContain('FR76')
})

test('a client that goes away while its body is read is a 499 and no error of ours', async () => {
  const { app, lines } = await serverWith()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  const arrived = new Promise((resolve) => app.server.once('request', resolve))
  socket.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"name":')
  await arrived
  socket.destroy()
  await vi.waitFor(() => expect(lines).not.toEqual([]))
  expect(lines).toMatchObject([{ message: 'request', 'log.level': 'info', 'http.response.status_code': 499 }])
})

test('answers may not be framed, sniffed or kept', async () => {
  const { app } = await serverWith()
  const { headers } = await app.inject('/ok')
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
  expect(headers).not.toHaveProperty('access-control-allow-origin')
})

describe('limits', () => {
  test('too many requests are answered with 429 and when to come back, health checks never', async () => {
    const { app } = await serverWith({ rateLimits: { per10Seconds: 3, per10Minutes: 0, unauthorizedPerHour: 0 } })
    for (let i = 0; i < 3; i++) expect((await app.inject('/ok')).statusCode).toBe(200)
    const answer = await app.inject('/ok')
    expect(answer.statusCode).toBe(429)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(answer.json().errors[0].code).toBe('too_many_requests')
    expect((await app.inject('/nothing')).statusCode).toBe(429)
    expect((await app.inject('/livez')).statusCode).toBe(200)
  })

  test('an address that guesses is blocked, and told apart from its neighbours behind a trusted proxy', async () => {
    const rateLimits = { per10Seconds: 0, per10Minutes: 0, unauthorizedPerHour: 2 }
    const { app } = await serverWith({ rateLimits, trustedProxies: ['127.0.0.1'] })
    const guess = (address: string) => app.inject({ url: '/guess', headers: { 'x-forwarded-for': address } })
    for (let i = 0; i < 3; i++) expect((await guess('192.0.2.1')).statusCode).toBe(401)
    expect((await guess('192.0.2.1')).statusCode).toBe(429)
    expect((await guess('192.0.2.2')).statusCode).toBe(401)
  })

  test('without a trusted proxy a client cannot name another address', async () => {
    const { app } = await serverWith({ rateLimits: { per10Seconds: 0, per10Minutes: 0, unauthorizedPerHour: 2 } })
    const guess = (address: string) => app.inject({ url: '/guess', headers: { 'x-forwarded-for': address } })
    for (let i = 1; i <= 3; i++) expect((await guess(`192.0.2.${i}`)).statusCode).toBe(401)
    expect((await guess('192.0.2.4')).statusCode).toBe(429)
  })

  test('a path that cannot be read counts and is turned away like any other', async () => {
    const rateLimits = { per10Seconds: 3, per10Minutes: 0, unauthorizedPerHour: 0 }
    const { app } = await serverWith({ rateLimits, trustedProxies: ['127.0.0.1'] })
    const ask = (address: string) => app.inject({ url: '/%', headers: { 'x-forwarded-for': address } })
    for (let i = 0; i < 3; i++) expect((await ask('192.0.2.1')).statusCode).toBe(400)
    const over = await ask('192.0.2.1')
    expect(over.statusCode).toBe(429)
    expect(over.headers['retry-after']).toMatch(/^1[01]$/)
    expect((await ask('192.0.2.2')).statusCode).toBe(400)
  })

  test('of guesses that come at once, no more are answered than of guesses one by one', async () => {
    const rateLimits = { per10Seconds: 0, per10Minutes: 0, unauthorizedPerHour: 20 }
    const { app } = await serverWith({
      rateLimits,
      load: { readsInFlightMax: 500, writesInFlightMax: 5, eventLoopLagMsMax: 10_000 },
    })
    const answers = await Promise.all(Array.from({ length: 400 }, () => app.inject('/guess')))
    expect(answers.filter(({ statusCode }) => statusCode === 401)).toHaveLength(21)
    const over = answers.filter(({ statusCode }) => statusCode === 429)
    expect(over).toHaveLength(379)
    expect(Number(over[0]?.headers['retry-after'])).toBeGreaterThan(3_500)
  })

  test('reads over the limit are turned away with 503, writes and health checks are not', async () => {
    const { app } = await serverWith({ load: { readsInFlightMax: 1, writesInFlightMax: 5, eventLoopLagMsMax: 10_000 } })
    const many = await Promise.all(Array.from({ length: 5 }, () => app.inject('/ok')))
    const refused = many.filter((answer) => answer.statusCode === 503)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(5)
    expect(refused[0]?.headers['retry-after']).toBe('1')
    expect((await app.inject('/livez')).statusCode).toBe(200)
    expect((await app.inject('/ok')).statusCode).toBe(200)
  })
})

test('while the disk of the database is full, writes are told to come back and reads go on', async () => {
  let isFull = true
  const { app } = await serverWith({ lacksRoom: () => isFull })
  const write = () => app.inject({ method: 'POST', url: '/echo', headers: json, payload: '{"name":"Jane"}' })
  const refused = await write()
  expect(refused.statusCode).toBe(503)
  expect(refused.headers['retry-after']).toBe('1')
  expect((await app.inject('/ok')).statusCode).toBe(200)
  expect((await app.inject('/livez')).statusCode).toBe(200)
  isFull = false
  expect((await write()).statusCode).toBe(200)
})

describe('health', () => {
  test('a server that is about to stop says so first and goes on serving', async () => {
    const { app, startDraining } = await serverWith()
    expect((await app.inject('/readyz')).statusCode).toBe(200)
    startDraining()
    expect((await app.inject('/readyz')).json()).toEqual({ status: 'draining' })
    const answer = await app.inject('/ok')
    expect(answer.statusCode).toBe(200)
    expect(answer.headers.connection).toBe('close')
    expect((await app.inject('/livez')).statusCode).toBe(200)
  })

  test('closing waits for the request in hand, and not for its connection to fall silent', async () => {
    const { app, startDraining } = await serverWith()
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const arrived = new Promise<void>((resolve) => {
      held.arrive = resolve
    })
    const answer = fetch(`${url}/held`)
    await arrived
    startDraining()
    const closed = app.close()
    held.release()
    expect((await answer).headers.get('connection')).toBe('close')
    expect(await (await answer).json()).toEqual({ ok: true })
    await closed
  })

  test('a server without its database is alive and not ready', async () => {
    const { app } = await serverWith({ isReady: () => Promise.reject(new Error('away')) })
    expect((await app.inject('/livez')).statusCode).toBe(200)
    expect((await app.inject('/readyz')).statusCode).toBe(503)
  })

  test('a server whose schema is not its release’s says why it is not ready, and goes on serving', async () => {
    let unfit: string | undefined
    const { app } = await serverWith({ unfit: () => unfit })
    expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready' })
    unfit = 'a newer release has changed the database'
    const answer = await app.inject('/readyz')
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toEqual({ status: 'unavailable', reason: unfit })
    expect((await app.inject('/ok')).statusCode).toBe(200)
    expect((await app.inject('/livez')).statusCode).toBe(200)
  })

  test('metrics count requests by route, and ask for their token when they have one', async () => {
    const { app } = await serverWith({ metricsToken: 'a-token' })
    await app.inject('/ok')
    expect((await app.inject('/metrics')).statusCode).toBe(401)
    const answer = await app.inject({ url: '/metrics', headers: { authorization: 'Bearer a-token' } })
    expect(answer.body).toContain('http_request_duration_seconds_count{method="GET",route="/ok",status="200"} 1')
    expect(answer.body).toContain('partita_http_requests_in_flight')
  })
})

describe('credentials', () => {
  const actor = { credential: { label: '0a1b2c3d' } } as MemberActor
  const finding = (find: (secretSha256: Buffer) => Credential | undefined) => async (secrets: readonly Buffer[]) =>
    secrets.map(find)

  test('are looked up once while they are fresh, also by many at once, and again afterwards', async () => {
    let lookups = 0
    const findCredentials = finding((secretSha256) => {
      lookups++
      return { login: 'acme', secretSha256, actor }
    })
    const check = authenticate({ findCredentials, cacheMs: 60_000 })
    const always = authenticate({ findCredentials, cacheMs: 0 })
    const run = (hook: typeof check) =>
      new Promise((resolve) =>
        hook({ headers: { authorization: 'acme:s3cret' } } as never, undefined as never, (error) => resolve(error)),
      )
    await Promise.all(Array.from({ length: 10 }, () => run(check)))
    await run(check)
    expect(lookups).toBe(1)
    await run(always)
    await run(always)
    expect(lookups).toBe(3)
  })

  const ask = (hook: ReturnType<typeof authenticate>, authorization: string) =>
    new Promise((resolve) => hook({ headers: { authorization } } as never, undefined as never, resolve))

  test('that belong to nobody are looked up once while that is fresh, and push out none that do', async () => {
    const asked: string[] = []
    const findCredentials = finding((secretSha256) => {
      asked.push(secretSha256.toString('hex'))
      return secretSha256.equals(hash('sha256', 's3cret', 'buffer')) ? { login: 'acme', secretSha256, actor } : undefined
    })
    const hook = authenticate({ findCredentials, cacheMs: 60_000 })
    expect(await ask(hook, 'acme:s3cret')).toBeUndefined()
    for (let n = 0; n < 3; n++) expect(await ask(hook, 'acme:wrong')).toMatchObject({ statusCode: 401 })
    expect(asked).toHaveLength(2)
    await Promise.all(Array.from({ length: 25_000 }, (_, n) => ask(hook, `acme:guess-${n}`)))
    expect(asked).toHaveLength(25_002)
    expect(await ask(hook, 'acme:s3cret')).toBeUndefined()
    expect(asked).toHaveLength(25_002)
  })

  test('that come while a look-up is under way are looked up together', async () => {
    const batches: number[] = []
    const release: (() => void)[] = []
    const findCredentials = async (secrets: readonly Buffer[]) => {
      batches.push(secrets.length)
      if (batches.length === 1) await new Promise<void>((resolve) => release.push(resolve))
      return secrets.map((secretSha256) => ({ login: 'acme', secretSha256, actor }))
    }
    const hook = authenticate({ findCredentials, cacheMs: 60_000 })
    const answers = Array.from({ length: 901 }, (_, n) => ask(hook, `acme:${n}`))
    release[0]?.()
    expect(new Set(await Promise.all(answers))).toEqual(new Set([undefined]))
    expect(batches).toEqual([1, 500, 400])
  })

  test('that cannot be looked up are neither refused nor remembered', async () => {
    let isAway = true
    const findCredentials = async (secrets: readonly Buffer[]) => {
      if (isAway) throw new PlatformUnavailable('no database connection within 1000 ms')
      return secrets.map((secretSha256) => ({ login: 'acme', secretSha256, actor }))
    }
    const hook = authenticate({ findCredentials, cacheMs: 60_000 })
    expect(await Promise.all([ask(hook, 'acme:s3cret'), ask(hook, 'acme:other')])).toEqual([
      expect.any(PlatformUnavailable),
      expect.any(PlatformUnavailable),
    ])
    isAway = false
    expect(await ask(hook, 'acme:s3cret')).toBeUndefined()
  })

  test('whose hash is not the one asked for are refused, should the lookup ever err', async () => {
    const findCredentials = finding(() => ({ login: 'acme', secretSha256: Buffer.alloc(32), actor }))
    const hook = authenticate({ findCredentials, cacheMs: 0 })
    const error = await new Promise((resolve) =>
      hook({ headers: { authorization: 'acme:s3cret' } } as never, undefined as never, resolve),
    )
    expect(error).toMatchObject({ statusCode: 401 })
  })

  test('need the staging token too where one is asked for', async () => {
    const findCredentials = finding((secretSha256) => ({ login: 'acme', secretSha256, actor }))
    const hook = authenticate({ findCredentials, cacheMs: 0, stagingToken: 'staging' })
    const ask = (token?: string) =>
      new Promise((resolve) =>
        hook(
          { headers: { authorization: 'acme:s3cret', ...(token ? { 'x-qonto-staging-token': token } : {}) } } as never,
          undefined as never,
          resolve,
        ),
      )
    expect(await ask()).toMatchObject({ statusCode: 401 })
    expect(await ask('other')).toMatchObject({ statusCode: 401 })
    expect(await ask('staging')).toBeUndefined()
  })
})
