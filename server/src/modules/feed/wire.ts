import { type TSchema, Type } from 'typebox'
import { maskIban } from '../../formats/payments/iban.ts'
import { decimalNumber, integerNumber, withoutTrailingZeros } from '../../platform/http/json-numbers.ts'
import { named } from '../../platform/http/openapi.ts'
import { listOf } from '../../platform/http/query.ts'
import { type Currency, EUR, formatDecimal, money } from '../../platform/money.ts'
import type { BankAccount } from '../accounts/index.ts'
import type { Organization } from '../team/index.ts'
import { CATEGORIES, OPERATION_TYPES, SUBJECT_KEYS, SUBJECTS_WITH_COUNTERPARTY, type SubjectType } from './domain/transaction.ts'
import { EMBEDDABLE, type Included } from './queries/embedded.ts'
import type { Transaction } from './queries/find-transaction.ts'
import type { Label, VatItem } from './store.ts'

const uuid = (description?: string) => Type.String({ format: 'uuid', ...(description ? { description } : {}) })
const text = (description: string) => Type.String({ description })
const instant = (description: string) => Type.String({ format: 'date-time', description })
const nullable = (schema: TSchema, description: string) => Type.Union([schema, Type.Null()], { description })
const amount = (description: string) => Type.Number({ description: `${description} A decimal number.` })
const cents = (description: string) => Type.Integer({ description: `${description} In minor units.` })

/** Money stands twice in an answer: as a decimal number and as an integer of minor units. */
const twice = <const K extends string>(key: K, currency: Currency, minor: bigint | null) =>
  ({
    [key]: minor === null ? null : decimalNumber(money(currency, minor)),
    [`${key}_cents`]: minor === null ? null : integerNumber(minor),
  }) as Record<K | `${K}_cents`, object | null>

const bankAccountFields = {
  id: uuid(),
  name: text('The name that its owner gave it.'),
  status: Type.String({ enum: ['active', 'closed'] }),
  main: Type.Boolean({ description: 'The account that fees are taken from. One per organization.' }),
  organization_id: uuid(),
  iban: text('Empty for a connected account without one.'),
  bic: text('Empty for a connected account without one.'),
  currency: text('ISO 4217.'),
  balance: amount('What has settled.'),
  balance_cents: cents('What has settled.'),
  authorized_balance: amount('What has settled, less pending debits.'),
  authorized_balance_cents: cents('What has settled, less pending debits.'),
  updated_at: instant('The last change of the account or of its feed.'),
  is_external_account: Type.Boolean({ description: 'A connected account at another bank.' }),
  account_number: nullable(Type.String(), 'Number of a connected account that has no IBAN.'),
}
export const BankAccountSchema = named(
  'BankAccount',
  Type.Object(
    { ...bankAccountFields, iban: text('Masked: `/v2/organization` shows it whole.') },
    { description: 'A business account.' },
  ),
)
export const OrganizationAccountSchema = named(
  'OrganizationAccount',
  Type.Object(
    { ...bankAccountFields, slug: text('The organization’s slug and the account’s number.') },
    { description: 'A business account, with its IBAN unmasked.' },
  ),
)

/** @param iban shown as it is given: masked or not. */
export const bankAccountToWire = (account: BankAccount, iban: string) => ({
  id: account.id,
  name: account.name,
  status: account.status,
  main: account.main,
  organization_id: account.organizationId,
  iban,
  bic: account.bic ?? '',
  currency: account.currency,
  ...twice('balance', account.currency, account.balanceMinor),
  ...twice('authorized_balance', account.currency, account.authorizedBalanceMinor),
  updated_at: account.updatedAt,
  is_external_account: account.isExternal,
  account_number: account.accountNumber,
})

/** An account where its IBAN is not shown whole. */
export const maskedAccountToWire = (account: BankAccount) => bankAccountToWire(account, maskIban(account.iban ?? ''))

export const OrganizationSchema = named(
  'Organization',
  Type.Object(
    {
      id: uuid(),
      slug: text('First half of the API key.'),
      name: text('The name that people use.'),
      legal_name: nullable(Type.String(), 'The name in the register.'),
      locale: nullable(Type.String({ enum: ['fr', 'de', 'it', 'es', 'en', 'pt'] }), 'Language of the organization.'),
      legal_share_capital: nullable(Type.Number(), 'In euros.'),
      legal_country: nullable(Type.String(), 'ISO 3166 alpha-2.'),
      legal_registration_date: nullable(Type.String({ format: 'date' }), 'When it was registered.'),
      legal_form: nullable(Type.String(), 'SAS, GmbH and so on.'),
      legal_address: nullable(Type.String(), 'One line.'),
      address: nullable(Type.Object({}, { additionalProperties: true }), 'Not kept in parts: always null.'),
      legal_sector: nullable(Type.String(), 'Activity code.'),
      legal_number: nullable(Type.String(), 'Number in the register: SIRET, HRB and so on.'),
      contract_signed_at: nullable(Type.String({ format: 'date-time' }), 'When the account was opened.'),
      bank_accounts: Type.Array(OrganizationAccountSchema),
    },
    { description: 'The organization that the credential belongs to.' },
  ),
)

