import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { maskIban } from '../../formats/payments/iban.ts'
import { assert } from '../../platform/assert.ts'
import { atParameter, HttpRefusal, notFound } from '../../platform/http/api-error.ts'
import { describeOperation, IdParams } from '../../platform/http/openapi.ts'
import { MetaSchema, metaOf, offsetOf } from '../../platform/http/paging.ts'
import { boolean, defineQuery, instants, listOf, oneOf, openListOf, paging, sortBy, text } from '../../platform/http/query.ts'
import { asId, type Id } from '../../platform/ids.ts'
import type { Database, Tx } from '../../platform/postgres/database.ts'
import { findOrganization } from '../team/index.ts'
import { OPERATION_TYPES, TRANSACTION_SIDES, TRANSACTION_STATUSES } from './domain/transaction.ts'
import { allAccounts, findAccount, pageOfAccounts } from './queries/bank-accounts.ts'
import { findTransaction, type Transaction } from './queries/find-transaction.ts'
import { findLabels, listLabels } from './queries/labels.ts'
import { listTransactions, TRANSACTION_SORTS } from './queries/list-transactions.ts'
import {
  BankAccountSchema,
  bankAccountToWire,
  LabelSchema,
  labelToWire,
  OrganizationSchema,
  organizationToWire,
  TransactionSchema,
  transactionToWire,
} from './wire.ts'

type Dependencies = { readonly database: Database }

/** Everything that an organization reads about its accounts and what happened on them. */
export function feedHttp(app: FastifyInstance, { database }: Dependencies): void {
  organizationRoutes(app, database)
  bankAccountRoutes(app, database)
  transactionRoutes(app, database)
  labelRoutes(app, database)
}

const idOf = <Kind extends string>(request: FastifyRequest) => asId<Kind>((request.params as { id: string }).id)

function organizationRoutes(app: FastifyInstance, database: Database): void {
  const query = defineQuery({ include_external_accounts: boolean(false, 'Also list connected accounts at other banks.') })
  const answer = Type.Object({ organization: OrganizationSchema })
  const read = (request: FastifyRequest) => {
    const { include_external_accounts } = query.read(request.query)
    const { organizationId } = request.principal
    return database.read({ organizationId }, async (tx) => {
      const organization = await findOrganization(tx, organizationId)
      assert(organization, 'a credential belongs to an organization that is not there')
      return {
        organization: organizationToWire(organization, await allAccounts(tx, organizationId, include_external_accounts)),
      }
    })
  }
  const shared = { tag: 'Organizations', scope: 'organization.read', query: query.schema, answer }
  app.get(
    '/v2/organization',
    describeOperation({
      operationId: 'getOrganization',
      summary: 'The organization of the credential, and its accounts.',
      ...shared,
    }),
    read,
  )
  app.get(
    '/v2/organizations/:id',
    describeOperation({
      operationId: 'getOrganizationBySlug',
      summary: 'The same, addressed by slug.',
      deprecated: true,
      params: IdParams,
      errors: [404, 422],
      ...shared,
    }),
    async (request) => {
      const found = await read(request)
      const asked = (request.params as { id: string }).id
      if (asked !== found.organization.slug && asked !== found.organization.id) throw notFound('Organization')
      return found
    },
  )
}

function bankAccountRoutes(app: FastifyInstance, database: Database): void {
  const query = defineQuery({
    ...paging,
    include_external_accounts: boolean(false, 'Also list connected accounts at other banks.'),
  })
  app.get(
    '/v2/bank_accounts',
    describeOperation({
      operationId: 'listBankAccounts',
      tag: 'Bank accounts',
      summary: 'List the organization’s accounts, the main one first.',
      scope: 'organization.read',
      query: query.schema,
      answer: Type.Object({ bank_accounts: Type.Array(BankAccountSchema), meta: MetaSchema }),
    }),
    async (request) => {
      const asked = query.read(request.query)
      const { organizationId } = request.principal
      const page = { withExternal: asked.include_external_accounts, limit: asked.per_page, offset: offsetOf(asked) }
      const { accounts, count } = await database.read({ organizationId }, (tx) => pageOfAccounts(tx, organizationId, page))
      return {
        bank_accounts: accounts.map((account) => bankAccountToWire(account, maskIban(account.iban ?? ''))),
        meta: metaOf(asked, count),
      }
    },
  )
  app.get(
    '/v2/bank_accounts/:id',
    describeOperation({
      operationId: 'getBankAccount',
      tag: 'Bank accounts',
      summary: 'One account.',
      scope: 'organization.read',
      params: IdParams,
      answer: Type.Object({ bank_account: BankAccountSchema }),
      errors: [404],
    }),
    async (request) => {
      const id = idOf<'bank_account'>(request)
      const { organizationId } = request.principal
      const account = id && (await database.read({ organizationId }, (tx) => findAccount(tx, organizationId, id)))
      if (!account) throw notFound('Bank account')
      return { bank_account: bankAccountToWire(account, maskIban(account.iban ?? '')) }
    },
  )
}

const includes = listOf(['vat_details', 'labels', 'attachments'], [], 'What to embed in each transaction.')

