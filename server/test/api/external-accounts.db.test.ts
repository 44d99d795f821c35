import { afterAll, beforeAll, expect, test } from 'vitest'
import { TODAY } from '../support/demo.ts'
import { startTestBank, type TestBank } from './support.ts'

let bank: TestBank
let id: string
beforeAll(async () => {
  bank = await startTestBank()
  const organization = (await bank.get('/v2/organization')).json().organization
  const { rows } = await bank.db.admin.query<{ id: string }>(
    `insert into accounts.bank_account (id, organization_id, number, slug, transaction_slug_prefix, name, holder_name, status, main, account_number,
       currency, is_external, stated_balance_minor, created_at, updated_at)
     values (gen_random_uuid(), $1, 4, $2, $3, 'Account elsewhere', $4, 'active', false, '0263765d-8d0e-41f0', 'EUR', true, 902, $5, $5)
     returning id`,
    [organization.id, `${organization.slug}-bank-account-4`, `${organization.slug}-4`, organization.legal_name, TODAY],
  )
  id = rows[0]?.id ?? ''
})
afterAll(() => bank.close())

test('a connected account is listed only when it is asked for, with empty IBAN and BIC and its own number', async () => {
  const names = (body: { organization: { bank_accounts: { name: string }[] } }) =>
    body.organization.bank_accounts.map((a) => a.name)
  expect(names((await bank.get('/v2/organization')).json())).not.toContain('Account elsewhere')
  expect(names((await bank.get('/v2/organization?include_external_accounts=false')).json())).not.toContain('Account elsewhere')
  const all = (await bank.get('/v2/organization?include_external_accounts=true')).json()
  expect(all.organization.bank_accounts.find((a: { id: string }) => a.id === id)).toEqual({
    id,
    name: 'Account elsewhere',
    status: 'active',
    main: false,
    organization_id: all.organization.id,
    iban: '',
    bic: '',
    currency: 'EUR',
    balance: 9.02,
    balance_cents: 902,
    authorized_balance: 9.02,
    authorized_balance_cents: 902,
    updated_at: TODAY.toISOString(),
    is_external_account: true,
    account_number: '0263765d-8d0e-41f0',
    slug: 'atelier-lumen-4821-bank-account-4',
  })
})

test('it can be read by its id, and its feed too; the list of our own accounts leaves it out', async () => {
  expect((await bank.get(`/v2/bank_accounts/${id}`)).json().bank_account).toMatchObject({ is_external_account: true, iban: '' })
  expect((await bank.get(`/v2/transactions?bank_account_id=${id}`)).json().meta.total_count).toBe(0)
  expect((await bank.get('/v2/bank_accounts')).json().meta.total_count).toBe(3)
  expect((await bank.get('/v2/bank_accounts?include_external_accounts=true')).json().meta.total_count).toBe(4)
})
