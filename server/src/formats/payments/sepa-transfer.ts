import { isCalendarDate } from '@partita/notation/dates'
import type { LocalDate } from '../../platform/clock.ts'
import type { Remittance } from './elements.ts'
import { isBic, isBicOfIban, readIban } from './iban.ts'
import { isSepaCountry } from './sepa-countries.ts'
import { identifierProblem, isSepaText, NAME_LENGTH_MAX, REMITTANCE_LENGTH_MAX, toSepaText } from './sepa-text.ts'

/**
 * The rules of a SEPA credit transfer that hold whichever way it is ordered, with the ISO external status reason code of each. What breaks
 * none of them can be written as a pacs.008: nothing is found out only when it is sent.
 * @see EPC125-05, EPC132-08; sepa.md §3, §4, §8.4
 */
export const TRANSFER_RULES = {
  creditor_account_invalid: 'AC01',
  creditor_account_outside_sepa: 'CNOR',
  creditor_agent_invalid: 'RC01',
  creditor_name_missing: 'BE22',
  name_too_long: 'BE20',
  end_to_end_id_invalid: 'FF08',
  end_to_end_id_characters_not_allowed: 'RR10',
  remittance_information_invalid: 'RR07',
  structured_remittance_too_long: 'CH15',
  extended_remittance_not_offered: 'ERIN',
  creditor_reference_invalid: 'RR09',
  purpose_invalid: 'FF07',
  uetr_invalid: 'FF01',
  execution_date_invalid: 'DT01',
} as const

export type TransferRule = keyof typeof TRANSFER_RULES

/** A rule that is broken, and how, in words for whoever gave the order. */
export type Breach = { readonly rule: TransferRule; readonly message: string }

const breach = (rule: TransferRule, message: string): Breach => ({ rule, message })

/** @param iban as it was written, without blanks. @param bic of his bank, when the order names it. */
export function creditorBreach({
  iban: written,
  bic,
  name,
}: {
  readonly iban: string
  readonly bic: string | undefined
  readonly name: string | undefined
}): Breach | undefined {
  const iban = readIban(written)
  if (!iban.ok)
    return breach(
      'creditor_account_invalid',
      `Creditor account ${written.slice(0, 34)} is no IBAN: ${iban.refusal.replaceAll('_', ' ')}`,
    )
  if (!isSepaCountry(iban.value.slice(0, 2)))
    return breach('creditor_account_outside_sepa', `${iban.value.slice(0, 2)} is outside SEPA`)
  if (bic !== undefined && !isBic(bic)) return breach('creditor_agent_invalid', `Creditor agent ${bic.slice(0, 11)} is no BIC`)
  if (bic !== undefined && !isBicOfIban(bic, iban.value))
    return breach('creditor_agent_invalid', `Creditor agent ${bic} is in another country than account ${iban.value}`)
  if (name === undefined || name.trim() === '') return breach('creditor_name_missing', 'Creditor name is missing')
  return nameBreach('Creditor', name)
}

/** @param who for the message. */
export function nameBreach(who: string, name: string | undefined): Breach | undefined {
  const length = name === undefined ? 0 : toSepaText(name).length
  return length > NAME_LENGTH_MAX
    ? breach('name_too_long', `${who} name has ${length} characters, ${NAME_LENGTH_MAX} are allowed`)
    : undefined
}

/** Identifiers travel unchanged, so what cannot travel is refused. */
export function endToEndIdBreach(id: string): Breach | undefined {
  const problem = identifierProblem(id)
  if (problem === undefined) return undefined
  const rule = problem === 'characters_not_allowed' ? 'end_to_end_id_characters_not_allowed' : 'end_to_end_id_invalid'
  return breach(rule, `EndToEndId "${id.slice(0, 35)}": ${problem.replaceAll('_', ' ')}`)
}

/**
 * Why remittance information cannot travel whole: a SEPA credit transfer has room for 140 characters of text or one structured creditor
 * reference, not both, and it is never cut.
 * @see EPC132-08 AT-05; sepa.md §4
 */
export function remittanceBreach(remittance: Remittance | undefined): Breach | undefined {
  if (!remittance) return undefined
  const { unstructured, structured } = remittance
  if (unstructured.length > 0 && structured.length > 0)
    return breach('remittance_information_invalid', 'Remittance information is both structured and unstructured')
  if (structured.length > 1)
    return breach('extended_remittance_not_offered', 'More than one structured remittance block is not offered')
  const [block] = structured
  if (!block) return unstructured.length === 0 ? undefined : textBreach(unstructured.join(' '))
  const { reference } = block.creditorReference ?? {}
  if (reference === undefined)
    return breach(
      'remittance_information_invalid',
      'Structured remittance information without a creditor reference cannot be sent',
    )
  if (block.length > REMITTANCE_LENGTH_MAX)
    return breach(
      'structured_remittance_too_long',
      `Structured remittance information has more than ${REMITTANCE_LENGTH_MAX} characters`,
    )
  if (block.others.length > 0)
    return breach('extended_remittance_not_offered', `${block.others[0]} beside a creditor reference is not offered`)
  return referenceBreach(reference)
}

function textBreach(text: string): Breach | undefined {
  const length = toSepaText(text).length
  if (length === 0) return breach('remittance_information_invalid', 'Remittance information is blank')
  return length > REMITTANCE_LENGTH_MAX
    ? breach(
        'remittance_information_invalid',
        `Remittance information has ${length} characters, ${REMITTANCE_LENGTH_MAX} are allowed`,
      )
    : undefined
}

const REFERENCE_LENGTH_MAX = 35

function referenceBreach(reference: string): Breach | undefined {
  if (!isSepaText(reference))
    return breach('creditor_reference_invalid', 'The creditor reference has characters that cannot be sent')
  return reference.trim() === '' || reference.length > REFERENCE_LENGTH_MAX
    ? breach('creditor_reference_invalid', `The creditor reference has not 1 to ${REFERENCE_LENGTH_MAX} characters`)
    : undefined
}

/** @param code of the external purpose code set: four letters as a rule; whether it is on the list is for the creditor's bank to care. */
export const purposeBreach = (code: string): Breach | undefined =>
  code.length > 4 || code.trim() === '' || !isSepaText(code)
    ? breach('purpose_invalid', `Purpose "${code.slice(0, 35)}" is no code, which alone can be sent`)
    : undefined

/** Version 4 in lower case, as ISO 20022 has it. */
export const uetrBreach = (uetr: string): Breach | undefined =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uetr)
    ? undefined
    : breach('uetr_invalid', `"${uetr.slice(0, 36)}" is no UETR`)

/** At most a year ahead; whether a day that has passed means today is for whoever takes the order. */
export function executionDateBreach(requested: string, today: LocalDate): Breach | undefined {
  if (!isCalendarDate(requested)) return breach('execution_date_invalid', `${requested.slice(0, 20)} is no date`)
  const inOneYear = `${Number(today.slice(0, 4)) + 1}${today.slice(4)}`
  return requested > inOneYear ? breach('execution_date_invalid', `${requested} is more than a year ahead`) : undefined
}
