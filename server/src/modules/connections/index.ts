import type { ToldByBanks } from '../feed/index.ts'
import { entryFacts } from './queries/entry-facts.ts'
import { missingMovements } from './queries/missing-movements.ts'

/** The connections' door: accounts at other banks, and histories of other books. Their money is not ours: nothing is ever paid from it. */
export { type ImportOutcome, importStatementFile } from './commands/import-statement-file.ts'
export { type ReplayRow, readReplayFile } from './commands/replay-file.ts'
export { type ReplayHistory, type ReplayRefusal, type ReplayReport, replayHistory } from './commands/replay-history.ts'
export type { ImportProblem } from './domain/import-problems.ts'
export { fileContent, findImportedFile, type ImportedFile, importedFiles } from './queries/imported-files.ts'

/** What a statement of ours for a connected account takes from its bank's. */
export const toldByBanks: ToldByBanks = { missing: missingMovements, facts: entryFacts }
