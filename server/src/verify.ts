import { verifyAccounts } from './modules/accounts/index.ts'
import { verifyLedger } from './modules/ledger/index.ts'
import { verifyPayments } from './modules/payments/index.ts'
import type { Database } from './platform/postgres/database.ts'

/** One proof: its name, how often it fails, and the first few cases as text for a person. */
export type BankCheck = { readonly name: string; readonly violations: number; readonly examples: readonly string[] }

export type BankReport = {
  /** Whether every check holds; warnings don't count. */
  readonly ok: boolean
  readonly checks: readonly BankCheck[]
  /** Only those that have something to say: the books are right, but somebody should look. */
  readonly warnings: readonly BankCheck[]
  /** How many ledger entries (two per transfer) were looked at. */
  readonly entries: number
  readonly seconds: number
}

/** Proves the books of the whole bank: the ledger by itself, then what accounts and payments say of it. Changes nothing. */
export async function verifyBank(database: Database): Promise<BankReport> {
  const startedAt = performance.now()
  const ledger = await verifyLedger(database)
  // One snapshot for both: a bank that goes on working meanwhile must not look torn.
  const others = await database.read('system', async (tx) => {
    await tx.query('set transaction isolation level repeatable read')
    await tx.query('set local statement_timeout = 0')
    return [...(await verifyAccounts(tx)), ...(await verifyPayments(tx))]
  })
  const plain = ({ name, violations, examples }: BankCheck): BankCheck => ({ name, violations, examples })
  const checks = [...ledger.checks, ...others.filter((check) => !check.isWarning)].map(plain)
  const warnings = others.filter((check) => check.isWarning && check.violations > 0).map(plain)
  if (ledger.forcedOverdrafts > 0) warnings.push({ name: 'forced_overdrafts', violations: ledger.forcedOverdrafts, examples: [] })
  return {
    ok: checks.every((check) => check.violations === 0),
    checks,
    warnings,
    entries: ledger.entries,
    seconds: Math.round(performance.now() - startedAt) / 1_000,
  }
}
