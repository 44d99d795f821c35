import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { createDemoLabels } from './demo.ts'
import { EVENTS } from './events.ts'
import { getBankAccount } from './operations/get-bank-account.ts'
import { getLabel } from './operations/get-label.ts'
import { getOrganization, getOrganizationBySlug, getOrganizationBySlugV1 } from './operations/get-organization.ts'
import { getTransaction } from './operations/get-transaction.ts'
import { listBankAccounts } from './operations/list-bank-accounts.ts'
import { listLabels } from './operations/list-labels.ts'
import { listTransactions } from './operations/list-transactions.ts'
import { FEED_PERMISSIONS } from './operations/permissions.ts'
import { rowSubject } from './queries/row-subjects.ts'
import { verifyFeed } from './queries/verify-feed.ts'

export default defineModule({
  name: 'feed',
  migrations: join(import.meta.dirname, 'migrations'),
  events: EVENTS,
  checks: [{ name: 'feed', prove: verifyFeed }],
  permissions: FEED_PERMISSIONS,
  subjects: [rowSubject('demo_movement', 'Movement of the demo company')],
  create: () => ({
    operations: [
      getOrganization,
      getOrganizationBySlug,
      getOrganizationBySlugV1,
      listBankAccounts,
      getBankAccount,
      listTransactions,
      getTransaction,
      listLabels,
      getLabel,
    ],
    demo: createDemoLabels,
  }),
})
