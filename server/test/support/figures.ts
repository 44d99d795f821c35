import { appendFileSync } from 'node:fs'

/** A measured figure of a proof, for `docs/reliability.json`; nowhere to go in an ordinary run of the tests. */
export function figure(name: string, value: number | string): void {
  const file = process.env.PARTITA_TEST_FIGURES
  if (file) appendFileSync(file, `${JSON.stringify({ [name]: value })}\n`)
}
