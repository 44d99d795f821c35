import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { issueApiKey, revokeApiKey } from '../../src/modules/identity/index.ts'
import { findOrganizationBySlug, ownerOf } from '../../src/modules/team/index.ts'
import { type MemberActor, operatorActor } from '../../src/platform/actor.ts'
import { type Access, CREDENTIAL_KINDS, methodOf } from '../../src/platform/http/operation.ts'
import type { OperationExample } from '../../src/platform/http/operation-example.ts'
import type { Id } from '../../src/platform/ids.ts'
import { type SeededCompany, seedCompanies } from '../../src/seed.ts'
import { TODAY } from '../support/demo.ts'
import { type ActingServer, serverForActors } from './acting-server.ts'
import { type DemoObjects, demoObjects, fill, moduleExamples, NOBODYS_OBJECTS, requestOf, unmatched } from './examples.ts'
import { startTestBank, type TestBank } from './support.ts'

const EXAMPLES = await moduleExamples()
const NAMES = Object.keys(EXAMPLES)
const OPERATOR = { actor: operatorActor('test', 'a new key'), now: TODAY }

let bank: TestBank
let objects: DemoObjects
let stranger: SeededCompany
let acting: ActingServer
beforeAll(async () => {
  bank = await startTestBank()
  objects = await demoObjects(bank)
  stranger = (await seedCompanies(bank.dependencies, { count: 1, transactionsEach: 5 }))[0] as SeededCompany
  acting = await serverForActors(bank)
})
afterAll(async () => {
  await acting.close()
  await bank.close()
})

/** A member with the rights that are asked for, and no others. */
const entitled = ({ credentials: [kind], scope, permission }: Access): MemberActor => ({
  ...acting.member,
  credential: { kind: kind as 'api_key', id: 'x', label: 'x' },
  scopes: new Set([scope]),
  permissions: new Set([permission]),
})
const asActor = (name: string, actor: MemberActor) => acting.send(actor, fill(templateOf(name), objects))

const operationOf = (name: string) => {
  const operation = bank.operations.find(({ id }) => id === name)
  if (!operation) throw new Error(`there is no operation ${name}`)
  return operation
}
const templateOf = (name: string) => requestOf(operationOf(name), EXAMPLES[name] as OperationExample)
const send = (name: string, authorization: string | null, of: DemoObjects = objects) => {
  const { method, path, headers, body } = fill(templateOf(name), of)
  return bank.request(method, path, { authorization, headers: { ...headers }, body })
}
const asStranger = () => `${stranger.organizationSlug}:${stranger.secretKey}`
const withoutTrace = (body: string): unknown => ({ ...JSON.parse(body), trace_id: undefined })

test('every operation is tried', () => {
  expect(unmatched(bank.operations, EXAMPLES)).toEqual([])
})

describe.each(NAMES)('%s', (name) => {
  test.each<[string, string | null, string]>([
    ['no header', null, 'authorization_header_missing'],
    ['an empty header', '', 'authorization_header_missing'],
    ['a wrong secret', 'atelier-lumen-4821:0123456789abcdef', 'unauthorized'],
    ['no secret', 'atelier-lumen-4821:', 'unauthorized'],
    ['no colon', 'atelier-lumen-4821', 'authorization_token_invalid'],
    ['a bearer token', 'Bearer ory_at_abc', 'authorization_token_invalid'],
    ['a bearer token with a colon', 'Bearer abc:def', 'authorization_token_invalid'],
    ['Basic', 'Basic YWJjOmRlZg==', 'authorization_token_invalid'],
  ])('is refused with %s', async (_, authorization, code) => {
    const answer = await send(name, authorization)
    expect(answer.statusCode).toBe(401)
    expect(answer.json().errors[0].code).toBe(code)
    expect(answer.body).toMatch(/\b(unauthorized|authentication)\b/i)
    expect(answer.json().trace_id).toBe(answer.headers['x-tyk-trace-id'])
  })

  test('is refused with another organization’s login and this one’s secret', async () => {
    expect((await send(name, `${stranger.organizationSlug}:${bank.demo.secretKey}`)).statusCode).toBe(401)
  })

  test('is refused without the scope, without the permission, and with a credential of another kind; not with just what it asks for', async () => {
    const { access } = operationOf(name)
    const as = (changes: Partial<MemberActor>) => asActor(name, { ...entitled(access), ...changes })
    if (access.scope !== 'none') {
      const answer = await as({ scopes: new Set() })
      expect(answer.statusCode).toBe(403)
      expect(answer.json().errors).toEqual([{ code: 'forbidden', detail: `missing required oauth scope: ${access.scope}` }])
    }
    if (access.permission !== 'none') {
      const answer = await as({ permissions: new Set() })
      expect(answer.statusCode).toBe(403)
      expect(answer.json().errors).toEqual([
        { code: 'forbidden', detail: 'User does not have sufficient permissions for this action.' },
      ])
    }
    for (const kind of CREDENTIAL_KINDS.filter((each) => !access.credentials.includes(each))) {
      const answer = await as({ credential: { kind: kind as 'oauth', id: 'x', label: 'x' } })
      expect(answer.statusCode, kind).toBe(401)
    }
    expect([401, 403]).not.toContain((await as({})).statusCode)
  })

  if (!EXAMPLES[name]?.named) return
  test('answers another organization exactly as if the object did not exist', async () => {
    const theirs = await send(name, asStranger())
    expect([404, 422]).toContain(theirs.statusCode)
    const unknown = await send(name, asStranger(), NOBODYS_OBJECTS)
    expect(unknown.statusCode).toBe(theirs.statusCode)
    expect(withoutTrace(unknown.body)).toEqual(withoutTrace(theirs.body))
  })
})

