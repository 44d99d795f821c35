import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseStatementFile } from '../../src/formats/statements/index.ts'
import { importStatementFile } from '../../src/modules/connections/index.ts'
import { operatorActor } from '../../src/platform/actor.ts'
import type { Id } from '../../src/platform/ids.ts'
import { TODAY } from '../support/demo.ts'
import { startTestBank, type TestBank } from './support.ts'

const IBAN = 'DE89370400440532013000'
const detail = (amount: string, name: string, more = '') =>
  `<TxDtls>${amount}<RltdPties><Dbtr><Nm>${name}</Nm></Dbtr>${more}</RltdPties><RmtInf><Ustrd>For ${name}</Ustrd></RmtInf></TxDtls>`
const euros = (amount: string) => `<Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>`
const FILE = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Id>S</Id><Acct><Id><IBAN>${IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Ntry><Amt Ccy="EUR">60.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-10</Dt></BookgDt><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<NtryDtls><Btch><NbOfTxs>4</NbOfTxs></Btch>${detail(euros('10.00'), 'One', '<DbtrAcct><Id><IBAN>NL91ABNA0417164300</IBAN></Id></DbtrAcct>')}${detail(euros('50.50'), 'Two')}
${detail('<Amt Ccy="EUR">0.50</Amt><CdtDbtInd>DBIT</CdtDbtInd>', 'Back')}${detail('', 'Unknown amount')}</NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>`

let bank: TestBank
let parent: { id: string; transaction_id: string; amount: number }
let ownId: string
const ofAccount = async () => (await bank.get(`/v2/transactions?bank_account_id=${await accountId()}`)).json()
const accountId = async (): Promise<string> => {
  const { bank_accounts } = (await bank.get('/v2/bank_accounts?include_external_accounts=true')).json()
  return bank_accounts.find((account: { is_external_account: boolean }) => account.is_external_account).id
}

beforeAll(async () => {
  bank = await startTestBank()
  const { organization } = (await bank.get('/v2/organization')).json()
  const file = parseStatementFile(new TextEncoder().encode(FILE))
  if (!file.ok) throw new Error(JSON.stringify(file.problems))
  const organizationId = organization.id as Id<'organization'>
  const actor = operatorActor('tester', 'partita import', [organizationId])
  const order = { organizationId, organizationSlug: organization.slug as string, fileName: 'batch.xml', file }
  await importStatementFile({ actor, now: TODAY, database: bank.db.database }, order)
  parent = (await ofAccount()).transactions[0]
  ownId = (await bank.get(`/v2/transactions?iban=${organization.bank_accounts[0].iban}&per_page=1`)).json().transactions[0].id
})
afterAll(() => bank.close())

describe('the transactions inside a booking', () => {
  test('are reached by its links, each with its payer, amount and text', async () => {
    const { links, meta } = (await bank.get(`/v2/transactions/${parent.id}/child_transaction_links`)).json()
    expect(meta).toMatchObject({ total_count: 4, current_page: 1 })
    const seen = links.map((link: { transaction: Record<string, unknown> }) => {
      const { label, amount, side, reference } = link.transaction
      return [label, amount, side, reference]
    })
    expect(seen).toEqual([
      ['One', 10, 'credit', 'For One'],
      ['Two', 50.5, 'credit', 'For Two'],
      ['Back', 0.5, 'debit', 'For Back'],
      ['Unknown amount', null, 'credit', 'For Unknown amount'],
    ])
    const [first] = links
    expect(first).toMatchObject({
      link_type: 'batch_booking',
      related_transaction_id: first.transaction.id,
      transaction: {
        transaction_id: `${parent.transaction_id}-1`,
        is_external_transaction: true,
        settled_balance: null,
        income: { counterparty_account_number: 'NL91ABNA0417164300', counterparty_account_number_format: 'IBAN' },
      },
    })
    expect(new Set(links.map((link: { related_transaction_id: string }) => link.related_transaction_id)).size).toBe(4)
  })

  test('have pages', async () => {
    const { links, meta } = (await bank.get(`/v2/transactions/${parent.id}/child_transaction_links?page=2&per_page=3`)).json()
    expect(links.map((link: { transaction: { label: string } }) => link.transaction.label)).toEqual(['Unknown amount'])
    expect(meta).toMatchObject({ total_count: 4, prev_page: 1, next_page: null })
  })

  test('are in no list, no count and no balance', async () => {
    const list = await ofAccount()
    expect(list.meta.total_count).toBe(1)
    expect(list.transactions).toMatchObject([{ amount: 60, settled_balance: 60, label: '' }])
    expect((await bank.get(`/v2/bank_accounts/${await accountId()}`)).json().bank_account.balance).toBe(60)
  })

  test('are none where a transaction stands for itself, and another organization’s are not there', async () => {
    expect((await bank.get(`/v2/transactions/${ownId}/child_transaction_links`)).json()).toMatchObject({
      links: [],
      meta: { total_count: 0 },
    })
    for (const id of ['00000000-0000-7000-8000-000000000000', 'not-an-id'])
      expect((await bank.get(`/v2/transactions/${id}/child_transaction_links`)).statusCode).toBe(404)
  })
})
