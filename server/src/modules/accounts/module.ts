import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { openDemoAccounts } from './demo.ts'
import { verifyAccounts } from './queries/verify-accounts.ts'
import { bankSettings } from './settings.ts'

export default defineModule({
  name: 'accounts',
  migrations: join(import.meta.dirname, 'migrations'),
  settings: bankSettings,
  checks: [{ name: 'accounts', prove: verifyAccounts }],
  create: ({ config }) => ({ demo: (ctx, tx, company) => openDemoAccounts(ctx, tx, company, config.of(bankSettings)) }),
})
