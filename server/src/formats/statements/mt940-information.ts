import { ibanShaped } from './account.ts'
import { swiftAmount } from './swift-field.ts'
import { oneLine } from './text.ts'
import type { InstructedAmount } from './types.ts'

/** What field 86 tells about an entry. */
type Information = {
  remittance: string
  postingText: string
  /** German business transaction code (GVC). */
  transactionCode: string | null
  name: string | null
  account: string | null
  bic: string | null
  endToEndId: string | null
  mandateId: string | null
  instructionId: string | null
  creditorId: string | null
  ultimateParty: string | null
  purpose: string | null
  /** The order before it was exchanged. */
  instructed: InstructedAmount | null
  /** The bank's reference, where it was too long for field 61. */
  bankReference: string | null
}

const nothing = (): Information => ({
  remittance: '',
  postingText: '',
  transactionCode: null,
  name: null,
  account: null,
  bic: null,
  endToEndId: null,
  mandateId: null,
  instructionId: null,
  creditorId: null,
  ultimateParty: null,
  purpose: null,
  instructed: null,
  bankReference: null,
})

/**
 * Reads field 86 in the three shapes that banks use: German `166?00GUTSCHRIFT?20...` (any mark for `?`), Dutch and Belgian `/EREF/.../REMI/...`,
 * and plain text.
 *
 * @param outgoing decides whose side is the counterparty where both are named.
 */
