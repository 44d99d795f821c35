import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { chore } from '../../platform/passes/pass.ts'
import { bankSettings } from '../accounts/index.ts'
import { MoneyLane } from '../ledger/index.ts'
import { EVENTS } from './events.ts'
import { paymentsHttp, simulationHttp } from './http.ts'
import { openHomeBook, PAYMENT_PASSES, paymentPasses } from './passes.ts'
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
    const passes = once(async () => {
      const homeBook = await openHomeBook(database, clock.now())
      return paymentPasses({ database, clock, homeBook, rail: httpRail(railsUrl, clock), bank: config.of(bankSettings) })
    })
    return {
      routes: (app) => paymentsHttp(app, { clock, database, moneyLane }),
      sandboxRoutes: (app) => simulationHttp(app, { clock, rail: httpRailSandbox(railsUrl, clock) }),
      passes: PAYMENT_PASSES.map((name) =>
        chore({ name: `payments.${name}`, describe: 'Moves payments', everyMs: 200, run: async () => (await passes())[name]() }),
      ),
      drain: () => moneyLane.drain(),
    }
  },
})

/** Makes it when it is first wanted, and again when that failed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error) => {
      made = undefined
      throw error
    })
    return made
  }
}
