/** Account statement files, in and out, as pure functions. What each problem code means stands in ../README.md. */
export { isoCodeOf } from './business-codes.ts'
export type { CsvMapping } from './csv-mapping.ts'
export { canonicalDecimal, toMinor } from './decimal.ts'
export { entryIdentities } from './identity.ts'
export { noStatement, type ParseOptions, parseStatementFile } from './parse.ts'
export type { StatementProblem, StatementProblemCode } from './problems.ts'
export type { StatementDocument, StatementDocumentEntry, StatementEntryKind } from './statement-document.ts'
export type {
  Counterparty,
  CsvReading,
  Decimal,
  EntryDetail,
  EntryFacts,
  EntryReferences,
  EntryStatus,
  ParsedEntry,
  ParsedStatement,
  ParsedStatementFile,
  StatementAccount,
  StatementBalance,
} from './types.ts'
export { writeCamt053 } from './write-camt053.ts'
export { writeCsv } from './write-csv.ts'
export { writeMt940 } from './write-mt940.ts'
export { writePdf } from './write-pdf.ts'
