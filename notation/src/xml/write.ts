import { FORBIDDEN } from './characters.ts'

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

/** An element of text, or nothing when there is no text. */
export const textNode = (name: string, text: string | undefined): XmlNode | undefined =>
  text === undefined ? undefined : node(name, text)

/**
 * Writes a document in UTF-8. Characters that XML forbids become spaces.
 *
 * @param options.compact all on one line; otherwise an element a line, two spaces per level.
 */
export function writeXml(root: XmlNode, { compact = false }: { compact?: boolean } = {}): string {
  const lines: string[] = []
  writeNode(root, compact ? undefined : '', lines)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${lines.join(compact ? '' : '\n')}\n`
}

function writeNode({ name, attributes, content }: XmlNode, indent: string | undefined, lines: string[]): void {
  const start = `${indent ?? ''}<${name}${Object.entries(attributes).map(written).join('')}`
  if (typeof content === 'string') {
    lines.push(content === '' ? `${start}/>` : `${start}>${escaped(content)}</${name}>`)
    return
  }
  lines.push(`${start}>`)
  for (const inner of content) writeNode(inner, indent === undefined ? undefined : `${indent}  `, lines)
  lines.push(`${indent ?? ''}</${name}>`)
}

const written = ([key, value]: [string, string]): string =>
  ` ${key}="${escaped(value).replaceAll('"', '&quot;').replaceAll('\n', '&#xA;').replaceAll('\t', '&#x9;')}"`

const escaped = (text: string): string =>
  text.replace(FORBIDDEN, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#xD;')
