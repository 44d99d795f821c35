import { child, path, readXml, textOf, type XmlElement } from '@partita/notation/xml'

/** Why a message is not taken at all (HTTP 400): it has no business identity that an ISO answer could refer to. */
export type ReadRefusal = Readonly<{
  code: 'malformed_xml' | 'message_not_supported' | 'message_incomplete'
  message: string
  line?: number
}>

type ReadResult<T> = Readonly<{ ok: true; value: T }> | Readonly<{ ok: false; refusal: ReadRefusal }>

/** A document and its ISO name, such as `pacs.008.001.08`; the name is undefined for anything else. */
export type NamedDocument = Readonly<{ name: string | undefined; root: XmlElement }>

const DEPTH_MAX = 60

/** Reads a document without looking into it. Never throws on input. */
export function readDocument(xml: string): ReadResult<NamedDocument> {
  const read = readXml(xml, { maxDepth: DEPTH_MAX })
  if (!read.ok) return { ok: false, refusal: { code: 'malformed_xml', message: read.problem.message, line: read.problem.line } }
  const named = read.root.name === 'Document' ? /^urn:iso:std:iso:20022:tech:xsd:(.+)$/.exec(read.root.namespace) : null
  return { ok: true, value: { name: named?.[1], root: read.root } }
}

class Incomplete extends Error {}

/** Runs the reader of a message; what it misses becomes a refusal. */
export function readingMessage<T>(read: () => T): ReadResult<T> {
  try {
    return { ok: true, value: read() }
  } catch (error) {
    if (error instanceof Incomplete) return { ok: false, refusal: { code: 'message_incomplete', message: error.message } }
    throw error
  }
}

/** The text at a path. @throws Incomplete, for `readingMessage` to catch. */
export function required(element: XmlElement | undefined, names: string, shown = names): string {
  const text = textOf(element, names)
  if (text === undefined) throw new Incomplete(`${shown} is missing`)
  return text
}

/** @throws Incomplete, for `readingMessage` to catch. */
export function nonEmpty<T>(list: readonly T[], shown: string): readonly T[] {
  if (list.length === 0) throw new Incomplete(`${shown} is missing`)
  return list
}

/** The message inside the document, and what its group header says whatever it is about. */
export function readHeader(root: XmlElement, message: string) {
  const body = child(root, message)
  const header = child(body, 'GrpHdr')
  const identity = {
    msgId: required(header, 'MsgId', 'GrpHdr/MsgId'),
    instructingAgent: textOf(header, 'InstgAgt/FinInstnId/BICFI'),
  }
  return { body, header, identity }
}

/** An amount as it is written, with its currency; '' when it names none. */
export const readAmount = (element: XmlElement, name: string): { amount: string; currency: string } => ({
  amount: required(element, name),
  currency: path(element, name)?.attributes.Ccy ?? '',
})
