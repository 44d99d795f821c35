import { closeSync, existsSync, fdatasync, ftruncateSync, openSync, readFileSync, write } from 'node:fs'
import { promisify } from 'node:util'
import type { JournalLine } from './state.ts'

const writeAt = promisify(write)
const syncData = promisify(fdatasync)

type Head = { partita_rails_journal: 1; seed: string }

/** Where a simulator remembers. `append` resolves when the line is on disk; lines keep their order. */
export type Journal = Readonly<{ append(line: JournalLine): Promise<void>; close(): Promise<void> }>

/** For tests and for a simulator that may forget. */
export const forgetfulJournal: Journal = { append: async () => undefined, close: async () => undefined }

/**
 * Opens an append-only file of JSON lines, the first of which names the seed. A last line without its end was never acknowledged
 * (the process was killed while writing it) and is cut off.
 *
 * @throws Error when the file is not such a journal, was made with another seed, or is damaged before its last line.
 */
export function openJournal(path: string, seed: string): { journal: Journal; lines: readonly JournalLine[] } {
  const content = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const end = content.lastIndexOf(10) + 1
  const lines = content
    .subarray(0, end)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  const descriptor = openSync(path, 'a', 0o600)
  try {
    if (end < content.length) ftruncateSync(descriptor, end)
    const parsed = lines.map((line, index) => parseLine(path, line, index + 1))
    if (parsed.length > 0) checkHead(path, parsed[0] as Head, seed)
    const journal = new JournalFile(descriptor)
    if (parsed.length === 0)
      journal.appendText(`${JSON.stringify({ partita_rails_journal: 1, seed } satisfies Head)}\n`).catch(() => undefined)
    return { journal, lines: parsed.slice(1) as JournalLine[] }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

function parseLine(path: string, line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new Error(`${path}, line ${number}: not JSON; the journal is damaged`, { cause })
  }
}

function checkHead(path: string, head: Head, seed: string): void {
  if (head.partita_rails_journal !== 1) throw new Error(`${path} is not a journal of the rails simulator`)
  if (head.seed !== seed)
    throw new Error(`${path} was made with seed "${head.seed}", not "${seed}"; use that seed or another file`)
}

/** Lines that wait while one write is on its way go out together with one flush. */
class JournalFile implements Journal {
  private readonly descriptor: number
  private pending: string[] = []
  private running: Promise<void> = Promise.resolve()
  private next: Promise<void> | undefined

  constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  append(line: JournalLine): Promise<void> {
    return this.appendText(`${JSON.stringify(line)}\n`)
  }

  appendText(text: string): Promise<void> {
    this.pending.push(text)
    this.next ??= this.running.then(() => {
      const batch = this.pending.join('')
      this.pending = []
      this.next = undefined
      this.running = this.flush(batch)
      return this.running
    })
    return this.next
  }

  async close(): Promise<void> {
    await (this.next ?? this.running)
    closeSync(this.descriptor)
  }

  private async flush(batch: string): Promise<void> {
    const bytes = Buffer.from(batch)
    for (let offset = 0; offset < bytes.length; ) {
      offset += (await writeAt(this.descriptor, bytes, offset, bytes.length - offset, null)).bytesWritten
    }
    await syncData(this.descriptor)
  }
}
