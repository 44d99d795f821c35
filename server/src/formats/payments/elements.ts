import { child, children, node, path, textOf, type XmlElement, type XmlNode } from '@partita/notation/xml'

/**
 * The parts that payment messages share, in ISO 20022's words. Absent is undefined or an empty list; text is trimmed and otherwise as it
 * was written. Both generations are read: 2009 (BIC, BICOrBEI) and 2019 (BICFI, AnyBIC).
 */

/** A decimal as it was written, and its ISO 4217 code. */
export type Amount = Readonly<{ value: string; currency: string }>

/** A code of an external code set, or somebody's own text. */
export type CodeOrText = Readonly<{ code?: string | undefined; proprietary?: string | undefined }>

export type PostalAddress = Readonly<Partial<Record<AddressPart, string>> & { lines: readonly string[] }>

export type OtherIdentification = Readonly<{ id: string; scheme?: CodeOrText | undefined; issuer?: string | undefined }>

/** How a party is identified besides its name. */
export type PartyIdentification = Readonly<{
  kind: 'organisation' | 'private'
  bic?: string | undefined
  lei?: string | undefined
  others: readonly OtherIdentification[]
  birth?: Readonly<{ date: string; province?: string | undefined; city: string; country: string }> | undefined
}>

export type Party = Readonly<{
  name?: string | undefined
  address?: PostalAddress | undefined
  identification?: PartyIdentification | undefined
  countryOfResidence?: string | undefined
}>

/** A reference for the creditor's bookkeeping; `type` SCOR is ISO 11649. */
export type CreditorReference = Readonly<{
  reference?: string | undefined
  type?: CodeOrText | undefined
  issuer?: string | undefined
}>

export type Remittance = Readonly<{
  unstructured: readonly string[]
  structured: readonly Readonly<{
    creditorReference?: CreditorReference | undefined
    /** Tags of what stands beside the reference. */
    others: readonly string[]
    length: number
  }>[]
}>

export type PaymentType = Readonly<{
  priority?: string | undefined
  serviceLevels: readonly CodeOrText[]
  localInstrument?: CodeOrText | undefined
  categoryPurpose?: CodeOrText | undefined
}>

/** Why something was rejected or returned. */
export type Reason = CodeOrText & Readonly<{ originator?: string | undefined; additional: readonly string[] }>

// ---------------------------------------------------------------------------------------------- address

/** In the order of the schema, with its lengths: text may grow when it becomes SEPA text. */
const ADDRESS_PARTS = [
  ['Dept', 'department', 70],
  ['SubDept', 'subDepartment', 70],
  ['StrtNm', 'streetName', 70],
  ['BldgNb', 'buildingNumber', 16],
  ['BldgNm', 'buildingName', 35],
  ['Flr', 'floor', 70],
  ['PstBx', 'postBox', 16],
  ['Room', 'room', 70],
  ['PstCd', 'postCode', 16],
  ['TwnNm', 'townName', 35],
  ['TwnLctnNm', 'townLocationName', 35],
  ['DstrctNm', 'districtName', 35],
  ['CtrySubDvsn', 'countrySubDivision', 35],
  ['Ctry', 'country', 2],
] as const

type AddressPart = (typeof ADDRESS_PARTS)[number][1]

function readAddress(element: XmlElement | undefined): PostalAddress | undefined {
  if (!element) return undefined
  const address: Partial<Record<AddressPart, string>> & { lines: string[] } = { lines: texts(element, 'AdrLine') }
  for (const [tag, part] of ADDRESS_PARTS) {
    const text = textOf(element, tag)
    if (text !== undefined) address[part] = text
  }
  return address
}

/**
 * An address travels with town and country in their own elements or not at all: unstructured ones are refused since 15 November 2026,
 * and inside the EEA an address may be absent (EPC153-22).
 */
function addressNode(address: PostalAddress | undefined, convert: (text: string) => string): XmlNode | undefined {
  if (address?.townName === undefined || convert(address.townName) === '') return undefined
  if (!/^[A-Z]{2}$/.test(address.country ?? '')) return undefined
  const fitting = (tag: string, text: string, lengthMax: number) => optional(tag, convert(text).slice(0, lengthMax) || undefined)
  const parts = ADDRESS_PARTS.map(([tag, part, lengthMax]) => {
    const text = address[part]
    return text === undefined ? undefined : fitting(tag, text, lengthMax)
  })
  const lines = address.lines.slice(0, ADDRESS_LINES_MAX).map((line) => fitting('AdrLine', line, 70))
  return node('PstlAdr', [...parts, ...lines])
}

