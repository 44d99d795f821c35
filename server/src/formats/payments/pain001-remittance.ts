import type { Remittance } from './elements.ts'
import { isSepaText, REMITTANCE_LENGTH_MAX, toSepaText } from './sepa-text.ts'

/**
 * Why remittance information cannot travel whole: a SEPA credit transfer has room for 140 characters of text or one structured creditor
 * reference, not both, and it is never cut.
 * @see EPC132-08 AT-05; sepa.md §4
 */
export function remittanceRejection(remittance: Remittance | undefined): readonly [string, string] | undefined {
  if (!remittance) return undefined
  const { unstructured, structured } = remittance
  if (unstructured.length > 0 && structured.length > 0)
    return ['RR07', 'Remittance information is both structured and unstructured']
  if (structured.length > 1) return ['ERIN', 'More than one structured remittance block is not offered']
  const [block] = structured
  if (block) {
    if (block.creditorReference?.reference === undefined)
      return ['RR07', 'Structured remittance information without a creditor reference cannot be sent']
    if (block.length > REMITTANCE_LENGTH_MAX)
      return ['CH15', `Structured remittance information has more than ${REMITTANCE_LENGTH_MAX} characters`]
    if (block.others.length > 0) return ['ERIN', `${block.others[0]} beside a creditor reference is not offered`]
    return isSepaText(block.creditorReference.reference)
      ? undefined
      : ['RR09', 'The creditor reference has characters that cannot be sent']
  }
  const length = toSepaText(unstructured.join(' ')).length
  return length > REMITTANCE_LENGTH_MAX
    ? ['RR07', `Remittance information has ${length} characters, ${REMITTANCE_LENGTH_MAX} are allowed`]
    : undefined
}
