import { partita } from './bank.ts'
import { systemActor } from './platform/actor.ts'
import type { Check, Module, Proof } from './platform/module.ts'
import { proveNothingStuck } from './platform/passes/cases.ts'
import type { Database } from './platform/postgres/database.ts'

export type BankReport = {
  /** Whether every check holds; warnings don't count. */
  readonly ok: boolean
  readonly checks: readonly Proof[]
  /** Only those that have something to say: the books are right, but somebody should look. */
  readonly warnings: readonly Proof[]
  /** How many ledger entries (two per transfer) were looked at. */
  readonly entries: number
  readonly seconds: number
}

/** Proves the books of the whole bank: what each module says of them. Changes nothing. */
export async function verifyBank(database: Database, modules: readonly Module[] = partita.modules): Promise<BankReport> {
  const startedAt = performance.now()
  const checks = modules.flatMap((module) => module.checks ?? [])
  const proofs: Proof[] = []
  let entries = 0
  for (const check of checks) {
    if (!('proveAlone' in check)) continue
    const alone = await check.proveAlone(database)
    proofs.push(...alone.proofs)
    entries += alone.entries
  }
  proofs.push(...(await proveTogether(database, checks)))
  const plain = ({ name, violations, examples }: Proof): Proof => ({ name, violations, examples })
  const firm = proofs.filter((proof) => !proof.isWarning).map(plain)
  return {
    ok: firm.every((proof) => proof.violations === 0),
    checks: firm,
    warnings: proofs.filter((proof) => proof.isWarning && proof.violations > 0).map(plain),
    entries,
    seconds: Math.round(performance.now() - startedAt) / 1_000,
  }
}

/** One snapshot for all of them: a bank that goes on working meanwhile must not look torn. */
const proveTogether = (database: Database, checks: readonly Check[]): Promise<Proof[]> =>
  database.read(systemActor('platform.verify'), async (tx) => {
    await tx.query('set transaction isolation level repeatable read')
    await tx.query('set local statement_timeout = 0')
    const proofs: Proof[] = [await proveNothingStuck(tx)]
    for (const check of checks) if ('prove' in check) proofs.push(...(await check.prove(tx)))
    return proofs
  })