export function readInformation(lines: readonly string[], outgoing: boolean): Information {
  const glued = lines.join('')
  const german = /^\s*(\d{3})\s?([?><~^|@#&!*])\d{2}/.exec(glued)
  if (german) return germanInformation(glued, german[1] ?? '', german[2] ?? '?')
  if (/^\s*(?:\d{3})?\s*\/(?:[A-Z]{3,4}|CNTP|ORDP|BENM)\//.test(glued) && TAG.test(glued))
    return taggedInformation(glued, outgoing)
  return { ...nothing(), remittance: oneLine(lines.join(' ')), account: ibanIn(lines.join(' ')) }
}

/** Subfields ?00 to ?63. Text goes on over ?20 to ?29 and ?60 to ?63 without a break, as the bank cut it every 27 characters. */
function germanInformation(text: string, code: string, mark: string): Information {
  const fields = new Map<string, string>()
  for (const part of text.split(mark).slice(1)) {
    const number = /^\d{2}/.exec(part)?.[0]
    const previous = [...fields.keys()].at(-1)
    if (number && !fields.has(number)) fields.set(number, part.slice(2))
    else if (previous) fields.set(previous, `${fields.get(previous)}${mark}${part}`)
  }
  const field = (number: string) => fields.get(number) ?? ''
  const numbers = [...fields.keys()].sort()
  const purposeParts = numbers.filter((n) => /^(?:2\d|6[0-3])$/.test(n)).map(field)
  const purpose = sepaPurpose(purposeParts)
  const account = field('31').trim() || field('38').trim() || purpose.keywords.get('IBAN') || ''
  return {
    ...nothing(),
    transactionCode: code,
    postingText: oneLine(field('00')),
    remittance: purpose.remittance,
    name: oneLine(field('32') + field('33')) || null,
    account: (ibanShaped(field('38')) ?? account) || null,
    bic: field('30').trim() || purpose.keywords.get('BIC') || null,
    endToEndId: provided(purpose.keywords.get('EREF')),
    mandateId: provided(purpose.keywords.get('MREF')),
    instructionId: provided(purpose.keywords.get('KREF')),
    creditorId: provided(purpose.keywords.get('CRED')),
    ultimateParty: provided(purpose.keywords.get('ABWA') ?? purpose.keywords.get('ABWE')),
    purpose: provided(purpose.keywords.get('PURP')),
    instructed: instructedIn(purpose.keywords.get('OAMT')),
  }
}

const KEYWORD = /(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP)\+ ?/g

/** The purpose lines of a SEPA booking hold `EREF+...`, `MREF+...`, `SVWZ+...` one after the other. */
function sepaPurpose(parts: readonly string[]): { remittance: string; keywords: Map<string, string> } {
  const keywords = new Map<string, string>()
  // A keyword at the start of a subfield ends the one before; inside it, text may simply go on.
  const text = parts.join('')
  const found = [...text.matchAll(KEYWORD)]
  if (found.length === 0) return { remittance: oneLine(parts.join(' ')), keywords }
  for (const [index, match] of found.entries()) {
    const end = found[index + 1]?.index ?? text.length
    const name = match[1] ?? ''
    if (!keywords.has(name)) keywords.set(name, oneLine(text.slice(match.index + match[0].length, end)))
  }
  return { remittance: keywords.get('SVWZ') ?? oneLine(text.slice(0, found[0]?.index)), keywords }
}

const TAG =
  /\/(TRCD|TRTP|EREF|PREF|KREF|MARF|CSID|RTRN|IBAN|BIC|NAME|REMI|CNTP|ORDP|BENM|ULTD|ULTC|ULTB|PURP|ISDT|ADDR|ID|OCMT|EXCH|CHGS|CHGS1|CHGS2|SVCL|ACCW|BUSP|TRID|STZZ|INID|OPRP|SUBC|UETR)\//

/** `/TAG/value` pairs; the text of one goes on until the next known tag. */
function taggedInformation(text: string, outgoing: boolean): Information {
  const values = new Map<string, string>()
  let side: '' | 'ORDP' | 'BENM' = ''
  const parts = text.split(new RegExp(TAG, 'g'))
  for (let index = 1; index + 1 < parts.length; index += 2) {
    const tag = parts[index] ?? ''
    const value = parts[index + 1] ?? ''
    if (tag === 'ORDP' || tag === 'BENM') side = tag
    else if (tag === 'REMI' || tag === 'EREF') side = ''
    const key = side !== '' && ['NAME', 'IBAN', 'BIC'].includes(tag) ? `${side}.${tag}` : tag
    if (!values.has(key)) values.set(key, value)
  }
  const take = (tag: string) =>
    values.get(outgoing ? `BENM.${tag}` : `ORDP.${tag}`) ??
    values.get(tag) ??
    values.get(outgoing ? `ORDP.${tag}` : `BENM.${tag}`)
  // ING: /CNTP/account/bic/name/city/
  const counterparty = values.get('CNTP')?.split('/')
  const remittance = (values.get('REMI') ?? '').replace(/^\/?(?:USTD|STRD)\/(?:\/)?/, '').replace(/\/$/, '')
  return {
    ...nothing(),
    remittance: oneLine(remittance),
    postingText: oneLine(values.get('TRTP') ?? ''),
    transactionCode: values.get('TRCD')?.replace(/\/$/, '').trim() || null,
    name: oneLine(take('NAME')?.replace(/\/+$/, '') ?? counterparty?.[2] ?? '') || null,
    account: (take('IBAN') ?? counterparty?.[0])?.replace(/\//g, '').trim() || null,
    bic: (take('BIC') ?? counterparty?.[1])?.replace(/\//g, '').trim() || null,
    endToEndId: provided(values.get('EREF')),
    mandateId: provided(values.get('MARF')),
    instructionId: provided(values.get('PREF') ?? values.get('KREF')),
    creditorId: provided(values.get('CSID')),
    ultimateParty: provided((values.get('ULTD') ?? values.get('ULTC') ?? values.get('ULTB'))?.replace(/^\/?NAME\/|\/+$/g, '')),
    purpose: provided(values.get('PURP')?.replace(/^\/?CD\//, '')),
    instructed: instructedIn(values.get('OCMT')),
    bankReference: provided(values.get('TRID')),
  }
}

/** `USD200,00`, `200,00 USD`, `OCMT/USD200,/`: an amount with its currency, before or behind it. */
function instructedIn(text: string | undefined): InstructedAmount | null {
  const match = /^\s*(?:([A-Z]{3})\s?([\d.,]+)|([\d.,]+)\s?([A-Z]{3}))\s*\/?\s*$/.exec(text ?? '')
  const amount = swiftAmount(match?.[2] ?? match?.[3] ?? '')
  const currency = match?.[1] ?? match?.[4]
  return amount === undefined || currency === undefined ? null : { amount, currency }
}

/** A reference, unless it says that there is none. */
const provided = (text: string | undefined): string | null => {
  const value = oneLine(text?.replace(/\/$/, '') ?? '')
  return value === '' || /^(?:NOTPROVIDED|NOT PROVIDED|NONREF)$/i.test(value) ? null : value
}

/** An IBAN somewhere in free text, printed in one piece. */
const ibanIn = (text: string): string | null => /\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b/.exec(text)?.[0] ?? null
