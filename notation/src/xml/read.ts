import { buildTree } from './build-tree.ts'
import { decodeXml, mend } from './characters.ts'
import { overlongIn } from './overlong.ts'
import { lineAt, Refused, type XmlProblem } from './problems.ts'
import type { XmlElement } from './tree.ts'

export type XmlOptions = Readonly<{
  /** Bytes, or characters of a text; a larger document is refused before it is looked at. Default 32 MiB. */
  maxBytes?: number
  /** Nesting; ISO 20022 and UBL stay below 30. Default 100. */
  maxDepth?: number
  /** Default 1 million: twice what 32 MiB of real messages hold, far below what `<a/>` repeated would make. */
  maxElements?: number
  /**
   * Reads what real banks send although XML forbids it: control characters (each becomes a space, so that no amount can
   * grow together around one), blank lines before the declaration, undeclared prefixes, Latin text announced as UTF-8.
   * Each is named in `problems`.
   */
  lenient?: boolean
}>

export type XmlResult =
  | { readonly ok: true; readonly root: XmlElement; readonly problems: readonly XmlProblem[] }
  | { readonly ok: false; readonly problem: XmlProblem }

/**
 * Reads a whole XML document without ever reading anything else: a document type is refused, so there are no external
 * entities, no entity expansion and no defaults; only the five predefined entities and character references exist.
 *
 * @param source bytes in the encoding that they announce, or text that somebody has decoded already.
 * @returns the root element, or the first problem with its line. Never throws on any input.
 */
export function readXml(source: Uint8Array | string, options: XmlOptions = {}): XmlResult {
  const { maxBytes = 32 * 1024 * 1024, maxDepth = 100, maxElements = 1_000_000, lenient = false } = options
  try {
    const problems: XmlProblem[] = []
    if (source.length > maxBytes) throw new Refused('too_large', 1, `${source.length} bytes, at most ${maxBytes} are read`)
    const overlong = typeof source === 'string' ? undefined : overlongIn(source)
    if (overlong) throw new Refused(overlong.code, overlong.line, overlong.message)
    const decoded = typeof source === 'string' ? source.replace(/^\ufeff/, '') : decodeXml(source, lenient, problems)
    const { text, skippedLines } = lenient ? mend(decoded, problems) : { text: decoded, skippedLines: 0 }
    refuseDocumentType(text, skippedLines)
    return { ok: true, root: buildTree(text, { maxDepth, maxElements, lenient, skippedLines }, problems), problems }
  } catch (error) {
    if (error instanceof Refused) return { ok: false, problem: error.problem }
    throw error
  }
}

/** Looks through the prolog before the parser runs, so that a document type of many megabytes costs nothing. */
function refuseDocumentType(text: string, skippedLines: number): void {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0
  for (;;) {
    while (/\s/.test(text.charAt(at))) at += 1
    const end = text.startsWith('<?', at)
      ? text.indexOf('?>', at) + 2
      : text.startsWith('<!--', at)
        ? text.indexOf('-->', at + 4) + 3
        : at
    if (end <= at) break
    at = end
  }
  if (!text.startsWith('<!', at) || text.startsWith('<!--', at)) return
  throw new Refused('document_type_forbidden', lineAt(text, at) + skippedLines, 'a document type (DTD) is not accepted')
}
