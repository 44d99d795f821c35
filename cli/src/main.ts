import { Command, CommanderError } from 'commander'
import { WrongUse } from './support/refusal.ts'

/**
 * Every command of `partita`. Its file, `commands/<name>.ts`, is read only when it is called, so it may import what it likes; it
 * exports `define(command)`, which adds arguments, options, examples and the action (see support/command.ts).
 */
const COMMANDS: readonly { name: string; summary: string }[] = [
  { name: 'start', summary: 'start the bank: PostgreSQL, api, worker and simulated rails' },
  { name: 'demo', summary: "show the demo company's address, key and accounts" },
  { name: 'seed', summary: 'fill the bank with the demo company, or with many' },
  { name: 'replay', summary: 'post a real bank history row by row and compare every balance' },
  { name: 'import', summary: 'read bank files (camt, MT940, OFX, CSV) into the books' },
  { name: 'pay', summary: 'execute a payment file (pain.001) and answer it (pain.002)' },
  { name: 'statement', summary: "write an account's statement as camt.053, MT940, CSV or PDF" },
  { name: 'verify', summary: 'prove the books: balances, versions, floors, holds, keys' },
  { name: 'worker', summary: 'see how the worker goes, and take up or close what it could not do' },
  { name: 'events', summary: 'see who takes the events, and retry, skip or replay what failed' },
  { name: 'bench', summary: 'measure the ledger and the API on this machine' },
  { name: 'test', summary: 'run every check of the project, as CI does' },
  { name: 'proof', summary: 'run what takes longer: load, faults, millions of random cases' },
]

type CommandFile = { define(command: Command): void }

const EXIT_REFUSED = 1
const EXIT_WRONG_USE = 2
const EXIT_SCHEMA = 3

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error // `partita … | head` has seen enough
})
process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const program = new Command('partita')
    .description('A business bank on one machine: accounts, SEPA payments and double-entry books.')
    .version('0.1.0')
    .exitOverride()
    .showHelpAfterError('(add --help for the options and examples)')
    .addHelpText(
      'after',
      `
Environment:
  PARTITA_DATA   data folder (default: .data in the clone); --data goes before it
  PARTITA_PORT   port of the API (default: 4100)
  DATABASE_URL   use this PostgreSQL 18 instead of the one that comes with Partita
  PARTITA_DEBUG  set to 1 to see stack traces

Exit codes: 0 done, 1 refused or mismatch, 2 wrong use, 3 a database of a newer release. With --json an error is one document too: {"error":"…"}`,
    )
  const called = calledCommand(args)
  for (const { name, summary } of COMMANDS) {
    const command = program.command(name).description(summary).copyInheritedSettings(program)
    if (name === called) ((await import(`./commands/${name}.ts`)) as CommandFile).define(command)
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error, args.includes('--json'))
  }
}

/** The first word that is no option; `partita help verify` asks about `verify`. */
function calledCommand(args: readonly string[]): string | undefined {
  const words = args.filter((arg) => !arg.startsWith('-'))
  return words[0] === 'help' ? words[1] : words[0]
}

/** Tells what went wrong in one place: on standard error, and with `--json` as the one document on standard output. @returns the exit code. */
function report(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) {
    // Commander has printed its text. Help and version were asked for; `partita` alone was not a question.
    const isHelpInsteadOfWork = error.code === 'commander.help' && !process.argv.includes('help')
    if (error.exitCode === 0 && !isHelpInsteadOfWork) return 0
    if (json) printError(error.message.replace(/^error: /, ''))
    return EXIT_WRONG_USE
  }
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`partita: ${message}\n`)
  if (process.env.PARTITA_DEBUG === '1' && error instanceof Error)
    process.stderr.write(`${error.stack}\n${String(error.cause ?? '')}\n`)
  if (json) printError(message)
  if (error instanceof Error && error.name === 'SchemaUnfit') return EXIT_SCHEMA // its class is loaded by commands that need a database
  return error instanceof WrongUse ? EXIT_WRONG_USE : EXIT_REFUSED
}

function printError(message: string): void {
  process.stdout.write(`${JSON.stringify({ error: message })}\n`)
}
