import { SaxesParser, type SaxesTagNS } from 'saxes'

/**
 * One element of a parsed document. Values stay text: nothing here turns `0012` into 12 or `1e3` into 1000.
 * `namespace` is the namespace URI or '' and `name` the local name. `text` is the element's own text, comments left out, not trimmed.
 */
export type XmlElement = Readonly<{
  name: string
  namespace: string
  attributes: Readonly<Record<string, string>>
  children: readonly XmlElement[]
  text: string
  /** One-based line of the start tag. */
  line: number
}>

/** Why a document is refused, or what had to be mended to read it. */
export type XmlProblem = Readonly<{ code: XmlProblemCode; line: number; message: string }>

export type XmlProblemCode =
  | 'too_large'
  | 'too_deep'
  | 'too_many_elements'
  | 'too_many_attributes'
  | 'document_type_forbidden'
  | 'encoding_unknown'
  | 'encoding_broken'
  | 'not_well_formed'
  // only with `lenient`, as problems beside a result
  | 'encoding_mismatch'
  | 'control_characters_replaced'
  | 'leading_space_skipped'
  | 'namespace_prefix_undeclared'

export type XmlOptions = Readonly<{
  /** Bytes; a larger document is refused before it is looked at. Default 32 MiB. */
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

class Refused extends Error {
  readonly problem: XmlProblem
  constructor(code: XmlProblemCode, line: number, message: string) {
    super(message)
    this.problem = { code, line, message }
  }
}

/**
 * Reads a whole XML document without ever reading anything else: a document type is refused, so there are no external
 * entities, no entity expansion and no defaults; only the five predefined entities and character references exist.
 *
 * @returns the root element, or the first problem with its line. Never throws on any input.
 */
export function readXml(bytes: Uint8Array, options: XmlOptions = {}): XmlResult {
  try {
    const problems: XmlProblem[] = []
    const maxBytes = options.maxBytes ?? 32 * 1024 * 1024
    if (bytes.length > maxBytes) throw new Refused('too_large', 1, `${bytes.length} bytes, at most ${maxBytes} are read`)
    let text = decodeXml(bytes, options.lenient ?? false, problems)
    let skippedLines = 0
    if (options.lenient) {
      const mended = mend(text, problems)
      text = mended.text
      skippedLines = mended.skippedLines
    }
    refuseDocumentType(text, skippedLines)
    return { ok: true, root: buildTree(text, skippedLines, options, problems), problems }
  } catch (error) {
    if (error instanceof Refused) return { ok: false, problem: error.problem }
    throw error
  }
}

function buildTree(text: string, skippedLines: number, options: XmlOptions, problems: XmlProblem[]): XmlElement {
  type Open = { -readonly [K in keyof XmlElement]: XmlElement[K] } & { children: XmlElement[] }
  const maxDepth = options.maxDepth ?? 100
  const maxElements = options.maxElements ?? 1_000_000
  const stack: Open[] = []
  let root: XmlElement | undefined
  let elements = 0
  let attributeCount = 0
  let startLine = 1
  const unknownPrefixes = new Set<string>()
  const resolvePrefix = (prefix: string): string | undefined => {
    if (!options.lenient || prefix === '') return undefined
    if (!unknownPrefixes.has(prefix) && unknownPrefixes.size < 20) {
      unknownPrefixes.add(prefix)
      problems.push({
        code: 'namespace_prefix_undeclared',
        line: lineNow(),
        message: `prefix "${prefix.slice(0, 40)}" is not declared`,
      })
    }
    return `undeclared:${prefix}`
  }
  const parser = new SaxesParser({ xmlns: true, resolvePrefix })
  const lineNow = () => parser.line + skippedLines

  // saxes reports and goes on; the first error ends the reading here.
  parser.on('error', (error) => {
    throw syntaxRefused(text, skippedLines, parser.line, error.message)
  })
  parser.on('doctype', () => {
    throw new Refused('document_type_forbidden', lineNow(), 'a document type (DTD) is not accepted')
  })
  parser.on('opentagstart', () => {
    startLine = lineNow()
    // Counted at the start of the tag: 200,000 nested tags cost what the first hundred cost.
    if (stack.length >= maxDepth) throw new Refused('too_deep', startLine, `more than ${maxDepth} elements inside each other`)
    attributeCount = 0
    elements += 1
    if (elements > maxElements) throw new Refused('too_many_elements', startLine, `more than ${maxElements} elements`)
  })
  parser.on('attribute', () => {
    attributeCount += 1
    if (attributeCount > ATTRIBUTES_MAX)
      throw new Refused('too_many_attributes', lineNow(), `more than ${ATTRIBUTES_MAX} attributes on one element`)
  })
  parser.on('opentag', (tag) => {
    const element: Open = {
      name: tag.local,
      namespace: tag.uri,
      attributes: attributesOf(tag),
      children: [],
      text: '',
      line: startLine,
    }
    const parent = stack.at(-1)
    if (parent) parent.children.push(element)
    else root = element
    stack.push(element)
  })
  const addText = (part: string) => {
    const open = stack.at(-1)
    if (open) open.text += part
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    stack.pop()
  })

  parser.write(text).close()
  if (!root) throw new Refused('not_well_formed', lineNow(), 'there is no element')
  return root
}

