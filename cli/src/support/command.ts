import { format } from 'node:util'
import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'

/** 0 done · 1 refused or mismatch. (2, wrong use, is thrown as `WrongUse` or found by commander.) */
export type ExitCode = 0 | 1

/** Options that every command has. */
export type CommonOptions = { readonly data?: string; readonly json?: boolean }

/**
 * Where a command speaks. Standard output carries the result alone: text for people, or with `--json` one document. All else goes to
 * standard error.
 */
export type Output = {
  readonly json: boolean
  /** The result. Called once, at the end: `document` is printed with `--json`, `text` without. */
  result(document: unknown, text: string): void
  /** A word about what is being done; silent with `--json`. */
  note(message: string): void
  /** A progress bar; silent with `--json` and where standard error is no terminal. */
  bar(total: number, unit: string): { update(done: number): void; stop(): void }
}

/**
 * Adds `--data`, `--json` and the examples to a command, and its work.
 *
 * @param work gets the command's arguments and options; its exit code becomes the process's. Throw `Refusal` to end with a message.
 */
export function defineAction<Options extends CommonOptions>(
  command: Command,
  examples: readonly string[],
  work: (args: readonly string[], options: Options, output: Output) => Promise<ExitCode>,
): void {
  command
    .option('--data <folder>', 'data folder (default: PARTITA_DATA, else .data in the clone)')
    .option('--json', 'print one JSON document on standard output and nothing else')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}`).join('\n')}`)
    .action(async () => {
      const options = command.opts<Options>()
      process.exitCode = await work(command.args, options, makeOutput(options.json === true))
    })
}

function makeOutput(json: boolean): Output {
  return {
    json,
    result: (document, text) => {
      process.stdout.write(json ? `${JSON.stringify(document, plainNumbers)}\n` : text.endsWith('\n') ? text : `${text}\n`)
    },
    note: (message) => {
      if (!json) process.stderr.write(`${message}\n`)
    },
    bar: (total, unit) => (json || !process.stderr.isTTY ? { update: () => {}, stop: () => {} } : terminalBar(total, unit)),
  }
}

function terminalBar(total: number, unit: string): ReturnType<Output['bar']> {
  const text = format('{bar} {percentage}%% {value}/{total} %s, {eta_formatted} left', unit)
  const bar = new SingleBar({ format: text, stream: process.stderr, hideCursor: true, clearOnComplete: true, fps: 10 })
  bar.start(total, 0)
  const stop = () => bar.stop()
  process.once('exit', stop) // an interrupted command must not leave the terminal without a cursor
  return {
    update: (done) => bar.update(done),
    stop: () => {
      process.off('exit', stop)
      stop()
    },
  }
}

/** JSON has no bigint: a number while it is exact as one, else text. */
const plainNumbers = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? (Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()) : value
