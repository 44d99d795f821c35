import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exempt, operation } from '../../src/platform/http/operation.ts'
import { ok } from '../../src/platform/result.ts'
import { type SeededCompany, seedCompanies } from '../../src/seed.ts'
import { type ActingServer, serverForActors } from './acting-server.ts'
import { startTestBank, type TestBank } from './support.ts'

/** What clients of older versions of the contract send, and must find answered (qonto-api.md §50). */
const ACCESS = { credentials: ['api_key'], scope: 'none', permission: 'planted.act' } as const
const bodiless = (id: string, route: `${'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`) =>
  operation({
    id,
    route,
    tag: 'Planted',
    summary: 'Planted.',
    access: ACCESS,
    sca: exempt('a test'),
    idempotency: 'contract',
    audit: () => undefined,
    answer: Type.Object({ done: Type.Boolean() }),
    refusals: {},
    read: () => ok(undefined),
    run: async () => ok(true),
    write: (done) => ({ done }),
  })
const Body = Type.Object({ name: Type.String() })
const withBody = operation({
  id: 'withBody',
  route: 'POST /planted/body',
  tag: 'Planted',
  summary: 'Planted.',
  access: ACCESS,
  sca: exempt('a test'),
  idempotency: 'none',
  audit: () => undefined,
  body: Body,
  answer: Type.Object({ done: Type.Boolean() }),
  refusals: {},
  read: () => ok(undefined),
  run: async () => ok(true),
  write: (done) => ({ done }),
})

let bank: TestBank
let stranger: SeededCompany
let acting: ActingServer
beforeAll(async () => {
  bank = await startTestBank()
  stranger = (await seedCompanies(bank.dependencies, { count: 1, transactionsEach: 5 }))[0] as SeededCompany
  const planted = [
    bodiless('post', 'POST /planted'),
    bodiless('put', 'PUT /planted'),
    bodiless('patch', 'PATCH /planted'),
    bodiless('remove', 'DELETE /planted'),
    withBody,
  ]
  acting = await serverForActors(bank, [...bank.operations, ...planted])
})
afterAll(async () => {
  await acting.close()
  await bank.close()
})

describe('the organization under its older paths', () => {
  test.each(['/v2/organizations/', '/v1/organizations/'])(
    '%s answers with the credential’s own for any segment',
    async (path) => {
      const own = await bank.get('/v2/organization')
      for (const segment of ['%7Bid%7D', '0', bank.demo.organizationSlug, stranger.organizationSlug]) {
        const answer = await bank.get(`${path}${segment}`)
        expect(answer.statusCode).toBe(200)
        expect(answer.body).toBe(own.body)
        expect(answer.headers).toMatchObject({
          deprecation: 'true',
          sunset: 'Sun, 15 Nov 2026 00:00:00 GMT',
          link: '</v2/organization>; rel="successor-version"',
        })
      }
      expect(own.headers).not.toHaveProperty('sunset')
    },
  )

  test('a segment that names another organization shows nothing of it', async () => {
    const authorization = `${stranger.organizationSlug}:${stranger.secretKey}`
    const answer = await bank.get(`/v2/organizations/${bank.demo.organizationSlug}`, { authorization })
    expect(answer.json().organization.slug).toBe(stranger.organizationSlug)
    expect(answer.body).not.toContain(bank.demo.organizationSlug)
  })

  test('a connected account is shown there too when it is asked for', async () => {
    const query = '?include_external_accounts=true'
    expect((await bank.get(`/v1/organizations/0${query}`)).body).toBe((await bank.get(`/v2/organization${query}`)).body)
  })
})

describe('an account of the feed by its slug', () => {
  const feed = async (query: string) => (await bank.get(`/v2/transactions?per_page=3&${query}`)).json()
  const slugs = async (): Promise<{ id: string; slug: string; iban: string }[]> =>
    (await bank.get('/v2/organization')).json().organization.bank_accounts

  test('is found; id and IBAN win', async () => {
    const [main, second] = await slugs()
    expect(await feed(`slug=${second?.slug}`)).toEqual(await feed(`bank_account_id=${second?.id}`))
    expect(await feed(`slug=${second?.slug}&iban=${main?.iban}`)).toEqual(await feed(`bank_account_id=${main?.id}`))
    expect(await feed(`slug=${second?.slug}&bank_account_id=${main?.id}`)).toEqual(await feed(`bank_account_id=${main?.id}`))
  })

  test('is not found when it is nobody’s or somebody else’s', async () => {
    const theirs = `${stranger.organizationSlug}-bank-account-1`
    for (const slug of ['nobody-1-bank-account-1', theirs]) {
      const answer = await bank.get(`/v2/transactions?slug=${slug}`)
      expect(answer.statusCode).toBe(404)
      expect(answer.json().errors[0].source).toEqual({ parameter: 'slug' })
    }
  })
})

describe('the page as current_page', () => {
  const page = async (query: string) => (await bank.get(`/v2/labels?per_page=1&${query}`)).json()

  test('is the page; page wins', async () => {
    expect(await page('current_page=2')).toEqual(await page('page=2'))
    expect((await page('current_page=3&page=2')).meta.current_page).toBe(2)
    expect((await page('current_page=2&page=')).meta.current_page).toBe(2)
  })

  test('is judged by its own name', async () => {
    const answer = await bank.get('/v2/labels?current_page=0')
    expect(answer.statusCode).toBe(422)
    expect(answer.json().errors[0].source).toEqual({ parameter: 'current_page' })
  })
})

describe('an empty body that claims to be JSON', () => {
  const headers = { 'content-type': 'application/json' }
  const send = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string) =>
    acting.send(acting.member, { method, path, headers })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('is none for %s where no body is declared', async (method) => {
    const answer = await send(method, '/planted')
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ done: true })
  })

  test('is none for a read', async () => {
    expect((await send('GET', '/v2/organization')).statusCode).toBe(200)
    expect((await bank.get('/v2/labels', { headers })).statusCode).toBe(200)
  })

  test('is refused where a body is declared', async () => {
    expect((await send('POST', '/planted/body')).statusCode).toBe(422)
  })
})

test('an account has the BIC of its IBAN’s country', async () => {
  const { bank_accounts } = (await bank.get('/v2/organization')).json().organization
  const countries = bank_accounts.map(({ iban, bic }: { iban: string; bic: string }) => [iban.slice(0, 2), bic.slice(4, 6)])
  expect(countries.length).toBeGreaterThan(1)
  expect(new Set(countries.map(([iban]: string[]) => iban)).size).toBeGreaterThan(1)
  for (const [iban, bic] of countries) expect(bic).toBe(iban)
})