function attributesOf(tag: SaxesTagNS): Record<string, string> {
  let attributes: Record<string, string> = NO_ATTRIBUTES
  for (const attribute of Object.values(tag.attributes)) {
    if (attribute.prefix === 'xmlns' || attribute.name === 'xmlns') continue
    if (attributes === NO_ATTRIBUTES) attributes = Object.create(null) as Record<string, string>
    attributes[attribute.name] = attribute.value
  }
  return attributes
}

/** saxes reads on from a bare `&` to the next `;`, however far: the line to name is that of the `&`. */
function syntaxRefused(text: string, skippedLines: number, line: number, message: string): Refused {
  const bare = text.search(BARE_AMPERSAND)
  const bareLine = bare < 0 ? Number.POSITIVE_INFINITY : lineAt(text, bare)
  if (bareLine <= line) return new Refused('not_well_formed', bareLine + skippedLines, 'an & that is not escaped')
  return new Refused('not_well_formed', line + skippedLines, message.replace(/^\d+:\d+: /, '').slice(0, 200))
}

/** The messages read here have at most a handful; namespace declarations count too. */
const ATTRIBUTES_MAX = 256

/** An `&` that starts neither an entity nor a character reference. Inside CDATA it may stand; there it only moves the line of an error. */
const BARE_AMPERSAND = /&(?!#\d{1,10};|#x[0-9a-fA-F]{1,8};|[A-Za-z_][\w.-]{0,40};)/

const NO_ATTRIBUTES: Record<string, string> = Object.freeze(Object.create(null) as Record<string, string>)

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

// ---------------------------------------------------------------------------------------------- characters

/** Names for what TextDecoder calls Windows-1252, and for UTF-8. ISO-8859-1 differs from it in unused controls only. */
const ENCODINGS: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  'us-ascii': 'windows-1252',
  ascii: 'windows-1252',
  'iso-8859-1': 'windows-1252',
  'iso8859-1': 'windows-1252',
  'iso_8859-1': 'windows-1252',
  latin1: 'windows-1252',
  cp1252: 'windows-1252',
}

/** Those that are as good as text: no encoding in which `<` could be something else. */
const OTHER_ENCODINGS = /^(?:utf-8|utf-16|utf-16le|utf-16be|windows-125[0-8]|iso-8859-(?:[2-9]|1[03-6])|koi8-[ru])$/

const encodingNamed = (name: string): string | undefined => ENCODINGS[name] ?? (OTHER_ENCODINGS.test(name) ? name : undefined)

/** Bytes to text by byte order mark, else by the XML declaration, else UTF-8. */
function decodeXml(bytes: Uint8Array, lenient: boolean, problems: XmlProblem[]): string {
  const marked = markedEncoding(bytes)
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 400))
  const declared = /^\s*(?:\u00ef\u00bb\u00bf)?\s*<\?xml[^>]{0,300}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/
    .exec(head)?.[1]
    ?.toLowerCase()
  let encoding = marked ?? (declared === undefined ? 'utf-8' : encodingNamed(declared))
  if (encoding === undefined) throw new Refused('encoding_unknown', 1, `encoding "${declared}" is not read`)
  // Declared UTF-16 without the zero bytes of UTF-16: the declaration itself was readable, so it is wrong.
  if (!marked && encoding.startsWith('utf-16')) encoding = 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    if (!lenient || encoding !== 'utf-8') throw new Refused('encoding_broken', 1, `the bytes are not ${encoding}`)
    const text = new TextDecoder('windows-1252').decode(bytes)
    const line = lineAt(text, Math.max(0, text.search(/[\u0080-\uffff]/)))
    problems.push({ code: 'encoding_mismatch', line, message: 'the bytes are not UTF-8; read as Windows-1252' })
    return text
  }
}

function markedEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  if (a === 0x3c && b === 0 && c === 0x3f && d === 0) return 'utf-16le'
  if (a === 0 && b === 0x3c && c === 0 && d === 0x3f) return 'utf-16be'
  return undefined
}

/** Everything XML 1.0 does not allow as a character: most controls, lone surrogates, two non-characters. */
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const isForbiddenCode = (code: number): boolean =>
  !(
    code === 9 ||
    code === 10 ||
    code === 13 ||
    (code >= 32 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  )

function mend(source: string, problems: XmlProblem[]): { text: string; skippedLines: number } {
  let firstAt = -1
  let count = 0
  const replace = (at: number): string => {
    if (firstAt < 0 || at < firstAt) firstAt = at
    count += 1
    return ' '
  }
  const plain = source.replace(FORBIDDEN, (_, at: number) => replace(at))
  let text = plain.replace(
    /&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));/g,
    (whole, hex: string | undefined, decimal: string | undefined, at: number) =>
      isForbiddenCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)) ? replace(at) : whole,
  )
  if (count > 0) {
    const message = `${count} character${count === 1 ? '' : 's'} that XML forbids, read as space`
    problems.push({ code: 'control_characters_replaced', line: lineAt(plain, firstAt), message })
  }
  const lead = /^\s+(?=<)/.exec(text)?.[0]
  if (lead === undefined) return { text, skippedLines: 0 }
  text = text.slice(lead.length)
  if (text.startsWith('<?xml'))
    problems.push({ code: 'leading_space_skipped', line: 1, message: 'blanks before the XML declaration' })
  return { text, skippedLines: lineAt(lead, lead.length) - 1 }
}

/** One-based line of an index. */
function lineAt(text: string, index: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

// ---------------------------------------------------------------------------------------------- finding

/** The first child of that local name. */
export const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
  element?.children.find((c) => c.name === name)

/** Every child of that local name, in document order. */
export const children = (element: XmlElement | undefined, name: string): XmlElement[] =>
  element?.children.filter((c) => c.name === name) ?? []

/** Follows first children: `path(stmt, 'Acct/Id/IBAN')`. */
export function path(element: XmlElement | undefined, names: string): XmlElement | undefined {
  let at = element
  for (const name of names.split('/')) at = child(at, name)
  return at
}

/** The trimmed text at a path, or of the element itself; undefined when the element is missing or empty. */
export function textOf(element: XmlElement | undefined, names?: string): string | undefined {
  const found = names === undefined ? element : path(element, names)
  return found?.text.trim() || undefined
}

// ---------------------------------------------------------------------------------------------- writing

/** An element to be written: its content is text or elements. Made by `node`. */
export type XmlNode = Readonly<{
  name: string
  attributes: Readonly<Record<string, string>>
  content: string | readonly XmlNode[]
}>

/** Makes an element. Undefined children are left out, so optional parts read as `x === undefined ? undefined : node('X', x)`. */
export function node(
  name: string,
  content: string | readonly (XmlNode | undefined)[],
  attributes: Readonly<Record<string, string>> = {},
): XmlNode {
  return { name, attributes, content: typeof content === 'string' ? content : content.filter((c) => c !== undefined) }
}

/** Writes a document in UTF-8, two spaces per level. Characters that XML forbids become spaces. */
export function writeXml(root: XmlNode): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>']
  writeNode(root, '', lines)
  return `${lines.join('\n')}\n`
}

function writeNode({ name, attributes, content }: XmlNode, indent: string, lines: string[]): void {
  const start =
    name +
    Object.entries(attributes)
      .map(
        ([key, value]) =>
          ` ${key}="${escaped(value).replaceAll('"', '&quot;').replaceAll('\n', '&#xA;').replaceAll('\t', '&#x9;')}"`,
      )
      .join('')
  if (typeof content === 'string') {
    lines.push(content === '' ? `${indent}<${start}/>` : `${indent}<${start}>${escaped(content)}</${name}>`)
    return
  }
  lines.push(`${indent}<${start}>`)
  for (const inner of content) writeNode(inner, `${indent}  `, lines)
  lines.push(`${indent}</${name}>`)
}

const escaped = (text: string): string =>
  text.replace(FORBIDDEN, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#xD;')