export const organizationToWire = (organization: Organization, accounts: readonly BankAccount[]) => ({
  id: organization.id,
  slug: organization.slug,
  name: organization.name,
  legal_name: organization.legalName,
  locale: organization.locale,
  legal_share_capital:
    organization.legalShareCapitalMinor === null ? null : decimalNumber(money(EUR, organization.legalShareCapitalMinor)),
  legal_country: organization.legalCountry,
  legal_registration_date: organization.legalRegistrationDate,
  legal_form: organization.legalForm,
  legal_address: organization.legalAddress,
  address: null,
  legal_sector: organization.legalSector,
  legal_number: organization.legalNumber,
  contract_signed_at: organization.contractSignedAt,
  bank_accounts: accounts.map((account) => ({ ...bankAccountToWire(account, account.iban ?? ''), slug: account.slug })),
})

export const LabelSchema = named(
  'Label',
  Type.Object(
    {
      id: uuid(),
      name: Type.String(),
      parent_id: nullable(Type.String({ format: 'uuid' }), 'The list that the label belongs to.'),
    },
    { description: 'A label of the organization.' },
  ),
)

export const labelToWire = (label: Label) => ({ id: label.id, name: label.name, parent_id: label.parentId })

const CounterpartySchema = named(
  'Counterparty',
  Type.Object({
    counterparty_account_number: Type.String(),
    counterparty_account_number_format: Type.String({ description: 'IBAN, unstructured or sort_code.' }),
    counterparty_bank_identifier: Type.String(),
    counterparty_bank_identifier_format: Type.String({ description: 'SWIFT_BIC, unstructured or sort_code.' }),
  }),
)
/** Details of the subjects that are no counterparty's account: whoever records such a transaction fills them, all or in part. */
const DETAILS: Readonly<Record<string, Readonly<Record<string, TSchema>>>> = {
  direct_debit_hold: { guarding_rate: text('Share of the collections that is held back.') },
  check: { check_number: text('Number of the cheque.'), check_key: text('Its key.') },
  financing_installment: {
    total_installments_number: Type.Integer({ description: 'How many instalments there are.' }),
    current_installment_number: Type.Integer({ description: 'Which of them this is.' }),
  },
  pagopa_payment: {
    notice_number: text('The payment notice (codice avviso).'),
    creditor_fiscal_code: text('The creditor institution (codice ente).'),
    iuv: text('Unique payment identifier.'),
  },
}
const subjectSchema = (key: string) => {
  const details = DETAILS[key]
  if (!details) return Type.Optional(CounterpartySchema)
  const fields = Object.fromEntries(Object.entries(details).map(([name, schema]) => [name, Type.Optional(schema)]))
  return Type.Optional(nullable(Type.Object(fields), `Details of a ${key}.`))
}
const categoryName = named(
  'CashFlowCategory',
  nullable(Type.Object({ id: uuid(), name: nullable(Type.String(), 'Its name.') }), 'Cash-flow category, when assigned.'),
)

const AttachmentSchema = named(
  'Attachment',
  Type.Object(
    {
      id: uuid(),
      created_at: instant('When it was uploaded.'),
      file_name: Type.String(),
      file_size: text('In bytes.'),
      file_content_type: Type.String(),
      url: text('Where it can be fetched for a while.'),
      probative_attachment: Type.Optional(
        Type.Object({ status: Type.String() }, { description: 'Left out where there is none, never null.' }),
      ),
    },
    { description: 'A file that belongs to a transaction.' },
  ),
)

