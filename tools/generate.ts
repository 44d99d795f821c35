import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { partita } from '../server/src/bank.ts'
import { startEmbedded } from '../server/src/platform/postgres/embedded.ts'
import { migrate } from '../server/src/platform/postgres/migrate.ts'
import { writeAccess } from './access.ts'
import { renderEvents } from './events.ts'
import { codegenOptions, EVENTS_FILE, SCHEMA_FILE, SCHEMA_TYPES } from './generated-files.ts'
import { writeOpenApi } from './openapi.ts'
import { dumpSchema } from './schema-dump.ts'

/** `npm run generate`: writes everything that is made from something else, so that it can be committed and proved fresh. */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'partita-generate-'))
  const server = await startEmbedded({ dataDirectory: join(folder, 'postgres'), settings: { fsync: 'off' } })
  try {
    await migrate(server.adminUrl, partita.migrations())
    const client = new pg.Client({ connectionString: server.adminUrl })
    await client.connect()
    writeFileSync(SCHEMA_FILE, await dumpSchema(client))
    await client.end()
    generateTypes(server.adminUrl)
    await writeOpenApi()
    writeFileSync(EVENTS_FILE, renderEvents(partita.modules))
    await writeAccess()
  } finally {
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

function generateTypes(url: string): void {
  const codegen = join(import.meta.dirname, '../node_modules/.bin/kysely-codegen')
  for (const types of SCHEMA_TYPES) {
    const done = spawnSync(codegen, codegenOptions(url, types), { stdio: 'inherit' })
    if (done.status !== 0) throw new Error(`kysely-codegen failed for ${types.schema}`)
  }
}

await main()
