import type { Party, PartyIdentification } from './elements.ts'
import { NAME_LENGTH_MAX } from './sepa-text.ts'

/**
 * What a SEPA credit transfer has room for: the name in 70 SEPA characters, the address of debtor and creditor but not of the ultimate
 * parties, and one identification. Undefined when nothing is left to say.
 * @see EPC115-06 DS-02: "either AnyBIC, LEI or one occurrence of Other", and the same for private persons
 */
export function travellingParty(
  party: Party | undefined,
  role: 'direct' | 'ultimate',
  convert: (text: string) => string,
): Party | undefined {
  if (!party) return undefined
  const name = party.name && convert(party.name).slice(0, NAME_LENGTH_MAX).trim()
  const identification = party.identification && oneIdentification(party.identification)
  const address = role === 'direct' ? party.address : undefined
  return name === undefined && identification === undefined && address === undefined
    ? undefined
    : { name, address, identification }
}

function oneIdentification({ kind, lei, bic, birth, others }: PartyIdentification): PartyIdentification | undefined {
  if (kind === 'organisation' && lei !== undefined) return { kind, lei, others: [] }
  if (kind === 'organisation' && bic !== undefined) return { kind, bic, others: [] }
  if (kind === 'private' && birth !== undefined) return { kind, birth, others: [] }
  return others.length === 0 ? undefined : { kind, others: others.slice(0, 1) }
}
