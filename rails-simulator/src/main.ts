import { Command, InvalidArgumentError } from 'commander'
import { buildApp } from './core/app.ts'
import { forgetfulJournal, openJournal } from './core/journal.ts'
import { Simulator } from './core/simulator.ts'
import { SCHEMES } from './schemes.ts'

const port = (text: string): number => {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= 65_535)) throw new InvalidArgumentError('a port is a whole number from 0 to 65535')
  return value
}

const program = new Command('partita-rails')
  .description('The payment rails that a bank talks to: ISO 20022 over HTTP')
  .option('--port <port>', 'where to listen; 0 takes a free port', port, 0)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--seed <text>', 'all identifiers and delays follow from it', 'partita')
  .option('--journal <file>', 'append-only memory; without it everything is forgotten at the end')
  .parse()

const options = program.opts<{ port: number; host: string; seed: string; journal?: string }>()

async function main(): Promise<void> {
  const { journal, lines } =
    options.journal === undefined ? { journal: forgetfulJournal, lines: [] } : openJournal(options.journal, options.seed)
  const simulator = new Simulator({ seed: options.seed, schemes: SCHEMES, journal, lines })
  const app = buildApp(simulator, { fatal: fail })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    app
      .close()
      .then(() => simulator.close())
      .then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('disconnect', stop) // whoever started this process is gone
  await app.listen({ port: options.port, host: options.host })
  const address = app.server.address()
  const listening = typeof address === 'object' && address !== null ? address.port : options.port
  process.stdout.write(`${JSON.stringify({ event: 'listening', url: `http://${options.host}:${listening}`, port: listening })}\n`)
}

function fail(error: unknown): void {
  process.stderr.write(`partita-rails: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

main().catch(fail)
