import { describe, expect, test } from 'vitest'
import type { Id } from '../../platform/ids.ts'
import { EUR } from '../../platform/money.ts'
import type { Transaction } from './queries/find-transaction.ts'
import { transactionToWire } from './wire.ts'

const stored: Transaction = {
  id: '0195f1de-5a3f-7c52-9b1f-2f6f0f2a1b10' as Id<'transaction'>,
  number: 77n,
  slug: 'atelier-9-4821-1-transaction-77',
  bankAccountId: '0190f1de-6b10-7d31-8f0a-0c3f55aa0001' as Id<'bank_account'>,
  status: 'completed',
  side: 'debit',
  operationType: 'transfer',
  amountMinor: 12_990n,
  currency: EUR,
  localAmountMinor: 12_990n,
  localCurrency: EUR,
  settledBalanceMinor: 112_050n,
  label: 'Muster GmbH',
  cleanCounterpartyName: 'Muster',
  reference: 'INV-204',
  note: null,
  category: 'other_expense',
  initiatorId: null,
  subjectType: 'Transfer',
  counterpartyAccountNumber: 'DE89370400440532013000',
  counterpartyAccountNumberFormat: 'IBAN',
  counterpartyBankIdentifier: 'COBADEFFXXX',
  counterpartyBankIdentifierFormat: 'SWIFT_BIC',
  subjectDetails: null,
  vatAmountMinor: null,
  vatRate: null,
  vatItems: null,
  labelIds: ['0192f1de-5a3f-7c52-9b1f-2f6f0f2a1b10'],
  attachmentIds: [],
  attachmentLost: false,
  attachmentRequired: true,
  cardLastDigits: null,
  isExternal: false,
  emittedAt: new Date('2026-03-01T08:00:06.000Z'),
  settledAt: new Date('2026-03-01T08:01:00.000Z'),
  createdAt: new Date('2026-03-01T08:00:06.000Z'),
  updatedAt: new Date('2026-03-01T08:01:00.000Z'),
}

const nothing = { vatDetails: false, attachments: false, labels: undefined }
const onWire = (changes: Partial<Transaction>, includes: Parameters<typeof transactionToWire>[1] = nothing) =>
  JSON.parse(JSON.stringify(transactionToWire({ ...stored, ...changes }, includes)))

test('an outgoing transfer has every field of the contract, with its type', () => {
  // qonto-api.md A.3
  expect(onWire({})).toEqual({
    id: stored.id,
    transaction_id: 'atelier-9-4821-1-transaction-77',
    amount: 129.9,
    amount_cents: 12990,
    settled_balance: 1120.5,
    settled_balance_cents: 112050,
    attachment_ids: [],
    logo: null,
    local_amount: 129.9,
    local_amount_cents: 12990,
    side: 'debit',
    operation_type: 'transfer',
    currency: 'EUR',
    local_currency: 'EUR',
    label: 'Muster GmbH',
    clean_counterparty_name: 'Muster',
    settled_at: '2026-03-01T08:01:00.000Z',
    emitted_at: '2026-03-01T08:00:06.000Z',
    created_at: '2026-03-01T08:00:06.000Z',
    updated_at: '2026-03-01T08:01:00.000Z',
    status: 'completed',
    note: null,
    reference: 'INV-204',
    vat_amount: null,
    vat_amount_cents: null,
    vat_rate: null,
    initiator_id: null,
    label_ids: stored.labelIds,
    attachment_lost: false,
    attachment_required: true,
    card_last_digits: null,
    category: 'other_expense',
    cashflow_category: null,
    cashflow_subcategory: null,
    subject_type: 'Transfer',
    bank_account_id: stored.bankAccountId,
    is_external_transaction: false,
    transfer: {
      counterparty_account_number: 'DE89370400440532013000',
      counterparty_account_number_format: 'IBAN',
      counterparty_bank_identifier: 'COBADEFFXXX',
      counterparty_bank_identifier_format: 'SWIFT_BIC',
    },
  })
})

describe('VAT', () => {
  const vatItems = [{ amount_minor: '2165', amount_excluding_vat_minor: '10825', rate: '20' }]

  test('stands as numbers beside the amount, and as texts in its details', () => {
    const wire = onWire({ vatAmountMinor: 2_165n, vatRate: '20.000', vatItems }, { ...nothing, vatDetails: true })
    expect(wire).toMatchObject({ vat_amount: 21.65, vat_amount_cents: 2165, vat_rate: 20 })
    expect(wire.vat_details).toEqual({
      items: [
        {
          amount: '21.65',
          amount_cents: '2165',
          amount_excluding_vat: '108.25',
          amount_excluding_vat_cents: '10825',
          rate: '20',
        },
      ],
    })
  })

  test.each([
    ['-1.000', -1],
    ['5.500', 5.5],
    ['100.000', 100],
    ['0.000', 0],
  ])('a rate of %s is the number %d', (vatRate, number) => {
    expect(onWire({ vatRate }).vat_rate).toBe(number)
  })

  test('details come only when asked for, and are empty when there are none', () => {
    expect(onWire({ vatItems })).not.toHaveProperty('vat_details')
    expect(onWire({}, { ...nothing, vatDetails: true }).vat_details).toEqual({ items: [] })
  })
})

test.each([
  ['Income', 'income'],
  ['SwiftIncome', 'swift_income'],
  ['DirectDebit', 'direct_debit'],
  ['DirectDebitCollection', 'direct_debit_collection'],
])('a subject of type %s has its counterparty under %s, with empty texts for what is unknown', (subjectType, key) => {
  const unknown = {
    counterpartyAccountNumber: null,
    counterpartyAccountNumberFormat: null,
    counterpartyBankIdentifier: null,
    counterpartyBankIdentifierFormat: null,
  }
  expect(onWire({ subjectType, ...unknown })[key]).toEqual({
    counterparty_account_number: '',
    counterparty_account_number_format: '',
    counterparty_bank_identifier: '',
    counterparty_bank_identifier_format: '',
  })
})

test.each([
  ['Check', 'check', { check_number: '1', check_key: '2' }],
  ['FinancingInstallment', 'financing_installment', { total_installments_number: 3, current_installment_number: 1 }],
])('a subject of type %s has its own details under %s', (subjectType, key, subjectDetails) => {
  expect(onWire({ subjectType, subjectDetails })[key]).toEqual(subjectDetails)
})

test('a wallet-to-wallet movement has no subject object', () => {
  expect(onWire({ subjectType: 'WalletToWallet' })).not.toHaveProperty('transfer')
})

test('labels are embedded in the order of their ids; one that is gone is left out', () => {
  const [id = ''] = stored.labelIds
  const labels = new Map([[id, { id, name: 'Project A', parentId: null }]])
  const wire = onWire({ labelIds: [id, '0192f1de-0000-7000-8000-000000000000'] }, { ...nothing, labels })
  expect(wire.labels).toEqual([{ id, name: 'Project A', parent_id: null }])
})

test('the largest amount that the ledger holds loses no digit', () => {
  const text = JSON.stringify(transactionToWire({ ...stored, amountMinor: 9_223_372_036_854_775_807n }, nothing))
  expect(text).toContain('"amount":92233720368547758.07,"amount_cents":9223372036854775807,')
})
