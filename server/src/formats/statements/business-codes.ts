/** ISO 20022 bank transaction code: domain, family, sub-family. */
export type TransactionCode = readonly [domain: string, family: string, subFamily: string]

/**
 * What German banks number in MT940 (Geschäftsvorfallcodes), where ISO 20022 has a code that says the same. Others stay what they are: a number
 * of the bank's own.
 * @see Deutsche Kreditwirtschaft, DFÜ-Abkommen, Anlage 3, chapter 8
 */
const GERMAN: Readonly<Record<string, string>> = {
  '104': 'PMNT/RDDT/BBDD',
  '105': 'PMNT/RDDT/ESDD',
  '108': 'PMNT/IDDT/UPDD',
  '109': 'PMNT/IDDT/UPDD',
  '116': 'PMNT/ICDT/ESCT',
  '117': 'PMNT/ICDT/STDO',
  '118': 'PMNT/IRCT/ESCT',
  '119': 'PMNT/ICDT/ESCT',
  '152': 'PMNT/RCDT/STDO',
  '153': 'PMNT/RCDT/SALA',
  '154': 'PMNT/RCDT/ESCT',
  '155': 'PMNT/RCDT/ESCT',
  '156': 'PMNT/RCDT/ESCT',
  '159': 'PMNT/ICDT/RRTN',
  '166': 'PMNT/RCDT/ESCT',
  '167': 'PMNT/RCDT/ESCT',
  '168': 'PMNT/RRCT/ESCT',
  '169': 'PMNT/RCDT/ESCT',
  '171': 'PMNT/IDDT/ESDD',
  '174': 'PMNT/IDDT/BBDD',
  '181': 'PMNT/RDDT/UPDD',
  '184': 'PMNT/RDDT/UPDD',
  '191': 'PMNT/ICDT/ESCT',
  '192': 'PMNT/IDDT/ESDD',
  '194': 'PMNT/RCDT/ESCT',
  '195': 'PMNT/RDDT/ESDD',
  '196': 'PMNT/IDDT/BBDD',
  '197': 'PMNT/RDDT/BBDD',
}

const ISO = /^[A-Z]{4}\/[A-Z]{4}\/[A-Z0-9]{4}$/

/** What a bank stated (`PMNT/RCDT/ESCT`, `NDDT+105`), as ISO 20022 says it; undefined where it is a word of the bank's own, or nothing. */
export function isoCodeOf(stated: string | null): TransactionCode | undefined {
  const iso =
    stated !== null && ISO.test(stated) ? stated : GERMAN[/^(?:[NFS][A-Z0-9 ]{3}\+)?(\d{3})$/.exec(stated ?? '')?.[1] ?? '']
  return iso?.split('/') as unknown as TransactionCode | undefined
}

/** SWIFT's own word for the kind of business, where that is what was stated: `NDDT+105` is NDDT. */
export const swiftTypeOf = (stated: string | null): string | undefined =>
  /^([NFS][A-Z0-9]{3})(?:\+\d{3})?$/.exec(stated ?? '')?.[1]
