import { SaxesParser, type SaxesTagNS } from 'saxes'
import { lineAt, Refused, type XmlProblem } from './problems.ts'
import type { XmlElement } from './tree.ts'

/** What stands before the text that is parsed, and how much of it is read. */
export type TreeLimits = Readonly<{ maxDepth: number; maxElements: number; lenient: boolean; skippedLines: number }>

type Open = { -readonly [K in keyof XmlElement]: XmlElement[K] } & { children: XmlElement[] }

/**
 * Reads the text into a tree; the first error ends the reading.
 *
 * @throws Refused, for `readXml` to catch.
 */
export function buildTree(text: string, limits: TreeLimits, problems: XmlProblem[]): XmlElement {
  return new TreeBuilder(text, limits, problems).build()
}

class TreeBuilder {
  readonly #text: string
  readonly #limits: TreeLimits
  readonly #problems: XmlProblem[]
  readonly #parser: SaxesParser<{ xmlns: true; resolvePrefix: (prefix: string) => string | undefined }>
  readonly #stack: Open[] = []
  readonly #unknownPrefixes = new Set<string>()
  #root: XmlElement | undefined
  #elements = 0
  #attributesOfTag = 0
  #startLine = 1

  constructor(text: string, limits: TreeLimits, problems: XmlProblem[]) {
    this.#text = text
    this.#limits = limits
    this.#problems = problems
    this.#parser = new SaxesParser({ xmlns: true, resolvePrefix: (prefix) => this.#resolvePrefix(prefix) })
  }

  build(): XmlElement {
    const parser = this.#parser
    // saxes reports and goes on; the first error ends the reading here.
    parser.on('error', (error) => {
      throw syntaxRefused(this.#text, this.#limits.skippedLines, parser.line, error.message)
    })
    parser.on('doctype', () => {
      throw new Refused('document_type_forbidden', this.#line, 'a document type (DTD) is not accepted')
    })
    parser.on('opentagstart', () => this.#startTag())
    parser.on('attribute', () => this.#countAttribute())
    parser.on('opentag', (tag) => this.#open(tag))
    const addText = (part: string) => {
      const open = this.#stack.at(-1)
      if (open) open.text += part
    }
    parser.on('text', addText)
    parser.on('cdata', addText)
    parser.on('closetag', () => {
      this.#stack.pop()
    })
    parser.write(this.#text).close()
    if (!this.#root) throw new Refused('not_well_formed', this.#line, 'there is no element')
    return this.#root
  }

  get #line(): number {
    return this.#parser.line + this.#limits.skippedLines
  }

  /** Counted at the start of the tag: 200,000 nested tags cost what the first hundred cost. */
  #startTag(): void {
    const { maxDepth, maxElements } = this.#limits
    this.#startLine = this.#line
    if (this.#stack.length >= maxDepth)
      throw new Refused('too_deep', this.#startLine, `more than ${maxDepth} elements inside each other`)
    this.#attributesOfTag = 0
    this.#elements += 1
    if (this.#elements > maxElements) throw new Refused('too_many_elements', this.#startLine, `more than ${maxElements} elements`)
  }

  #countAttribute(): void {
    this.#attributesOfTag += 1
    if (this.#attributesOfTag > ATTRIBUTES_MAX)
      throw new Refused('too_many_attributes', this.#line, `more than ${ATTRIBUTES_MAX} attributes on one element`)
  }

  #open(tag: SaxesTagNS): void {
    const element: Open = {
      name: tag.local,
      namespace: tag.uri,
      attributes: attributesOf(tag),
      children: [],
      text: '',
      line: this.#startLine,
    }
    const parent = this.#stack.at(-1)
    if (parent) parent.children.push(element)
    else this.#root = element
    this.#stack.push(element)
  }

  #resolvePrefix(prefix: string): string | undefined {
    if (!this.#limits.lenient || prefix === '') return undefined
    if (!this.#unknownPrefixes.has(prefix) && this.#unknownPrefixes.size < 20) {
      this.#unknownPrefixes.add(prefix)
      const message = `prefix "${prefix.slice(0, 40)}" is not declared`
      this.#problems.push({ code: 'namespace_prefix_undeclared', line: this.#line, message })
    }
    return `undeclared:${prefix}`
  }
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
