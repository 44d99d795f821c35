import { child, node, readXml, textOf, writeXml, type XmlElement, type XmlNode } from '@partita/notation/xml'
import { ok, type Result, refuse } from '../../platform/result.ts'
import { type Amount, readAmount } from './elements.ts'

/** Why a document is not a message that can be used, with the line in the document. */
export type MessageProblem = Readonly<{
  code: 'xml_unreadable' | 'message_not_supported' | 'element_missing' | 'value_invalid'
  line: number
  message: string
}>

/** Ends the reading of a message; caught by `readingMessage` only. */
class Unusable extends Error {
  readonly problem: MessageProblem
  constructor(problem: MessageProblem) {
    super(problem.message)
    this.problem = problem
  }
}

const NAMESPACE = 'urn:iso:std:iso:20022:tech:xsd:'

/** The ISO name in the namespace of a document, such as `pacs.008.001.08`; undefined for anything else. */
export const messageNameOf = (root: XmlElement): string | undefined =>
  root.name === 'Document' && root.namespace.startsWith(NAMESPACE) ? root.namespace.slice(NAMESPACE.length) : undefined

/**
 * Reads a document with the reader of its message.
 *
 * @param readers by ISO name; each gets the document's root.
 * @returns what the reader gives, or why the document is not used. Never throws on any input.
 */
export function readMessage<T>(
  xml: Uint8Array | string,
  readers: ReadonlyMap<string, (root: XmlElement) => T>,
): Result<T, MessageProblem> {
  const read = readXml(typeof xml === 'string' ? new TextEncoder().encode(xml) : xml)
  if (!read.ok) return refuse({ code: 'xml_unreadable', line: read.problem.line, message: read.problem.message })
  const name = messageNameOf(read.root)
  const reader = name === undefined ? undefined : readers.get(name)
  if (!reader) {
    const found = name ?? `<${read.root.name.slice(0, 60)}> in namespace "${read.root.namespace.slice(0, 120)}"`
    return refuse({ code: 'message_not_supported', line: read.root.line, message: `${found} is not read here` })
  }
  try {
    return ok(reader(read.root))
  } catch (error) {
    if (error instanceof Unusable) return refuse(error.problem)
    throw error
  }
}

/** The text at a path. @throws Unusable, for `readMessage` to catch. */
export function requiredText(element: XmlElement | undefined, names: string): string {
  const text = textOf(element, names)
  if (text === undefined) throw missing(element, names)
  return text
}

/** The value itself. @throws Unusable, for `readMessage` to catch. */
export function required<T>(value: T | undefined, element: XmlElement | undefined, names: string): T {
  if (value === undefined) throw missing(element, names)
  return value
}

const missing = (element: XmlElement | undefined, names: string): Unusable =>
  new Unusable({
    code: 'element_missing',
    line: element?.line ?? 1,
    message: `${element ? `${element.name}/` : ''}${names} is missing`,
  })

/** An amount that can be counted with: digits, a currency of three letters. @throws Unusable, for `readMessage` to catch. */
export function requiredAmount(element: XmlElement, tag: string): Amount {
  const amount = required(readAmount(child(element, tag)), element, tag)
  if (!/^\d{1,18}(\.\d{1,5})?$/.test(amount.value) || !/^[A-Z]{3}$/.test(amount.currency)) {
    invalid(child(element, tag), `${tag} "${amount.value.slice(0, 40)}" is not an amount with a currency`)
  }
  return amount
}

/** @throws Unusable, for `readMessage` to catch. */
export function invalid(element: XmlElement | undefined, message: string): never {
  throw new Unusable({ code: 'value_invalid', line: element?.line ?? 1, message })
}

/** A document of that message, as text. */
export const writeMessage = (name: string, body: XmlNode): string =>
  writeXml(node('Document', [body], { xmlns: `${NAMESPACE}${name}` }))
