import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asMember } from '../../../test/support/actors.ts'
import { makeCompany, type TestCompany } from '../../../test/support/company.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { SUBJECT_KEYS } from './domain/transaction.ts'
import { readIncluded } from './queries/embedded.ts'
import { findTransactions } from './queries/find-transaction.ts'
import { pageOfTransactions } from './queries/list-transactions.ts'
import { transactionToWire } from './wire.ts'
import { transactionText } from './wire-text.ts'

let db: TestDatabase
let company: TestCompany
const LABELS = ['0192f1de-5a3f-7c52-9b1f-2f6f0f2a1b10', '0192f1de-5a3f-7c52-9b1f-2f6f0f2a1b11'] as const
beforeAll(async () => {
  db = await createTestDatabase()
  company = await makeCompany(db.database, new Date('2020-01-01T00:00:00.000Z'))
  for (const [index, id] of LABELS.entries())
    await db.admin.query(
      `insert into feed.label (id, organization_id, name, parent_id, created_at) values ($1, $2, $3, null, now())`,
      [id, company.id, `Label "${index}"`],
    )
})
afterAll(() => db.drop())

// Everything that PostgreSQL stores as text: quotation marks, backslashes, controls, our own separator, other scripts.
const nasty = fc.constantFrom('', '"', '\\', '\u001f', '\n\t\b\f\r', '\u007f', '\u2028', 'é', '😀', "O'Neil", '{a,b}', 'null')
const text = fc
  .array(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 3 })
  .map((parts) => parts.join('').replaceAll('\u0000', '').toWellFormed())
const minor = fc.bigInt({ min: 1n, max: 9_223_372_036_854_775_807n })
const time = fc
  .date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString())
const uuids = fc.array(fc.uuid(), { maxLength: 5 })
const row = fc.record({
  side: fc.constantFrom('credit', 'debit'),
  status: fc.constantFrom('pending', 'declined', 'completed'),
  operation_type: fc.constantFrom('income', 'card', 'something "new"'),
  amount_minor: minor,
  currency: fc.constantFrom('EUR', 'JPY', 'TND', 'CLF'),
  local_amount_minor: minor,
  local_currency: fc.constantFrom('EUR', 'JPY', 'TND'),
  settled_balance_minor: fc.option(fc.bigInt({ min: -9_223_372_036_854_775_807n, max: 9_223_372_036_854_775_807n })),
  label: text,
  clean_counterparty_name: fc.option(text),
  reference: fc.option(text),
  note: fc.option(text),
  category: fc.constantFrom('sales', 'fees'),
  initiator_id: fc.option(fc.uuid()),
  subject_type: fc.constantFrom(...Object.keys(SUBJECT_KEYS), 'Unheard'),
  counterparty_account_number: fc.option(text),
  counterparty_account_number_format: fc.option(fc.constantFrom('IBAN', 'unstructured')),
  counterparty_bank_identifier: fc.option(text),
  counterparty_bank_identifier_format: fc.option(fc.constantFrom('SWIFT_BIC', 'sort_code')),
  subject_details: fc.option(fc.record({ check_number: fc.string({ maxLength: 5 }), check_key: fc.constant('x') }).map((d) => JSON.stringify(d).replaceAll('\\u0000', ''))),
  vat_amount_minor: fc.option(minor),
  vat_rate: fc.option(fc.constantFrom('20', '5.5', '2.1', '-1', '0', '10.250', '100')),
  vat_items: fc.option(fc.constant(JSON.stringify([{ amount_minor: '120', amount_excluding_vat_minor: '600', rate: '20' }]))),
  attachment_ids: uuids,
  attachment_lost: fc.boolean(),
  attachment_required: fc.boolean(),
  card_last_digits: fc.option(fc.constant('1234')),
  is_external: fc.boolean(),
  emitted_at: time,
  created_at: time,
  updated_at: time,
}) // biome-ignore format: a column a line

test('a row that a list writes in one pass is, byte for byte, what a single transaction shows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), fc.boolean(), async (rows, isEmbedding) => {
      await db.admin.query('truncate feed.transaction, feed.transaction_label, feed.feed_count')
      const columns = Object.keys(rows[0] as object)
      for (const [index, one] of rows.entries()) {
        const values = columns.map((column) => one[column as keyof typeof one])
        const { rows: made } = await db.admin.query(
          `insert into feed.transaction (id, organization_id, bank_account_id, subject_kind, subject_id, settled_at, ${columns.join()})
           values (gen_random_uuid(), $1, $2, 'test', gen_random_uuid(), $3, ${columns.map((_, at) => `$${at + 4}`).join()}) returning id`,
          [company.id, company.accounts[0].id, one.status === 'completed' ? one.emitted_at : null, ...values],
        )
        for (const label of LABELS.slice(0, index % 3))
          await db.admin.query('insert into feed.transaction_label (transaction_id, label_id, organization_id) values ($1, $2, $3)', [
            made[0].id, label, company.id,
          ]) // biome-ignore format: one statement
      }
      const wanted = isEmbedding ? (['labels', 'attachments', 'vat_details'] as const) : []
      const { list, shown } = await db.database.read(
        asMember(company.id),
        async (tx) => {
          const page = await pageOfTransactions(
            tx,
            { id: company.accounts[0].id },
            {
              organizationId: company.id, statuses: ['pending', 'declined', 'completed'], operationTypes: [],
              updatedAt: {}, emittedAt: {}, settledAt: {}, createdAt: {},
            }, // biome-ignore format: all
            { sort: { by: 'emitted_at', direction: 'asc' }, offset: 0, limit: 100 },
          )
          if (!page) throw new Error('no account')
          const included = await readIncluded(tx, company.id, page.rows, wanted)
          const found = await findTransactions(
            tx,
            company.id,
            page.rows.map((each) => each.get('id')),
          )
          return {
            list: page.rows.map((each) => transactionText(each, page.slugPrefix, included).text),
            shown: found.map((each) => JSON.stringify(transactionToWire(each, included))),
          }
        },
        { snapshot: true, pipelined: true },
      )
      expect(list).toHaveLength(rows.length)
      expect(list).toEqual(shown)
    }),
    { numRuns: 25 },
  )
})
