import { findBoundaryViolations } from './boundary-run.ts'
import { listSources, ROOT } from './source-files.ts'

/** Runs the rules of .dependency-cruiser.mjs, and fails when they have not seen every source file. */
const sources = listSources()
const folders = [...new Set(sources.map((file) => file.path.split('/')[0] ?? ''))]
const { modules, summary } = await findBoundaryViolations(ROOT, folders)
for (const { rule, from, to } of summary.violations) process.stdout.write(`${rule.name}: ${from} → ${to}\n`)

const seen = new Set(modules.map((module) => module.source))
const unseen = sources.filter((file) => !seen.has(file.path))
for (const { path } of unseen) process.stdout.write(`not looked at: ${path}\n`)
process.stdout.write(
  `boundaries: ${seen.size} modules, ${summary.totalDependenciesCruised} dependencies, ${summary.violations.length} violations\n`,
)
process.exitCode = summary.violations.length > 0 || unseen.length > 0 || sources.length === 0 ? 1 : 0