/** EPC guidelines: two lines beside town and country, the schema has room for seven. */
const ADDRESS_LINES_MAX = 2

// ---------------------------------------------------------------------------------------------- parties

export function readParty(element: XmlElement | undefined): Party | undefined {
  if (!element) return undefined
  return {
    name: textOf(element, 'Nm'),
    address: readAddress(child(element, 'PstlAdr')),
    identification: readPartyIdentification(child(element, 'Id')),
    countryOfResidence: textOf(element, 'CtryOfRes'),
  }
}

function readPartyIdentification(element: XmlElement | undefined): PartyIdentification | undefined {
  const organisation = child(element, 'OrgId')
  const found = organisation ?? child(element, 'PrvtId')
  if (!found) return undefined
  const birth = child(found, 'DtAndPlcOfBirth')
  return {
    kind: organisation ? 'organisation' : 'private',
    bic: textOf(found, 'AnyBIC') ?? textOf(found, 'BICOrBEI'),
    lei: textOf(found, 'LEI'),
    others: children(found, 'Othr').map((other) => ({
      id: textOf(other, 'Id') ?? '',
      scheme: readCodeOrText(child(other, 'SchmeNm')),
      issuer: textOf(other, 'Issr'),
    })),
    birth: birth && {
      date: textOf(birth, 'BirthDt') ?? '',
      province: textOf(birth, 'PrvcOfBirth'),
      city: textOf(birth, 'CityOfBirth') ?? '',
      country: textOf(birth, 'CtryOfBirth') ?? '',
    },
  }
}

/** A party in the 2019 generation. `convert` brings free text into the scheme's characters. */
export function partyNode(tag: string, party: Party | undefined, convert: (text: string) => string): XmlNode | undefined {
  if (!party) return undefined
  return node(tag, [
    party.name === undefined ? undefined : node('Nm', convert(party.name)),
    addressNode(party.address, convert),
    identificationNode(party.identification, convert),
    optional('CtryOfRes', party.countryOfResidence),
  ])
}

function identificationNode(
  identification: PartyIdentification | undefined,
  convert: (text: string) => string,
): XmlNode | undefined {
  if (!identification) return undefined
  const { kind, bic, lei, birth, others } = identification
  const content = [
    kind === 'organisation' ? optional('AnyBIC', bic) : undefined,
    kind === 'organisation' ? optional('LEI', lei) : undefined,
    kind === 'private' && birth
      ? node('DtAndPlcOfBirth', [
          node('BirthDt', birth.date),
          birth.province === undefined ? undefined : node('PrvcOfBirth', convert(birth.province).slice(0, 35)),
          node('CityOfBirth', convert(birth.city).slice(0, 35)),
          node('CtryOfBirth', birth.country),
        ])
      : undefined,
    ...others.map((other) =>
      node('Othr', [
        node('Id', convert(other.id).slice(0, 35)),
        choiceNode('SchmeNm', other.scheme),
        optional('Issr', other.issuer && convert(other.issuer).slice(0, 35)),
      ]),
    ),
  ]
  return content.every((part) => part === undefined)
    ? undefined
    : node('Id', [node(kind === 'organisation' ? 'OrgId' : 'PrvtId', content)])
}

// ---------------------------------------------------------------------------------------------- agents, accounts, amounts

/** The BIC of an agent; undefined when the message names none, which some programs say in the place of the BIC. */
export function readAgent(element: XmlElement | undefined): string | undefined {
  const bic = textOf(element, 'FinInstnId/BICFI') ?? textOf(element, 'FinInstnId/BIC')
  return bic === 'NOTPROVIDED' ? undefined : bic
}

/** An agent by its BIC, or the words of the EPC guidelines for "none given". */
export const agentNode = (tag: string, bic: string | undefined): XmlNode =>
  node(tag, [node('FinInstnId', [bic === undefined ? node('Othr', [node('Id', 'NOTPROVIDED')]) : node('BICFI', bic)])])

export const optionalAgentNode = (tag: string, bic: string | undefined): XmlNode | undefined =>
  bic === undefined ? undefined : agentNode(tag, bic)

/** An account's IBAN without blanks, or undefined when it is identified otherwise. */
export const readAccountIban = (element: XmlElement | undefined): string | undefined =>
  textOf(element, 'Id/IBAN')?.replace(/\s+/g, '')

