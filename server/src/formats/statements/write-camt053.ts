import { node, writeXml, type XmlNode } from '@partita/notation/xml'
import { formatDecimal, type Money } from '../../platform/money.ts'
import { bicShaped, ibanShaped } from './account.ts'
import {
  absolute,
  assertAddsUp,
  bankTransactionCode,
  proprietaryCode,
  type StatementDocument,
  type StatementDocumentEntry,
  statementId,
} from './statement-document.ts'
import { oneLine } from './text.ts'
import type { Charge, Counterparty, EntryFacts, EntryReferences, InstructedAmount } from './types.ts'

/**
 * Writes camt.053.001.08: one statement for the whole period, opening and closing booked balance, every entry booked.
 * @see ISO 20022 camt.053.001.08; bank transaction codes as in sepa.md section 11.
 */
export function writeCamt053(document: StatementDocument): string {
  assertAddsUp(document)
  const created = `${document.createdAt.toISOString().slice(0, 19)}Z`
  const { currency } = document.opening
  const bic = bicShaped(document.bic)
  const message = node(
    'Document',
    [
      node('BkToCstmrStmt', [
        node('GrpHdr', [
          node('MsgId', statementId(document)),
          node('CreDtTm', created),
          node('MsgPgntn', [node('PgNb', '1'), node('LastPgInd', 'true')]),
        ]),
        node('Stmt', [
          node('Id', statementId(document)),
          node('ElctrncSeqNb', document.sequenceNumber.toString()),
          node('CreDtTm', created),
          node('FrToDt', [node('FrDtTm', `${document.from}T00:00:00`), node('ToDtTm', `${document.to}T23:59:59`)]),
          node('Acct', [
            node('Id', [accountId(document.iban)]),
            node('Ccy', currency),
            node('Ownr', [node('Nm', cut(document.holderName, 140) || document.iban)]),
            node('Svcr', [node('FinInstnId', [bic === null ? otherId('NOTPROVIDED') : node('BICFI', bic)])]),
          ]),
          balance('OPBD', document.opening, document.from),
          balance('CLBD', document.closing, document.to),
          summary(document.entries, document.opening),
          ...document.entries.map(writeEntry),
        ]),
      ]),
    ],
    { xmlns: 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.08' },
  )
  return writeXml(message)
}

const otherId = (id: string): XmlNode => node('Othr', [node('Id', cut(id, 34))])

const accountId = (account: string): XmlNode => (ibanShaped(account) ? node('IBAN', account) : otherId(account))

const indicator = (amount: Money): XmlNode => node('CdtDbtInd', amount.minor < 0n ? 'DBIT' : 'CRDT')

const amountNode = (amount: Money): XmlNode => node('Amt', formatDecimal(absolute(amount)), { Ccy: amount.currency })

const balance = (type: string, amount: Money, date: string): XmlNode =>
  node('Bal', [
    node('Tp', [node('CdOrPrtry', [node('Cd', type)])]),
    amountNode(amount),
    indicator(amount),
    node('Dt', [node('Dt', date)]),
  ])

function summary(entries: readonly StatementDocumentEntry[], opening: Money): XmlNode {
  const side = (debit: boolean) => entries.filter((entry) => entry.amount.minor < 0n === debit)
  const total = (of: readonly StatementDocumentEntry[]) => {
    const minor = of.reduce((sum, entry) => sum + absolute(entry.amount).minor, 0n)
    return [node('NbOfNtries', of.length.toString()), node('Sum', formatDecimal({ currency: opening.currency, minor }))]
  }
  return node('TxsSummry', [
    node('TtlNtries', total(entries)),
    node('TtlCdtNtries', total(side(false))),
    node('TtlDbtNtries', total(side(true))),
  ])
}

function writeEntry(entry: StatementDocumentEntry): XmlNode {
  const code = codeNode(entry)
  const description = cut(entry.description ?? '', 500)
  const inside = entry.told?.details ?? []
  const batch = inside.length > 0 ? [node('Btch', [node('NbOfTxs', inside.length.toString())])] : []
  return node('Ntry', [
    amountNode(entry.amount),
    indicator(entry.amount),
    node('RvslInd', entry.reversal ? 'true' : 'false'),
    node('Sts', [node('Cd', 'BOOK')]),
    node('BookgDt', [node('Dt', entry.bookingDate)]),
    entry.valueDate === null ? undefined : node('ValDt', [node('Dt', entry.valueDate)]),
    optional('AcctSvcrRef', entry.reference),
    code,
    chargesNode(entry.told?.charges ?? []),
    node('NtryDtls', [
      ...batch,
      ...(inside.length > 0
        ? inside.map((detail) => node('TxDtls', detailOf(detail, entry)))
        : [node('TxDtls', details(entry, code))]),
    ]),
    description === '' ? undefined : node('AddtlNtryInf', description),
  ])
}

/** ISO 20022's code, the bank's own beside it, or, where nobody said either, that there is none. */
function codeNode(entry: StatementDocumentEntry): XmlNode {
  const iso = bankTransactionCode(entry)
  const own = cut(proprietaryCode(entry) ?? '', 35)
  const [domain, family, subFamily] = iso ?? ['XTND', 'NTAV', 'NTAV']
  return node('BkTxCd', [
    iso || own === ''
      ? node('Domn', [node('Cd', domain), node('Fmly', [node('Cd', family), node('SubFmlyCd', subFamily)])])
      : undefined,
    own === '' ? undefined : node('Prtry', [node('Cd', own)]),
  ])
}

function chargesNode(charges: readonly Charge[]): XmlNode | undefined {
  const records = charges.filter(({ amount, currency }) => isWritable(amount) && /^[A-Z]{3}$/.test(currency))
  if (records.length === 0) return undefined
  return node(
    'Chrgs',
    records.map(({ amount, currency, included }) =>
      node('Rcrd', [
        node('Amt', amount, { Ccy: currency }),
        included === null ? undefined : node('ChrgInclInd', included ? 'true' : 'false'),
      ]),
    ),
  )
}

/** Not negative, and no more digits than the schema has. */
const isWritable = (amount: string): boolean => /^\d{1,13}(?:\.\d{1,5})?$/.test(amount)

/** UUID version 4 in small letters, as the schema demands; another identifier is left out of the message. */
const UETR = /^[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}$/

function details(entry: StatementDocumentEntry, code: XmlNode): (XmlNode | undefined)[] {
  const { told } = entry
  return [
    node('Refs', [
      ...referenceNodes({
        ...told?.references,
        accountServicerReference: told?.references.accountServicerReference ?? entry.reference,
        endToEndId: entry.endToEndId,
        uetr: entry.uetr,
        transactionId: entry.transactionId,
        mandateId: entry.mandateId,
      }),
    ]),
    amountNode(entry.amount),
    indicator(entry.amount),
    instructedNode(told?.instructed ?? null),
    code,
    ...partyNodes(roleOf(entry), {
      counterparty: {
        name: entry.counterpartyName,
        iban: entry.counterpartyIban,
        account: told?.counterparty.account ?? null,
        bic: entry.counterpartyBic,
      },
      ultimateParty: told?.ultimateParty ?? null,
      creditorId: told?.references.creditorId ?? null,
    }),
    purposeNode(told?.purpose ?? null),
    remittanceNode(entry.remittanceInformation ?? '', told?.references.creditorReference ?? null),
    told?.returnReason && /^[A-Z0-9]{1,4}$/.test(told.returnReason)
      ? node('RtrInf', [node('Rsn', [node('Cd', told.returnReason)])])
      : undefined,
  ]
}

/** One of the transactions that the bank booked in one sum. */
function detailOf(detail: EntryFacts['details'][number], entry: StatementDocumentEntry): (XmlNode | undefined)[] {
  const size = detail.amount?.replace(/^-/, '') ?? ''
  const amount = isWritable(size) && detail.currency !== null ? node('Amt', size, { Ccy: detail.currency }) : undefined
  const isDebit = detail.amount === null ? entry.amount.minor < 0n : detail.amount.startsWith('-')
  const additional = cut(detail.additionalInformation, 500)
  return [
    node('Refs', referenceNodes(detail.references)),
    amount,
    amount && node('CdtDbtInd', isDebit ? 'DBIT' : 'CRDT'),
    instructedNode(detail.instructed),
    ...partyNodes(roleOf(entry), { ...detail, creditorId: detail.references.creditorId }),
    purposeNode(detail.purpose),
    remittanceNode(detail.remittance, detail.references.creditorReference),
    detail.returnReason && /^[A-Z0-9]{1,4}$/.test(detail.returnReason)
      ? node('RtrInf', [node('Rsn', [node('Cd', detail.returnReason)])])
      : undefined,
    additional === '' ? undefined : node('AddtlTxInf', additional),
  ]
}

/** The other side of what we pay is the creditor, also when it comes back: parties keep their roles in a return. */
function roleOf(entry: StatementDocumentEntry): 'Cdtr' | 'Dbtr' {
  const family = bankTransactionCode(entry)?.[1] ?? ''
  const weAreDebtor =
    ['ICDT', 'IRCT', 'RDDT'].includes(family) || (!['RCDT', 'RRCT', 'IDDT'].includes(family) && entry.amount.minor < 0n)
  return weAreDebtor ? 'Cdtr' : 'Dbtr'
}

const referenceNodes = (references: Partial<EntryReferences>): (XmlNode | undefined)[] => [
  optional('MsgId', references.messageId ?? null),
  optional('AcctSvcrRef', references.accountServicerReference ?? null),
  optional('PmtInfId', references.paymentInformationId ?? null),
  optional('InstrId', references.instructionId ?? null),
  node('EndToEndId', cut(references.endToEndId ?? '', 35) || 'NOTPROVIDED'),
  UETR.test(references.uetr ?? '') ? node('UETR', references.uetr ?? '') : undefined,
  optional('TxId', references.transactionId ?? null),
  optional('MndtId', references.mandateId ?? null),
  optional('ChqNb', references.chequeNumber ?? null),
]

/** The order's own amount, before it was exchanged. */
const instructedNode = (instructed: InstructedAmount | null): XmlNode | undefined =>
  instructed && isWritable(instructed.amount) && /^[A-Z]{3}$/.test(instructed.currency)
    ? node('AmtDtls', [node('InstdAmt', [node('Amt', instructed.amount, { Ccy: instructed.currency })])])
    : undefined

type Parties = {
  readonly counterparty: Counterparty
  readonly ultimateParty: string | null
  readonly creditorId: string | null
}

function partyNodes(role: 'Cdtr' | 'Dbtr', { counterparty, ultimateParty, creditorId }: Parties): (XmlNode | undefined)[] {
  const name = cut(counterparty.name ?? '', 140)
  const iban = ibanShaped(counterparty.iban)
  const account = cut(counterparty.account ?? '', 34)
  const bic = bicShaped(counterparty.bic)
  const ultimate = cut(ultimateParty ?? '', 140)
  const identified = role === 'Cdtr' ? cut(creditorId ?? '', 35) : ''
  const party = [
    name === '' ? undefined : node('Nm', name),
    identified === ''
      ? undefined
      : node('Id', [node('PrvtId', [node('Othr', [node('Id', identified), node('SchmeNm', [node('Prtry', 'SEPA')])])])]),
  ]
  const parties = [
    party.some((part) => part) ? node(role, [node('Pty', party)]) : undefined,
    iban !== null
      ? node(`${role}Acct`, [node('Id', [node('IBAN', iban)])])
      : account === ''
        ? undefined
        : node(`${role}Acct`, [node('Id', [otherId(account)])]),
    ultimate === '' ? undefined : node(`Ultmt${role}`, [node('Pty', [node('Nm', ultimate)])]),
  ]
  return [
    parties.some((part) => part) ? node('RltdPties', parties) : undefined,
    bic === null ? undefined : node('RltdAgts', [node(`${role}Agt`, [node('FinInstnId', [node('BICFI', bic)])])]),
  ]
}

const purposeNode = (purpose: string | null): XmlNode | undefined =>
  purpose !== null && /^[A-Z0-9]{1,4}$/.test(purpose) ? node('Purp', [node('Cd', purpose)]) : undefined

function remittanceNode(text: string, creditorReference: string | null): XmlNode | undefined {
  const reference = cut(creditorReference ?? '', 35)
  // Where the reference is all the text there is, it stands as what it is.
  const lines = reference !== '' && oneLine(text) === reference ? [] : pieces(text, 140).map((line) => node('Ustrd', line))
  const structured = reference === '' ? [] : [node('Strd', [node('CdtrRefInf', [node('Ref', reference)])])]
  return lines.length + structured.length === 0 ? undefined : node('RmtInf', [...lines, ...structured])
}

const optional = (name: string, value: string | null): XmlNode | undefined => {
  const text = cut(value ?? '', 35)
  return text === '' ? undefined : node(name, text)
}

/** One line of at most `length` characters, never ending in half a surrogate pair. */
const cut = (text: string, length: number): string => [...oneLine(text)].slice(0, length).join('').trim()

/** A long text in lines of at most `length`, broken at spaces where there are any: joined by spaces it is the text again. */
function pieces(text: string, length: number): string[] {
  const lines: string[] = []
  let rest = [...oneLine(text)]
  while (rest.length > length) {
    const space = rest.lastIndexOf(' ', length)
    const end = space > 0 ? space : length
    lines.push(rest.slice(0, end).join('').trim())
    rest = rest.slice(space > 0 ? end + 1 : end)
  }
  if (rest.length > 0) lines.push(rest.join(''))
  return lines
}