const transactionsQuery = defineQuery({
  bank_account_id: text('The account whose feed is wanted. This or iban is required; this one wins.'),
  iban: text('The same, by IBAN.'),
  includes,
  status: listOf(TRANSACTION_STATUSES, ['completed'], 'Only these statuses.'),
  ...instants('updated_at'),
  ...instants('emitted_at'),
  ...instants('settled_at'),
  ...instants('created_at'),
  side: oneOf(TRANSACTION_SIDES, 'Only this side.'),
  operation_type: openListOf(OPERATION_TYPES, 'Only these operation types.'),
  with_attachments: boolean(undefined, 'true: only transactions with attachments; false: only those without.'),
  sort_by: sortBy(TRANSACTION_SORTS, 'settled_at', 'desc'),
  ...paging,
})
const transactionQuery = defineQuery({ includes })

function transactionRoutes(app: FastifyInstance, database: Database): void {
  app.get(
    '/v2/transactions',
    describeOperation({
      operationId: 'listTransactions',
      tag: 'Transactions',
      summary: 'List an account’s transactions.',
      description: 'Completed ones unless status[] says otherwise, the latest settled first unless sort_by says otherwise.',
      scope: 'organization.read',
      query: transactionsQuery.schema,
      answer: Type.Object({ transactions: Type.Array(TransactionSchema), meta: MetaSchema }),
      errors: [404, 422],
    }),
    async (request) => {
      const query = transactionsQuery.read(request.query)
      if (query.bank_account_id === undefined && query.iban === undefined) {
        throw new HttpRefusal(422, [{ code: 'missing', detail: 'bank_account_id or iban is missing' }])
      }
      const { organizationId } = request.principal
      return database.read({ organizationId }, async (tx) => {
        const filter = {
          organizationId,
          statuses: query.status,
          side: query.side,
          operationTypes: query.operation_type,
          withAttachments: query.with_attachments,
          updatedAt: { from: query.updated_at_from, to: query.updated_at_to },
          emittedAt: { from: query.emitted_at_from, to: query.emitted_at_to },
          settledAt: { from: query.settled_at_from, to: query.settled_at_to },
          createdAt: { from: query.created_at_from, to: query.created_at_to },
        }
        const page = { sort: query.sort_by, offset: offsetOf(query), limit: query.per_page }
        const found = await listTransactions(tx, { id: query.bank_account_id, iban: query.iban }, filter, page)
        if (!found) throw accountNotFound(query.bank_account_id === undefined ? 'iban' : 'bank_account_id')
        return {
          transactions: await toWire(tx, organizationId, found.transactions, query.includes),
          meta: metaOf(query, found.count),
        }
      })
    },
  )
  app.get(
    '/v2/transactions/:id',
    describeOperation({
      operationId: 'getTransaction',
      tag: 'Transactions',
      summary: 'One transaction.',
      scope: 'organization.read',
      params: IdParams,
      query: transactionQuery.schema,
      answer: Type.Object({ transaction: TransactionSchema }),
      errors: [404, 422],
    }),
    async (request) => {
      const query = transactionQuery.read(request.query)
      const id = idOf<'transaction'>(request)
      const { organizationId } = request.principal
      if (!id) throw notFound('Transaction')
      return database.read({ organizationId }, async (tx) => {
        const transaction = await findTransaction(tx, organizationId, id)
        if (!transaction) throw notFound('Transaction')
        const [wire] = await toWire(tx, organizationId, [transaction], query.includes)
        return { transaction: wire }
      })
    },
  )
}

const accountNotFound = (parameter: string) =>
  new HttpRefusal(404, [atParameter('not_found', 'Bank account not found', parameter)])

async function toWire(
  tx: Tx,
  organizationId: Id<'organization'>,
  transactions: readonly Transaction[],
  wanted: readonly string[],
) {
  const labels = wanted.includes('labels')
    ? await findLabels(
        tx,
        organizationId,
        transactions.flatMap((transaction) => transaction.labelIds),
      )
    : undefined
  const included = { labels, attachments: wanted.includes('attachments'), vatDetails: wanted.includes('vat_details') }
  return transactions.map((transaction) => transactionToWire(transaction, included))
}

function labelRoutes(app: FastifyInstance, database: Database): void {
  const query = defineQuery(paging)
  app.get(
    '/v2/labels',
    describeOperation({
      operationId: 'listLabels',
      tag: 'Labels',
      summary: 'List the organization’s labels, oldest first.',
      description: 'Labels form lists: a label’s parent is the list that it belongs to.',
      scope: 'organization.read',
      query: query.schema,
      answer: Type.Object({ labels: Type.Array(LabelSchema), meta: MetaSchema }),
    }),
    async (request) => {
      const asked = query.read(request.query)
      const { organizationId } = request.principal
      const page = { limit: asked.per_page, offset: offsetOf(asked) }
      const { labels, count } = await database.read({ organizationId }, (tx) => listLabels(tx, organizationId, page))
      return { labels: labels.map(labelToWire), meta: metaOf(asked, count) }
    },
  )
  app.get(
    '/v2/labels/:id',
    describeOperation({
      operationId: 'getLabel',
      tag: 'Labels',
      summary: 'One label.',
      scope: 'organization.read',
      params: IdParams,
      answer: Type.Object({ label: LabelSchema }),
      errors: [404],
    }),
    async (request) => {
      const id = idOf<'label'>(request)
      const { organizationId } = request.principal
      const label = id && (await database.read({ organizationId }, (tx) => findLabels(tx, organizationId, [id]))).get(id)
      if (!label) throw notFound('Label')
      return { label: labelToWire(label) }
    },
  )
}
