import { node, writeXml, type XmlNode } from '@partita/notation/xml'

/** The clearing system's own BIC. */
export const CLEARING_BIC = 'SIMCBEBBXXX'

/** A party with its account and bank, in the words of pacs.008. `bic` undefined: the message names no bank by BIC. */
export type Party = Readonly<{ name: string; iban: string; bic?: string | undefined }>

export const writeDocument = (name: string, body: XmlNode): string =>
  writeXml(node('Document', [body], { xmlns: `urn:iso:std:iso:20022:tech:xsd:${name}` }), { compact: true })

export const amount = (name: string, decimal: string): XmlNode => node(name, decimal, { Ccy: 'EUR' })

export const sepaServiceLevel = (): XmlNode => node('SvcLvl', [node('Cd', 'SEPA')])

export const settlement = (): XmlNode => node('SttlmInf', [node('SttlmMtd', 'CLRG'), node('ClrSys', [node('Prtry', 'SIM')])])

export const ibanAccount = (name: string, party: Party): XmlNode => node(name, [node('Id', [node('IBAN', party.iban)])])

/** An unknown bank is written as the EPC guidelines do it: an identification that says so. */
export const agent = (name: string, bic: string | undefined): XmlNode =>
  node(name, [node('FinInstnId', [bic === undefined ? node('Othr', [node('Id', 'NOTPROVIDED')]) : node('BICFI', bic)])])

/** The bank at one end of a message, where the message names one. */
export const namedAgent = (name: string, bic: string | undefined): XmlNode | undefined =>
  bic === undefined ? undefined : agent(name, bic)

export const originator = (): XmlNode => node('Orgtr', [node('Id', [node('OrgId', [node('AnyBIC', CLEARING_BIC)])])])
