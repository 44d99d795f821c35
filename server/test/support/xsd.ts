import { XmlDocument, XmlValidateError, XsdValidator } from 'libxml2-wasm'
import { readStandard } from './standards.ts'

const validators = new Map<string, XsdValidator>()

/**
 * Validates a message against ISO 20022's own schema, with libxml2.
 * @param message for example `camt.053.001.08`.
 * @returns the schema's complaints; empty when the message is valid.
 * @throws XmlParseError when it is not even XML.
 */
export function xsdProblems(message: string, xml: string | Uint8Array): string[] {
  let validator = validators.get(message)
  if (!validator) {
    using schema = XmlDocument.fromBuffer(readStandard(`iso20022/xsd/${message}.xsd`))
    validator = XsdValidator.fromDoc(schema)
    validators.set(message, validator)
  }
  using document = typeof xml === 'string' ? XmlDocument.fromString(xml) : XmlDocument.fromBuffer(xml)
  try {
    validator.validate(document)
    return []
  } catch (error) {
    if (!(error instanceof XmlValidateError)) throw error
    return error.details.map((detail) => `${detail.line}: ${detail.message.trim()}`)
  }
}
