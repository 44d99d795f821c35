import { closeSync, openSync, readSync } from 'node:fs'
import { OverlongCheck } from '@partita/notation/xml'

const CHUNK_BYTES = 1024 * 1024

/** A file that is not read, and why: its code and message as the readers of files have them. */
export type Unread = { readonly code: string; readonly message: string; readonly line: number | null }

/**
 * Reads a file of a bank as far as it can be one: no further than its size allows, and not past the first thing that no bank writes. Also a pipe, whose
 * size nobody knows before.
 * @param judge looks at the first bytes. @throws what the system says about a file that cannot be read.
 */
export function readBankFile(
  file: string,
  maxBytes: number,
  judge: (head: Uint8Array) => Unread | undefined = () => undefined,
): Uint8Array | Unread {
  const descriptor = openSync(file, 'r')
  try {
    const check = new OverlongCheck()
    const chunks: Uint8Array[] = []
    let size = 0
    for (;;) {
      const chunk = readChunk(descriptor)
      if (chunk.length === 0) return Buffer.concat(chunks)
      size += chunk.length
      if (size > maxBytes)
        return { code: 'too_large', line: null, message: `more than ${maxBytes} bytes, which are the most that are read` }
      const problem = (chunks.length === 0 ? judge(chunk) : undefined) ?? check.push(chunk)
      if (problem) return problem
      chunks.push(chunk)
    }
  } finally {
    closeSync(descriptor)
  }
}

/** A pipe gives less at a time than one asks for. */
function readChunk(descriptor: number): Uint8Array {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  let length = 0
  while (length < CHUNK_BYTES) {
    const read = readSync(descriptor, chunk, length, CHUNK_BYTES - length, null)
    if (read === 0) break
    length += read
  }
  return chunk.subarray(0, length)
}
