import type { XmlProblem } from './problems.ts'

/** No comment, text, tag or line of a real file comes near it. */
const MEBIBYTE = 1024 * 1024
const LINE_FEED = 10
const LESS_THAN = 0x3c
const LINE_ENDS = [LINE_FEED, 13]

type Construct = { readonly name: string; readonly begin: string; readonly end: string }

// What may hold anything, `<` and line breaks as well, until its end.
const CONSTRUCTS: readonly Construct[] = [
  { name: 'comments', begin: '<!--', end: '-->' },
  { name: 'processing instructions', begin: '<?', end: '?>' },
  { name: 'a CDATA section', begin: '<![CDATA[', end: ']]>' },
]
const [, , CDATA] = CONSTRUCTS
/** In bytes, in UTF-16. */
const LONGEST_MARK = 18

/** Why a document that is read already is refused. */
export function overlongIn(bytes: Uint8Array): XmlProblem | undefined {
  const check = new OverlongCheck()
  for (let at = 0; at < bytes.length; at += MEBIBYTE) {
    const problem = check.push(bytes.subarray(at, at + MEBIBYTE))
    if (problem) return problem
  }
  return undefined
}

/**
 * Looks at a document while it is being read, for what would only cost time and memory: comments of a megabyte and more, a text or tag without
 * end, or, where it is no XML, a line without end. So the first megabytes of a hundred are enough to refuse them. It finds marks by search
 * and reads nothing, and lets pass whatever it is not sure of.
 */
export class OverlongCheck {
  #encoding: BufferEncoding | undefined
  #isXml = false
  #carried: Uint8Array = new Uint8Array()
  #open: Construct | undefined
  #openBytes = 0
  /** In comments and processing instructions of before. */
  #looseBytes = 0
  /** Since the last mark or line break. */
  #quietBytes = 0
  #line = 1

  /** @param chunk what follows the chunk before. @returns why the document is refused. */
  push(chunk: Uint8Array): XmlProblem | undefined {
    this.#encoding ??= this.#begin(chunk)
    const problem = this.#isXml ? this.#constructs(Buffer.concat([this.#carried, chunk])) : undefined
    if (problem) return problem
    const isQuiet = !this.#open && !chunk.includes(LESS_THAN) && (this.#isXml || !LINE_ENDS.some((end) => chunk.includes(end)))
    this.#quietBytes = isQuiet ? this.#quietBytes + chunk.length : 0
    if (this.#quietBytes >= MEBIBYTE) return this.#tooLarge(this.#isXml ? 'a text or tag' : 'a line')
    this.#line += countLines(chunk)
    return undefined
  }

  #begin(chunk: Uint8Array): BufferEncoding {
    const head = Buffer.from(chunk.subarray(0, 1_024))
    this.#isXml = /^[\s\0\u00ef\u00bb\u00bf\u00fe\u00ff]*</.test(head.toString('latin1'))
    // The marks of the one byte order are found in the other as well, a byte later.
    return head.subarray(0, 4).includes(0) || /^(?:\u00ff\u00fe|\u00fe\u00ff)/.test(head.toString('latin1'))
      ? 'utf16le'
      : 'latin1'
  }

  /** Follows comments and the like from their beginning to their end. */
  #constructs(bytes: Buffer): XmlProblem | undefined {
    const begins = CONSTRUCTS.map((construct) => new Mark(bytes, construct, this.#encoding))
    let at = 0
    for (;;) {
      if (!this.#open) {
        const found = begins.filter((mark) => mark.next(at) >= 0).sort((a, b) => a.next(at) - b.next(at))[0]
        if (!found) break
        this.#open = found.construct
        this.#openBytes = 0
        at = found.next(at) + found.length
      }
      const { name } = this.#open
      const end = Buffer.from(this.#open.end, this.#encoding)
      const endsAt = bytes.indexOf(end, at)
      const until = endsAt >= 0 ? endsAt : Math.max(at, bytes.length - LONGEST_MARK)
      this.#openBytes += until - at
      at = until
      if (this.#openBytes + (this.#open === CDATA ? 0 : this.#looseBytes) > MEBIBYTE) return this.#tooLarge(name)
      if (endsAt < 0) break
      if (this.#open !== CDATA) this.#looseBytes += this.#openBytes
      this.#open = undefined
      at += end.length
    }
    // A mark may lie across two chunks.
    this.#carried = bytes.subarray(Math.max(at, bytes.length - LONGEST_MARK))
    return undefined
  }

  #tooLarge(what: string): XmlProblem {
    return { code: 'too_large', line: this.#line, message: `${what} of more than ${MEBIBYTE} bytes` }
  }
}

/** Where a construct begins next; searched for once. */
class Mark {
  readonly construct: Construct
  readonly #bytes: Buffer
  // As bytes: a text would be searched for at every second byte only.
  readonly #begin: Buffer
  #at = -2

  constructor(bytes: Buffer, construct: Construct, encoding: BufferEncoding | undefined) {
    this.#bytes = bytes
    this.construct = construct
    this.#begin = Buffer.from(construct.begin, encoding)
  }

  get length(): number {
    return this.#begin.length
  }

  /** -1: nowhere. */
  next(from: number): number {
    if (this.#at !== -1 && this.#at < from) this.#at = this.#bytes.indexOf(this.#begin, from)
    return this.#at
  }
}

function countLines(chunk: Uint8Array): number {
  let lines = 0
  for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines++
  return lines
}
