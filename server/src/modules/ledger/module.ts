import { join } from 'node:path'
import { type Check, defineModule } from '../../platform/module.ts'
import { ledgerPasses } from './passes.ts'
import { verifyLedger } from './queries/verify-ledger.ts'

const proof: Check = {
  name: 'ledger',
  proveAlone: async (database) => {
    const { checks, entries, forcedOverdrafts } = await verifyLedger(database)
    const overdrafts = { name: 'forced_overdrafts', violations: forcedOverdrafts, examples: [], isWarning: true }
    return { proofs: [...checks, overdrafts], entries }
  },
}

export default defineModule({
  name: 'ledger',
  migrations: join(import.meta.dirname, 'migrations'),
  checks: [proof],
  create: () => ({ passes: ledgerPasses() }),
})
