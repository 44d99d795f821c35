import { Type } from 'typebox'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { partita } from '../../src/bank.ts'
import type { ActRecord } from '../../src/platform/act.ts'
import { atPointer } from '../../src/platform/http/api-error.ts'
import { type MountPorts, mount, type ScaDemand } from '../../src/platform/http/mount.ts'
import { bound, exempt, inOwnTransaction, type Operation, operation, refused } from '../../src/platform/http/operation.ts'
import { newId } from '../../src/platform/ids.ts'
import { createMetrics } from '../../src/platform/metrics.ts'
import type { Tx } from '../../src/platform/postgres/database.ts'
import { ok, refuse } from '../../src/platform/result.ts'
import { ref } from '../../src/platform/subject.ts'
import { type ActingServer, serverForActors } from './acting-server.ts'
import { startTestBank, type TestBank } from './support.ts'

/** The steps that `mount` does for every operation, seen on operations that exist for this test only. */
let bank: TestBank
let acting: ActingServer
const records: { readonly act: ActRecord; readonly tx: Tx | undefined }[] = []
const demands: ScaDemand[] = []
let scaAnswer: Awaited<ReturnType<NonNullable<MountPorts['sca']>>>

beforeAll(async () => {
  bank = await startTestBank()
  await bank.db.admin.query(`
    create schema planted;
    create table planted.effect (name text not null);
    create table planted.record (outcome text not null);
    grant usage on schema planted to partita_app, partita_system;
    grant select, insert on planted.effect, planted.record to partita_app, partita_system`)
  acting = await serverForActors(bank, [...bank.operations, ...PLANTED], {
    recorder: {
      record: async (tx, acts) => {
        for (const act of acts) {
          records.push({ act, tx })
          await tx?.query('insert into planted.record (outcome) values ($1)', [act.outcome])
        }
      },
    },
    sca: async (demand) => {
      demands.push(demand)
      return scaAnswer
    },
  })
})
afterAll(async () => {
  await acting.close()
  await bank.close()
})
beforeEach(async () => {
  records.splice(0)
  demands.splice(0)
  scaAnswer = undefined
  await bank.db.admin.query('truncate planted.effect, planted.record')
})

const Body = Type.Object({ name: Type.String({ maxLength: 20 }) })
const shared = {
  tag: 'Planted',
  summary: 'Planted.',
  access: { credentials: ['api_key'], scope: 'payment.write', permission: 'planted.act' },
  body: Body,
  answer: Type.Object({ name: Type.String(), id: Type.String() }),
} as const
const TOO_SHORT = refused(409, atPointer('too_short', 'name is too short', '/name'))

/** Writes a row, and refuses short names only afterwards: what it did must be undone. */
const act = (id: string, route: 'POST /planted' | `POST /planted/${string}`, options: Pick<Operation, 'sca' | 'idempotency'>) =>
  operation({
    ...shared,
    id,
    route,
    sca: options.sca as ReturnType<typeof exempt>,
    idempotency: options.idempotency,
    read: ({ body }) => (body.name === 'unreadable' ? refuse([atPointer('invalid', 'name is invalid', '/name')]) : ok(body.name)),
    run: (ctx, name) =>
      inOwnTransaction(ctx, async (tx) => {
        await tx.query('insert into planted.effect (name) values ($1)', [name])
        return name.length < 2 ? refuse('name_too_short') : ok({ name, id: newId<'planted'>() })
      }),
    write: (value) => value,
    refusals: { name_too_short: TOO_SHORT },
    audit: ({ id: planted }) => ref('planted', planted),
  })

const NO_SCA = exempt('planted')
const PLANTED = [
  act('actOnce', 'POST /planted/once', { sca: NO_SCA, idempotency: 'contract' }),
  act('actStrictly', 'POST /planted/strictly', { sca: NO_SCA, idempotency: 'strict' }),
  act('actOften', 'POST /planted/often', { sca: NO_SCA, idempotency: 'none' }),
  act('actOn', 'POST /planted/on/:id', { sca: NO_SCA, idempotency: 'contract' }),
  act('actSigned', 'POST /planted/signed', {
    sca: bound('planted.act', (name: string) => ({ name })),
    idempotency: 'contract',
  }),
]