export const TransactionSchema = named(
  'Transaction',
  Type.Object(
    {
      id: uuid(),
      transaction_id: text('Readable identifier: account and number.'),
      amount: amount('Always above zero: the side says which way.'),
      amount_cents: cents('Always above zero: the side says which way.'),
      settled_balance: nullable(Type.Number(), 'The account’s balance after settlement.'),
      settled_balance_cents: nullable(Type.Integer(), 'The same in minor units.'),
      attachment_ids: Type.Array(uuid(), { maxItems: 5 }),
      logo: nullable(
        Type.Object({ small: Type.Optional(Type.String()), medium: Type.Optional(Type.String()) }),
        'URLs of the counterparty’s logo.',
      ),
      local_amount: amount('In local_currency.'),
      local_amount_cents: cents('In local_currency.'),
      side: Type.String({ enum: ['credit', 'debit'] }),
      operation_type: Type.String({ examples: [...OPERATION_TYPES] }),
      currency: text('ISO 4217.'),
      local_currency: text('ISO 4217.'),
      label: text('The counterparty as received.'),
      clean_counterparty_name: nullable(Type.String(), 'The counterparty’s name, tidied.'),
      settled_at: nullable(Type.String({ format: 'date-time' }), 'Null unless completed.'),
      emitted_at: instant('When it was ordered or received.'),
      created_at: instant('When it was recorded.'),
      updated_at: instant('Its last change.'),
      status: Type.String({ enum: ['pending', 'declined', 'completed'] }),
      note: nullable(Type.String(), 'Internal note.'),
      reference: nullable(Type.String(), 'The message that came with the payment.'),
      vat_amount: nullable(Type.Number(), 'Sum of VAT.'),
      vat_amount_cents: nullable(Type.Integer(), 'Sum of VAT in minor units.'),
      vat_rate: nullable(Type.Number(), 'Percent; −1 for several rates.'),
      initiator_id: nullable(Type.String({ format: 'uuid' }), 'The membership that ordered it.'),
      label_ids: Type.Array(uuid()),
      attachment_lost: Type.Boolean(),
      attachment_required: Type.Boolean(),
      card_last_digits: nullable(Type.String(), 'Of the card used.'),
      category: Type.String({ examples: [...CATEGORIES] }),
      cashflow_category: categoryName,
      cashflow_subcategory: categoryName,
      subject_type: Type.String({ examples: Object.keys(SUBJECT_KEYS) }),
      bank_account_id: uuid(),
      is_external_transaction: Type.Boolean({ description: 'On a connected account at another bank.' }),
      attachments: Type.Optional(Type.Array(AttachmentSchema, { description: 'With includes[]=attachments. Never null.' })),
      labels: Type.Optional(Type.Array(LabelSchema, { description: 'With includes[]=labels.' })),
      vat_details: Type.Optional(
        Type.Object(
          {
            items: Type.Array(
              Type.Object({
                amount: Type.String(),
                amount_cents: Type.String(),
                amount_excluding_vat: Type.String(),
                amount_excluding_vat_cents: Type.String(),
                rate: Type.String(),
              }),
            ),
          },
          { description: 'With includes[]=vat_details.' },
        ),
      ),
      ...Object.fromEntries(Object.values(SUBJECT_KEYS).flatMap((key) => (key ? [[key, subjectSchema(key)]] : []))),
    },
    { description: 'One movement in an account’s feed. The object named by its subject holds the details.' },
  ),
)

export const includes = listOf(EMBEDDABLE, [], 'What to embed in each transaction.')

/** As it is shown. What is inside a booking of another bank may have an amount that its bank does not state. */
export type ShownTransaction = Omit<Transaction, 'amountMinor' | 'localAmountMinor' | 'number'> & {
  readonly amountMinor: bigint | null
  readonly localAmountMinor: bigint | null
}

export function transactionToWire(t: ShownTransaction, includes: Included) {
  return {
    id: t.id,
    transaction_id: t.slug,
    ...twice('amount', t.currency, t.amountMinor),
    ...twice('settled_balance', t.currency, t.settledBalanceMinor),
    attachment_ids: t.attachmentIds,
    logo: null,
    ...twice('local_amount', t.localCurrency, t.localAmountMinor),
    side: t.side,
    operation_type: t.operationType,
    currency: t.currency,
    local_currency: t.localCurrency,
    label: t.label,
    clean_counterparty_name: t.cleanCounterpartyName,
    settled_at: t.settledAt,
    emitted_at: t.emittedAt,
    created_at: t.createdAt,
    updated_at: t.updatedAt,
    status: t.status,
    note: t.note,
    reference: t.reference,
    ...twice('vat_amount', t.currency, t.vatAmountMinor),
    vat_rate: t.vatRate === null ? null : JSON.rawJSON(withoutTrailingZeros(t.vatRate)),
    initiator_id: t.initiatorId,
    label_ids: t.labelIds,
    attachment_lost: t.attachmentLost,
    attachment_required: t.attachmentRequired,
    card_last_digits: t.cardLastDigits,
    category: t.category,
    cashflow_category: null,
    cashflow_subcategory: null,
    subject_type: t.subjectType,
    bank_account_id: t.bankAccountId,
    is_external_transaction: t.isExternal,
    ...(includes.attachments ? { attachments: [] } : {}),
    ...(includes.labels ? { labels: t.labelIds.flatMap((id) => includes.labels?.get(id) ?? []).map(labelToWire) } : {}),
    ...(includes.vatDetails ? { vat_details: { items: (t.vatItems ?? []).map((item) => vatItemToWire(item, t.currency)) } } : {}),
    ...subjectToWire(t),
  }
}

function subjectToWire(t: ShownTransaction): Record<string, unknown> {
  const key = SUBJECT_KEYS[t.subjectType as SubjectType]
  if (key === undefined) return {}
  if (!SUBJECTS_WITH_COUNTERPARTY.has(t.subjectType)) return { [key]: t.subjectDetails }
  return {
    [key]: {
      counterparty_account_number: t.counterpartyAccountNumber ?? '',
      counterparty_account_number_format: t.counterpartyAccountNumberFormat ?? '',
      counterparty_bank_identifier: t.counterpartyBankIdentifier ?? '',
      counterparty_bank_identifier_format: t.counterpartyBankIdentifierFormat ?? '',
    },
  }
}

export const vatItemToWire = (item: VatItem, currency: Currency) => ({
  amount: formatDecimal(money(currency, BigInt(item.amount_minor))),
  amount_cents: item.amount_minor,
  amount_excluding_vat: formatDecimal(money(currency, BigInt(item.amount_excluding_vat_minor))),
  amount_excluding_vat_cents: item.amount_excluding_vat_minor,
  rate: item.rate,
})