test('a list shows the caller’s organization only', async () => {
  const own = (await bank.get('/v2/organization', { authorization: asStranger() })).json().organization
  expect(own.slug).toBe(stranger.organizationSlug)
  const labels = (await bank.get('/v2/labels', { authorization: asStranger() })).json()
  expect(labels).toMatchObject({ labels: [], meta: { total_count: 0, total_pages: 0, next_page: null, prev_page: null } })
})

test('money cannot be taken from another organization’s account, nor sent to it, under the name of an internal transfer', async () => {
  const transfer = (debit_iban: string, credit_iban: string) =>
    bank.request('POST', '/v2/internal_transfers', {
      authorization: asStranger(),
      body: { internal_transfer: { debit_iban, credit_iban, reference: 'x', amount: '1.00', currency: 'EUR' } },
    })
  const own = stranger.accounts[0]?.iban ?? ''
  expect((await transfer(objects.iban, own)).statusCode).toBe(422)
  expect((await transfer(own, objects.iban)).statusCode).toBe(422)
})

describe('the key of a member', () => {
  const setMember = (status: string, role: string | null = 'owner') =>
    bank.db.admin.query(
      `update team.membership m set status = $1, role = $2
         from team.organization o where o.id = m.organization_id and o.slug = $3 and m.role is distinct from 'employee'`,
      [status, role, stranger.organizationSlug],
    )
  afterEach(() => setMember('active'))

  test('who was revoked is as dead as a wrong one, and lives again with the member', async () => {
    await setMember('revoked')
    for (const name of NAMES) expect((await send(name, asStranger())).statusCode, name).toBe(401)
    await setMember('active')
    expect((await send('listLabels', asStranger())).statusCode).toBe(200)
  })

  test.each(['pending', 'invitable'])('who is %s does nothing yet', async (status) => {
    await setMember(status, status === 'invitable' ? null : 'owner')
    expect((await send('listLabels', asStranger())).statusCode).toBe(401)
  })

  test.each<[string, number]>([
    ['admin', 422],
    ['manager', 422],
    ['reporting', 403],
    ['accountant', 403],
  ])('whose role is %s may do what the role may: an order of money gets %i', async (role, status) => {
    await setMember('active', role)
    expect((await send('createInternalTransfer', asStranger())).statusCode).toBe(status)
    expect((await send('listLabels', asStranger())).statusCode).toBe(200)
  })
})

describe('a new key', () => {
  test('works at once, the former no longer; a revoked one never', async () => {
    const { database } = bank.dependencies
    const secrets = await database.transaction(OPERATOR.actor, async (tx) => {
      const organizationId = (await findOrganizationBySlug(tx, stranger.organizationSlug)) as Id<'organization'>
      const membershipId = (await ownerOf(tx, organizationId)) as Id<'membership'>
      return {
        organizationId,
        secret: await issueApiKey(OPERATOR, tx, { organizationId, membershipId, login: stranger.organizationSlug }),
      }
    })
    const fresh = `${stranger.organizationSlug}:${secrets.secret}`
    for (const name of NAMES.filter((each) => !EXAMPLES[each]?.named && methodOf(operationOf(each)) === 'GET')) {
      expect((await send(name, asStranger())).statusCode, `${name} with the former key`).toBe(401)
      expect((await send(name, fresh)).statusCode, `${name} with the new key`).toBe(200)
    }
    await database.transaction(OPERATOR.actor, (tx) => revokeApiKey(OPERATOR, tx, secrets))
    for (const name of NAMES) expect((await send(name, fresh)).statusCode, `${name} with a revoked key`).toBe(401)
  })

  test('is nowhere in the database', async () => {
    const { rows } = await bank.db.admin.query<{ row: string }>('select k::text as row from identity.api_key k')
    expect(rows.length).toBeGreaterThan(2)
    for (const { row } of rows) expect(row).not.toContain(bank.demo.secretKey)
  })
})