const post = (path: string, name: string, headers: Record<string, string> = {}, changes = {}) =>
  acting.send({ ...acting.member, ...changes }, { method: 'POST', path: `/planted/${path}`, headers, body: { name } })
const keyed = (key: string) => ({ 'x-qonto-idempotency-key': key })
const effects = async (): Promise<string[]> =>
  (await bank.db.admin.query<{ name: string }>('select name from planted.effect order by name')).rows.map(({ name }) => name)
const outcomes = () => records.map(({ act: { operation: id, outcome } }) => `${id} ${outcome}`)

describe('a key of the contract', () => {
  test('acts once, also for many at once, and gives the first answer whatever comes with it', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('once', 'first', keyed('k1'))))
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200))
    for (const name of ['other', 'unreadable', 'x'.repeat(21)]) {
      const again = await post('once', name, keyed('k1'))
      expect(again.body).toBe(answers[0]?.body)
      expect(again.headers['x-partita-idempotency-mismatch']).toBe('true')
    }
    expect(await effects()).toEqual(['first'])
  })

  test('of a refusal is free, and the refusal leaves nothing behind', async () => {
    const refusal = await post('once', 'x', keyed('k2'))
    expect(refusal.statusCode).toBe(409)
    expect(refusal.json().errors).toEqual([{ code: 'too_short', detail: 'name is too short', source: { pointer: '/name' } }])
    expect(await effects()).toEqual([])
    expect((await post('once', 'mended', keyed('k2'))).statusCode).toBe(200)
    expect(await effects()).toEqual(['mended'])
  })

  test('means nothing on another path of the same operation', async () => {
    const [one, other, again] = [
      await post('on/a', 'first', keyed('k3')),
      await post('on/b', 'second', keyed('k3')),
      await post('on/a', 'third', keyed('k3')),
    ]
    expect(again?.body).toBe(one?.body)
    expect(other?.body).not.toBe(one?.body)
    expect(await effects()).toEqual(['first', 'second'])
  })
})

describe('a strict key', () => {
  test('must be there', async () => {
    expect((await post('strictly', 'first')).statusCode).toBe(400)
    expect(await effects()).toEqual([])
  })

  test('acts once, and is refused with another request', async () => {
    const first = await post('strictly', 'first', { 'idempotency-key': 'k4' })
    expect((await post('strictly', 'first', { 'idempotency-key': 'k4' })).body).toBe(first.body)
    const reused = await post('strictly', 'other', { 'idempotency-key': 'k4' })
    expect(reused.statusCode).toBe(422)
    expect(reused.json().errors[0].source).toEqual({ header: 'Idempotency-Key' })
    expect(await effects()).toEqual(['first'])
  })
})

test('where keys mean nothing, each request acts', async () => {
  await post('often', 'first', keyed('k5'))
  await post('often', 'first', keyed('k5'))
  expect(await effects()).toEqual(['first', 'first'])
})

