import type { BankReport } from '../../../server/src/verify.ts'

const wholeNumber = new Intl.NumberFormat('en')

/** The proof for a person: what was proven, and what is wrong. */
export function verifyText(report: BankReport): string {
  const lines: string[] = []
  for (const { name, violations, examples } of report.checks.filter((check) => check.violations > 0)) {
    lines.push(`VIOLATED  ${name}: ${violations}`, ...examples.map((example) => `            ${example}`))
  }
  for (const { name, violations, examples } of report.warnings) {
    lines.push(`warning   ${name}: ${violations}`, ...examples.map((example) => `            ${example}`))
  }
  const violated = report.checks.filter((check) => check.violations > 0).length
  const looked = `${report.checks.length} checks over ${wholeNumber.format(report.entries)} entries in ${report.seconds} s`
  lines.push(report.ok ? `The books are right: ${looked}` : `The books are WRONG: ${violated} of ${looked} found something`)
  return lines.join('\n')
}
