import { SaxesParser } from 'saxes'

/** One element: local name, attributes without namespace declarations, child elements, own text untrimmed. */
export type XmlElement = Readonly<{
  name: string
  namespace: string
  attributes: Readonly<Record<string, string>>
  children: readonly XmlElement[]
  text: string
}>

/** Why a message could not be read. A clearing system answers this with an error, never with a guess. */
export class XmlError extends Error {
  readonly line: number
  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

const DEPTH_MAX = 60

/**
 * Reads a whole document. Document types are refused, so that no entity is ever expanded or fetched.
 *
 * @throws XmlError with the line of the first problem.
 */
export function readXml(text: string): XmlElement {
  type Open = { name: string; namespace: string; attributes: Record<string, string>; children: XmlElement[]; text: string }
  const stack: Open[] = []
  let root: XmlElement | undefined
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw new XmlError(error.message, parser.line)
  })
  parser.on('doctype', () => {
    throw new XmlError('a document type is not accepted', parser.line)
  })
  parser.on('opentagstart', () => {
    if (stack.length >= DEPTH_MAX) throw new XmlError(`more than ${DEPTH_MAX} elements inside each other`, parser.line)
  })
  parser.on('opentag', (tag) => {
    const attributes: Record<string, string> = {}
    for (const attribute of Object.values(tag.attributes)) attributes[attribute.name] = attribute.value
    const element: Open = { name: tag.local, namespace: tag.uri, attributes, children: [], text: '' }
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
  parser.write(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).close()
  if (!root) throw new XmlError('there is no element', 1)
  return root
}

export const children = (element: XmlElement | undefined, name: string): XmlElement[] =>
  element?.children.filter((c) => c.name === name) ?? []

/** Follows first children: `find(tx, 'CdtrAcct/Id/IBAN')`. */
export function find(element: XmlElement | undefined, path: string): XmlElement | undefined {
  let at = element
  for (const name of path.split('/')) at = at?.children.find((c) => c.name === name)
  return at
}

/** Trimmed text at a path; undefined when missing or empty. */
export const textAt = (element: XmlElement | undefined, path: string): string | undefined =>
  find(element, path)?.text.trim() || undefined

/** Something to write: an element with text or elements inside. */
export type XmlNode = Readonly<{
  name: string
  attributes: Readonly<Record<string, string>>
  content: string | readonly XmlNode[]
}>

/** Makes an element to write. Undefined children are left out. */
export function node(
  name: string,
  content: string | readonly (XmlNode | undefined)[],
  attributes: Readonly<Record<string, string>> = {},
): XmlNode {
  return { name, attributes, content: typeof content === 'string' ? content : content.filter((c) => c !== undefined) }
}

/** An element of text, or nothing when there is no text. */
export const textNode = (name: string, text: string | undefined): XmlNode | undefined =>
  text === undefined ? undefined : node(name, text)

export const writeXml = (root: XmlNode): string => `<?xml version="1.0" encoding="UTF-8"?>\n${writeNode(root)}\n`

function writeNode({ name, attributes, content }: XmlNode): string {
  const start =
    name +
    Object.entries(attributes)
      .map(([key, value]) => ` ${key}="${escapeText(value)}"`)
      .join('')
  return `<${start}>${typeof content === 'string' ? escapeText(content) : content.map(writeNode).join('')}</${name}>`
}

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
