import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EmbeddedServer, startEmbedded } from '../../../server/src/platform/postgres/embedded.ts'
import { identify, isRunning, type ProcessIdentity, withLock } from '../../../server/src/platform/processes.ts'

const LOCK_TIMEOUT_MS = 120_000

/** A part in the database server of a data folder. Whoever gives back the last part stops the server. */
export type DatabaseLease = {
  readonly server: EmbeddedServer
  release(): Promise<void>
}

/** Starts the data folder's PostgreSQL, or joins it where it runs. A killed holder's part counts no more. */
export function leaseDatabase(dataDirectory: string, onProgress: (message: string) => void): Promise<DatabaseLease> {
  const folder = join(dataDirectory, 'leases')
  const lock = { folder: join(dataDirectory, 'locks'), name: 'leases' }
  return withLock(lock, LOCK_TIMEOUT_MS, async () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    chmodSync(folder, 0o700) // an earlier release made it for all to see
    const server = await startEmbedded({ dataDirectory, joinRunning: liveLeases(folder) > 0, onProgress })
    const lease = join(folder, `${process.pid}-${randomBytes(4).toString('hex')}.json`)
    writeFileSync(lease, JSON.stringify(identify(process.pid)), { mode: 0o600 })
    const release = () =>
      withLock(lock, LOCK_TIMEOUT_MS, async () => {
        rmSync(lease, { force: true })
        if (liveLeases(folder) === 0) await server.stop()
      })
    return { server, release }
  })
}

/** How many parts are held; those of processes that are gone are removed. */
function liveLeases(folder: string): number {
  return readdirSync(folder).filter((name) => {
    const path = join(folder, name)
    const alive = isHeld(path)
    if (!alive) rmSync(path, { force: true })
    return alive
  }).length
}

function isHeld(path: string): boolean {
  try {
    return isRunning(JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity)
  } catch {
    return false // its holder was killed while writing it
  }
}
