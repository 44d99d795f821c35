/** XML as a tree of text, read from hostile sources and written for strict ones. What the elements mean is for others to say. */
export { OverlongCheck } from './overlong.ts'
export type { XmlProblem } from './problems.ts'
export { readXml, type XmlOptions, type XmlResult } from './read.ts'
export { child, children, path, textOf, type XmlElement } from './tree.ts'
export { node, textNode, writeXml, type XmlNode } from './write.ts'
