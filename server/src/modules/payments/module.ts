import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { bankSettings } from '../accounts/index.ts'
import { MoneyLane } from '../ledger/index.ts'
import { tellDemoPayments } from './demo/index.ts'
import { EVENTS } from './events.ts'
import { createInternalTransfer } from './operations/create-internal-transfer.ts'
import { getClock } from './operations/get-clock.ts'
import { moveClock } from './operations/move-clock.ts'
import { simulateIncomingTransfer } from './operations/simulate-incoming-transfer.ts'
import { paymentPasses } from './passes.ts'
import { PAYMENT_SUBJECTS } from './queries/payment-subjects.ts'
import { verifyPayments } from './queries/verify-payments.ts'
import { httpRail, httpRailSandbox } from './rail.ts'
import { paymentSettings } from './settings.ts'

export default defineModule({
  name: 'payments',
  migrations: join(import.meta.dirname, 'migrations'),
  settings: paymentSettings,
  events: EVENTS,
  permissions: { 'transfers.order': { describe: 'Order transfers.', roles: ['owner', 'admin', 'manager'] } },
  subjects: PAYMENT_SUBJECTS,
  checks: [{ name: 'payments', prove: verifyPayments }],
  create: ({ config, database, clock }) => {
    const { railsUrl } = config.of(paymentSettings)
    const moneyLane = new MoneyLane(database)
    return {
      operations: [createInternalTransfer(moneyLane)],
      sandboxOperations: [simulateIncomingTransfer(httpRailSandbox(railsUrl, clock)), getClock(clock), moveClock(clock)],
      passes: paymentPasses({ database, clock, rail: httpRail(railsUrl, clock), bank: config.of(bankSettings) }),
      demo: tellDemoPayments,
      drain: () => moneyLane.drain(),
    }
  },
})
