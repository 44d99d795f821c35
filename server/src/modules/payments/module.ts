import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { bankSettings } from '../accounts/index.ts'
import { MoneyLane } from '../ledger/index.ts'
import { EVENTS } from './events.ts'
import { paymentsHttp, simulationHttp } from './http.ts'
import { paymentPasses } from './passes.ts'
import { verifyPayments } from './queries/verify-payments.ts'
import { httpRail, httpRailSandbox } from './rail.ts'
import { paymentSettings } from './settings.ts'

export default defineModule({
  name: 'payments',
  migrations: join(import.meta.dirname, 'migrations'),
  settings: paymentSettings,
  events: EVENTS,
  checks: [{ name: 'payments', prove: verifyPayments }],
  create: ({ config, database, clock }) => {
    const { railsUrl } = config.of(paymentSettings)
    const moneyLane = new MoneyLane(database)
    return {
      routes: (app) => paymentsHttp(app, { clock, database, moneyLane }),
      sandboxRoutes: (app) => simulationHttp(app, { clock, rail: httpRailSandbox(railsUrl, clock) }),
      passes: paymentPasses({ database, clock, rail: httpRail(railsUrl, clock), bank: config.of(bankSettings) }),
      drain: () => moneyLane.drain(),
    }
  },
})