describe('what must be signed', () => {
  const demanded = { status: 428, body: { code: 'sca_required', message: 'SCA required', sca_session_token: 'token' } }

  test('does not run before it is, and says so flat, with the trace id', async () => {
    scaAnswer = demanded
    const answer = await post('signed', 'first', keyed('k6'))
    expect(answer.statusCode).toBe(428)
    expect(answer.json()).toEqual({ ...demanded.body, trace_id: answer.headers['x-tyk-trace-id'] })
    expect(demands).toMatchObject([{ operation: 'actSigned', action: 'planted.act', facts: { name: 'first' } }])
    expect(await effects()).toEqual([])
    expect(outcomes()).toEqual(['actSigned sca_required'])
  })

  test('runs when it has been, with the same key, and is not asked for again when the key is known', async () => {
    expect((await post('signed', 'first', keyed('k6'))).statusCode).toBe(200)
    scaAnswer = demanded
    expect((await post('signed', 'first', keyed('k6'))).statusCode).toBe(200)
    expect(await effects()).toEqual(['first'])
  })

  test('cannot run at all while nobody can be enrolled', async () => {
    const server = await serverForActors(bank, PLANTED)
    const answer = await server.send(server.member, { method: 'POST', path: '/planted/signed', body: { name: 'first' } })
    await server.close()
    expect(answer.statusCode).toBe(428)
    expect(answer.json()).toMatchObject({ code: 'sca_not_enrolled' })
    expect(await effects()).toEqual([])
  })
})

describe('a record', () => {
  const kept = async () => (await bank.db.admin.query('select outcome from planted.record')).rows

  test.each(['once', 'often', 'on/a', 'signed'])(
    'of %s is written once, with its effect, and says who and what',
    async (path) => {
      const answer = await post(path, 'first', keyed(newId<'key'>()))
      expect(records).toHaveLength(1)
      expect(records[0]?.tx).toBeDefined()
      expect(records[0]?.act).toMatchObject({
        outcome: 'done',
        subject: { kind: 'planted', id: answer.json().id },
        actor: { membershipId: acting.member.membershipId, requestId: answer.headers['x-tyk-trace-id'], address: '127.0.0.1' },
      })
      expect(await kept()).toEqual([{ outcome: 'done' }])
    },
  )

  test('of an order of money is written in the commit that it shares', async () => {
    const [from, to] = bank.demo.accounts
    const body = {
      internal_transfer: { debit_iban: from?.iban, credit_iban: to?.iban, reference: 'x', amount: '1.00', currency: 'EUR' },
    }
    const order = () => acting.send(acting.member, { method: 'POST', path: '/v2/internal_transfers', body })
    const answers = await Promise.all([order(), order(), order()])
    expect(records).toHaveLength(3)
    expect(records.every(({ tx }) => tx !== undefined)).toBe(true)
    expect(new Set(records.map(({ act: { subject } }) => subject?.id))).toEqual(
      new Set(answers.map((answer) => answer.json().internal_transfer.id)),
    )
    expect(await kept()).toHaveLength(3)
  })

  test('of what happens outside our database is written once, afterwards', async () => {
    await acting.send(acting.member, { method: 'POST', path: '/simulation/clock', body: { advance_seconds: 1 } })
    expect(outcomes()).toEqual(['moveClock done'])
    expect(records[0]?.tx).toBeUndefined()
  })

  test('is written of a refusal, and of somebody who may not; of a repetition, a body that cannot be read, and a read there is none', async () => {
    await post('once', 'x')
    await post('once', 'first', {}, { permissions: new Set() })
    await post('once', 'first', {}, { scopes: new Set(['organization.read']) })
    expect(outcomes()).toEqual(['actOnce name_too_short', 'actOnce forbidden', 'actOnce forbidden'])
    await post('once', 'first', keyed('k7'))
    records.splice(0)
    await post('once', 'first', keyed('k7'))
    await post('once', 'unreadable')
    await acting.send(acting.member, { method: 'GET', path: '/v2/labels' })
    await acting.send({ ...acting.member, permissions: new Set() }, { method: 'GET', path: '/v2/labels' })
    expect(outcomes()).toEqual([])
  })
})

test('a body is not read for whoever may not ask', async () => {
  const answer = await post('once', 'x'.repeat(21), {}, { permissions: new Set() })
  expect(answer.statusCode).toBe(403)
})

test('a permission that no module declares stops the start', () => {
  const [planted] = PLANTED
  const { database, clock } = bank.dependencies
  expect(() =>
    mount(bank.server.app, planted ? [planted] : [], { database, clock, permissions: new Set(['transfers.order']) }),
  ).toThrow('planted.act')
})

