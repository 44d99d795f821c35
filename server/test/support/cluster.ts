import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedServer, startEmbedded } from '../../src/platform/postgres/embedded.ts'
import { killAllOf } from '../../src/platform/postgres/embedded-process.ts'
import { identify, isRunning, type ProcessIdentity } from '../../src/platform/processes.ts'

const PREFIX = 'partita-test-'

/** A PostgreSQL of our own in the temporary folder, which forgets everything when the power fails: tests only. */
export async function startTestCluster(settings: Readonly<Record<string, string>> = {}): Promise<EmbeddedServer> {
  await removeAbandoned()
  const folder = await mkdtemp(join(tmpdir(), PREFIX))
  await chmod(folder, 0o755) // run by root, PostgreSQL is another user
  await writeFile(join(folder, 'owner.json'), JSON.stringify(identify(process.pid)))
  const server = await startEmbedded({
    dataDirectory: folder,
    settings: { fsync: 'off', full_page_writes: 'off', shared_buffers: '128MB', max_wal_size: '1GB', ...settings },
  })
  const remove = async () => {
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  }
  return { ...server, remove }
}

/** Ends the clusters of test runs that were killed. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(tmpdir(), name)
    const owner = ownerOf(folder)
    if (!owner || isRunning(owner)) continue
    await killAllOf(join(folder, 'postgresql-18/cluster'))
    rmSync(folder, { recursive: true, force: true })
  }
}

function ownerOf(folder: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as ProcessIdentity
  } catch {
    return undefined // another user's, or just being made
  }
}
