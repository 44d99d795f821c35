/** Something the user can mend: shown as one line on stderr without a stack trace; the command ends with exit code 1. */
export class Refusal extends Error {
  override name = 'Refusal'
}

/** The command line makes no sense: exit code 2. */
export class WrongUse extends Error {
  override name = 'WrongUse'
}

/** Several things that the user can mend, one a line. */
export const refusalOf = (what: string, problems: readonly string[]): Refusal =>
  new Refusal(`${what}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
