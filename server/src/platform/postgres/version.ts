import type pg from 'pg'

const OLDEST_MAJOR = 18

/** Why this PostgreSQL cannot run our schema; undefined when it can. */
export async function versionProblem(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ server_version: string }>('show server_version')
  return tooOld(rows[0]?.server_version ?? '')
}

/** @param version as PostgreSQL says it: `18.4`, `15.18 (Debian 15.18-0+deb12u1)`, `19beta1`. */
export function tooOld(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return undefined
  return `Partita needs PostgreSQL ${OLDEST_MAJOR} or newer, and this is ${version.split(' ')[0]}`
}
