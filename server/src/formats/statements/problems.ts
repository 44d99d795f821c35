/** Something in the file that its reader should know of, at a line of the file (one-based; in CSV the line of the row). */
export type StatementProblem = Readonly<{ code: StatementProblemCode; line: number; message: string }>

export type StatementProblemCode = (typeof STATEMENT_REFUSALS)[number] | (typeof STATEMENT_PROBLEMS)[number]

/** Why a file is refused as a whole. Each is explained in ../README.md. */
export const STATEMENT_REFUSALS = [
  'empty_file',
  'too_large',
  'unknown_format',
  'unsupported_version',
  'document_type_forbidden',
  'too_deep',
  'too_many_elements',
  'too_many_attributes',
  'encoding_unknown',
  'encoding_broken',
  'not_well_formed',
  'truncated',
  'no_statements',
  'bank_error',
  'account_missing',
  'currency_missing',
  'amount_missing',
  'amount_malformed',
  'direction_missing',
  'date_missing',
  'line_malformed',
  'mapping_invalid',
  'mapping_column_missing',
] as const

/** What was found or mended in a file that is read nevertheless. Each is explained in ../README.md. */
export const STATEMENT_PROBLEMS = [
  'encoding_mismatch',
  'encoding_assumed',
  'control_characters_replaced',
  'leading_space_skipped',
  'namespace_prefix_undeclared',
  'namespace_missing',
  'version_untested',
  'group_header_missing',
  'iban_invalid',
  'currency_assumed',
  'currency_mismatch',
  'status_assumed',
  'transaction_code_unknown',
  'transaction_code_missing',
  'date_corrected',
  'date_assumed',
  'date_ignored',
  'balance_ignored',
  'opening_balance_missing',
  'closing_balance_missing',
  'does_not_reconcile',
  'totals_differ',
  'batch_differs',
  'read_as_sgml',
  'tag_unknown',
  'text_ignored',
  'amount_without_comma',
  'amount_ambiguous',
  'entries_skipped',
  'column_unknown',
  'statement_skipped',
  'statement_repeated',
] as const

/** Ends the reading of a file; `parseStatementFile` turns it into a value, so it never leaves this folder. */
export class StatementRefused extends Error {
  readonly problem: StatementProblem
  constructor(code: (typeof STATEMENT_REFUSALS)[number], line: number, message: string) {
    super(message)
    this.problem = { code, line, message }
  }
}

/** How many problems of one code are listed; a file of a bank that always errs the same way would list thousands. */
const LISTED_PER_CODE = 20

/** Gathers problems in the order in which they are found. */
export class ProblemList {
  readonly #listed: StatementProblem[] = []
  readonly #counts = new Map<StatementProblemCode, number>()

  add(code: (typeof STATEMENT_PROBLEMS)[number], line: number, message: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    if (count <= LISTED_PER_CODE) this.#listed.push({ code, line, message })
  }

  /** The listed ones, then one line for each code of which more were found. */
  all(): StatementProblem[] {
    const more: StatementProblem[] = []
    for (const [code, count] of this.#counts) {
      const last = this.#listed.findLast((p) => p.code === code)
      if (count > LISTED_PER_CODE && last)
        more.push({ code, line: last.line, message: `and ${count - LISTED_PER_CODE} more of this kind` })
    }
    return [...this.#listed, ...more]
  }
}

/** A piece of the file inside a message: short, and without what would disturb a terminal or a log. */
export function quoted(text: string): string {
  const plain = text.replace(/[^\P{C}]+/gu, ' ').trim()
  return `"${plain.length > 60 ? `${plain.slice(0, 57)}...` : plain}"`
}