export const accountNode = (tag: string, iban: string | undefined): XmlNode | undefined =>
  iban === undefined ? undefined : node(tag, [node('Id', [node('IBAN', iban)])])

export function readAmount(element: XmlElement | undefined): Amount | undefined {
  const value = textOf(element)
  return value === undefined ? undefined : { value, currency: element?.attributes.Ccy ?? '' }
}

export const amountNode = (tag: string, amount: Amount): XmlNode => node(tag, amount.value, { Ccy: amount.currency })

export const settlementNode = (clearingSystem: string | undefined): XmlNode =>
  node('SttlmInf', [
    node('SttlmMtd', 'CLRG'),
    clearingSystem === undefined ? undefined : node('ClrSys', [node('Prtry', clearingSystem)]),
  ])

// ---------------------------------------------------------------------------------------------- type, remittance, reasons

export function readPaymentType(element: XmlElement | undefined): PaymentType | undefined {
  if (!element) return undefined
  return {
    priority: textOf(element, 'InstrPrty'),
    serviceLevels: children(element, 'SvcLvl').map((level) => readCodeOrText(level) ?? {}),
    localInstrument: readCodeOrText(child(element, 'LclInstrm')),
    categoryPurpose: readCodeOrText(child(element, 'CtgyPurp')),
  }
}

export function readRemittance(element: XmlElement | undefined): Remittance | undefined {
  if (!element) return undefined
  return {
    unstructured: texts(element, 'Ustrd'),
    structured: children(element, 'Strd').map((structured) => {
      const reference = child(structured, 'CdtrRefInf')
      return {
        creditorReference: reference && {
          reference: textOf(reference, 'Ref'),
          type: readCodeOrText(path(reference, 'Tp/CdOrPrtry')),
          issuer: textOf(reference, 'Tp/Issr'),
        },
        others: structured.children.filter(({ name }) => name !== 'CdtrRefInf').map(({ name }) => name),
        length: contentLength(structured),
      }
    }),
  }
}

/** How the EPC counts structured remittance against 140 characters: the block's text and tags without `Strd` itself. */
function contentLength(element: XmlElement): number {
  let length = 0
  for (const part of element.children)
    length += part.name.length * 2 + 5 + (part.children.length > 0 ? contentLength(part) : part.text.trim().length)
  return length
}

export function remittanceNode(remittance: Remittance | undefined, convert: (text: string) => string): XmlNode | undefined {
  const structured =
    remittance?.structured.flatMap(({ creditorReference }) => (creditorReference ? [creditorReference] : [])) ?? []
  const content = [
    ...(remittance?.unstructured ?? []).map((text) => node('Ustrd', convert(text).slice(0, 140))),
    ...structured.map(({ type, issuer, reference }) => {
      const kind =
        type &&
        node('Tp', [choiceNode('CdOrPrtry', type), optional('Issr', (issuer && convert(issuer).slice(0, 35)) || undefined)])
      return node('Strd', [node('CdtrRefInf', [kind, optional('Ref', reference && convert(reference).slice(0, 35))])])
    }),
  ]
  return content.length === 0 ? undefined : node('RmtInf', content)
}

export const readReasons = (element: XmlElement | undefined, tag: 'StsRsnInf' | 'RtrRsnInf'): Reason[] =>
  children(element, tag).map((reason) => ({
    ...readCodeOrText(child(reason, 'Rsn')),
    originator:
      textOf(reason, 'Orgtr/Nm') ?? textOf(reason, 'Orgtr/Id/OrgId/AnyBIC') ?? textOf(reason, 'Orgtr/Id/OrgId/BICOrBEI'),
    additional: texts(reason, 'AddtlInf'),
  }))

export function readCodeOrText(element: XmlElement | undefined): CodeOrText | undefined {
  if (!element) return undefined
  return { code: textOf(element, 'Cd'), proprietary: textOf(element, 'Prtry') }
}

export function choiceNode(tag: string, choice: CodeOrText | undefined): XmlNode | undefined {
  if (choice?.code !== undefined) return node(tag, [node('Cd', choice.code)])
  return choice?.proprietary === undefined ? undefined : node(tag, [node('Prtry', choice.proprietary)])
}

// ---------------------------------------------------------------------------------------------- leaves

/** An element of text, or nothing. */
export const optional = (tag: string, text: string | undefined): XmlNode | undefined =>
  text === undefined ? undefined : node(tag, text)

export const texts = (element: XmlElement | undefined, tag: string): string[] =>
  children(element, tag).flatMap((found) => textOf(found) ?? [])