test.each([Type.Unknown(), Type.Object({}, { additionalProperties: true })])(
  'a body that cannot be compared stops the start of an operation that has keys',
  (extra) => {
    const open = { ...PLANTED[0], body: Type.Object({ extra }) } as Operation
    const { database, clock } = bank.dependencies
    expect(() => mount(bank.server.app, [open], { database, clock, permissions: new Set(['planted.act']) })).toThrow(
      'plain values',
    )
  },
)

test('guesses at keys, which all wait, hold up no money', async () => {
  const { admin } = bank.db
  const world = { ...bank.dependencies, metrics: createMetrics({ process: false }) }
  const parts = { parts: partita.parts(world), permissions: partita.permissions }
  const server = await buildApp(world, parts, { credentialCacheMs: 60_000 })
  const send = (method: 'GET' | 'POST', url: string, authorization: string, payload?: object) =>
    server.app.inject({ method, url, headers: { authorization }, ...(payload && { payload }) })
  const own = `${bank.demo.organizationSlug}:${bank.demo.secretKey}`
  const [from, to] = bank.demo.accounts
  expect((await send('GET', '/v2/labels', own)).statusCode).toBe(200)

  await admin.query('begin; lock table identity.api_key in access exclusive mode')
  const guesses = Array.from({ length: 200 }, (_, n) => send('GET', '/v2/labels', `${bank.demo.organizationSlug}:guess-${n}`))
  await vi.waitFor(async () => {
    const { rows } = await admin.query("select 1 from pg_locks where not granted and relation = 'identity.api_key'::regclass")
    expect(rows.length).toBeGreaterThan(0)
  })
  const transfer = { debit_iban: from?.iban, credit_iban: to?.iban, reference: 'x', amount: '1.00', currency: 'EUR' }
  for (let n = 0; n < 5; n++) {
    expect((await send('POST', '/v2/internal_transfers', own, { internal_transfer: transfer })).statusCode).toBe(200)
  }
  const { rows } = await admin.query("select 1 from pg_locks where not granted and relation = 'identity.api_key'::regclass")
  expect(rows).toHaveLength(1)
  await admin.query('rollback')
  expect(new Set((await Promise.all(guesses)).map(({ statusCode }) => statusCode))).toEqual(new Set([401]))
  await server.close()
})

test('a declaration that leaves out what must be said does not compile', () => {
  const whole = {
    ...shared,
    id: 'whole',
    route: 'POST /planted/whole',
    sca: NO_SCA,
    idempotency: 'none',
    read: () => ok('x'),
    run: async () => refuse('never'),
    write: () => ({}),
    refusals: { never: TOO_SHORT },
    audit: () => undefined,
  } as const
  const { access: _access, ...withoutAccess } = whole
  const { sca: _sca, ...withoutSca } = whole
  const { idempotency: _idempotency, ...withoutIdempotency } = whole
  const { audit: _audit, ...withoutAudit } = whole
  // @ts-expect-error: who may ask is not said
  operation(withoutAccess)
  // @ts-expect-error: nor whether it must be signed
  operation(withoutSca)
  // @ts-expect-error: nor what a repeated key means
  operation(withoutIdempotency)
  // @ts-expect-error: nor what is recorded
  operation(withoutAudit)
  // @ts-expect-error: how the refusal looks is not said
  operation({ ...whole, refusals: {} })
  // @ts-expect-error: a write is always recorded
  operation({ ...whole, audit: 'none' })
  // @ts-expect-error: and is signed, or exempt for a reason
  operation({ ...whole, sca: 'none' })
  // @ts-expect-error: keys mean nothing to a read
  operation({ ...whole, route: 'GET /planted/whole', sca: 'none', audit: 'none', idempotency: 'contract' })
  // @ts-expect-error: a scope that the contract does not know
  operation({ ...whole, access: { ...whole.access, scope: 'payments.write' } })
  expect(operation(whole).id).toBe('whole')
})
