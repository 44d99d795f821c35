import { isCalendarDate } from '@partita/notation/dates'
import type { CodeOrText, OtherIdentification, Party, PartyIdentification } from './elements.ts'
import { NAME_LENGTH_MAX } from './sepa-text.ts'

type Convert = (text: string) => string

/**
 * What a SEPA credit transfer has room for: the name in 70 SEPA characters, the address of debtor and creditor but not of the ultimate
 * parties, and one identification. What the schema of the message would refuse stays here, as everything does that nothing is decided by.
 * Undefined when nothing is left to say.
 * @see EPC115-06 DS-02: "either AnyBIC, LEI or one occurrence of Other", and the same for private persons
 */
export function travellingParty(party: Party | undefined, role: 'direct' | 'ultimate', convert: Convert): Party | undefined {
  if (!party) return undefined
  const name =
    convert(party.name ?? '')
      .slice(0, NAME_LENGTH_MAX)
      .trim() || undefined
  const identification = party.identification && oneIdentification(party.identification, convert)
  const address = role === 'direct' ? party.address : undefined
  return name === undefined && identification === undefined && address === undefined
    ? undefined
    : { name, address, identification }
}

function oneIdentification(
  { kind, lei, bic, birth, others }: PartyIdentification,
  convert: Convert,
): PartyIdentification | undefined {
  if (kind === 'organisation' && lei !== undefined && LEI.test(lei)) return { kind, lei, others: [] }
  if (kind === 'organisation' && bic !== undefined && ANY_BIC.test(bic)) return { kind, bic, others: [] }
  if (kind === 'private' && birth && isCalendarDate(birth.date) && isCountry(birth.country) && convert(birth.city) !== '') {
    const province = birth.province !== undefined && convert(birth.province) === '' ? undefined : birth.province
    return { kind, birth: { ...birth, province }, others: [] }
  }
  const other = others.find(({ id }) => convert(id) !== '')
  return other && { kind, others: [travellingOther(other, convert)] }
}

const LEI = /^[A-Z0-9]{18}[0-9]{2}$/
const ANY_BIC = /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/
const isCountry = (code: string): boolean => /^[A-Z]{2}$/.test(code)

const travellingOther = ({ id, scheme, issuer }: OtherIdentification, convert: Convert): OtherIdentification => ({
  id,
  scheme: travellingCode(scheme, convert),
  issuer: issuer !== undefined && convert(issuer) === '' ? undefined : issuer,
})

/** A code of an external set has four characters at most, somebody's own text 35; one that has more is none. */
export function travellingCode(choice: CodeOrText | undefined, convert: Convert): CodeOrText | undefined {
  const { code, proprietary } = choice ?? {}
  if (code !== undefined) return code.length <= 4 && convert(code) === code && code !== '' ? { code } : undefined
  const text = proprietary === undefined ? '' : convert(proprietary).slice(0, 35).trim()
  return text === '' ? undefined : { proprietary: text }
}
