import { listSources } from './source-files.ts'
import { findViolations } from './tidy-rules.ts'

const FILES_MIN = 100

/** Habits that no linter knows: see tidy-rules.ts. */
const files = listSources()
const violations = files.flatMap(findViolations)
for (const { path, line, rule, instead } of violations) process.stdout.write(`${path}:${line}  ${rule}: use ${instead}\n`)
process.stdout.write(`tidy: ${files.length} files, ${violations.length} violations\n`)
// A check that has seen nothing proves nothing.
process.exitCode = violations.length > 0 || files.length < FILES_MIN ? 1 : 0
