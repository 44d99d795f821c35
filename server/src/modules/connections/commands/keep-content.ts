import { createHash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import type { Id } from '../../../platform/ids.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import * as facts from '../facts-store.ts'

const PIECE_BYTES = 1024 * 1024

/**
 * Keeps a file as it came, by its digest: one that is kept already is not kept again. In pieces, so that a file of hundreds of megabytes
 * needs no second one in memory.
 */
export async function keepContent(
  tx: Tx,
  organizationId: Id<'organization'>,
  content: Uint8Array,
): Promise<{ readonly size: bigint; readonly sha256: Buffer }> {
  const sha256 = createHash('sha256').update(content).digest()
  const kept = { size: BigInt(content.length), sha256 }
  if (await facts.hasContent(tx, organizationId, sha256)) return kept
  for (let position = 0; position * PIECE_BYTES < content.length; position++) {
    const piece = content.subarray(position * PIECE_BYTES, (position + 1) * PIECE_BYTES)
    await facts.insertContentPiece(tx, { organizationId, sha256, position, zstd: zstdCompressSync(piece) })
  }
  return kept
}
