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
