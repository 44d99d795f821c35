import { zstdDecompressSync } from 'node:zlib'
import { systemActor } from '../../../platform/actor.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Database, Tx } from '../../../platform/postgres/database.ts'
import * as store from '../facts-store.ts'

export type { ImportedFile } from '../facts-store.ts'

/** The files that the organization has imported, latest first. */
export const importedFiles = (tx: Tx, organizationId: Id<'organization'>) => store.listFiles(tx, organizationId)

export const findImportedFile = (tx: Tx, organizationId: Id<'organization'>, id: string) => store.findFile(tx, organizationId, id)

/** A file as it came, piece by piece. */
export async function* fileContent(
  database: Database,
  { organizationId, sha256 }: { readonly organizationId: string; readonly sha256: Uint8Array },
): AsyncGenerator<Buffer> {
  const actor = systemActor('connections.file_content', [organizationId as Id<'organization'>])
  for (let position = 0; ; position++) {
    const piece = await database.read(actor, (tx) => store.findContentPiece(tx, organizationId, sha256, position))
    if (!piece) return
    yield zstdDecompressSync(piece.zstd)
  }
}
