import { node, writeXml, type XmlNode } from '@partita/notation/xml'
import { formatDecimal, type Money } from '../../platform/money.ts'
import { bicShaped, ibanShaped } from './account.ts'
import {
  absolute,
  assertAddsUp,
  bankTransactionCode,
  type StatementDocument,
  type StatementDocumentEntry,
  statementId,
} from './statement-document.ts'
import { oneLine } from './text.ts'

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
  const [domain, family, subFamily] = bankTransactionCode(entry)
  const code = node('BkTxCd', [
    node('Domn', [node('Cd', domain), node('Fmly', [node('Cd', family), node('SubFmlyCd', subFamily)])]),
  ])
  const description = cut(entry.description, 500)
  return node('Ntry', [
    amountNode(entry.amount),
    indicator(entry.amount),
    node('RvslInd', entry.reversal ? 'true' : 'false'),
    node('Sts', [node('Cd', 'BOOK')]),
    node('BookgDt', [node('Dt', entry.bookingDate)]),
    node('ValDt', [node('Dt', entry.valueDate)]),
    optional('AcctSvcrRef', entry.reference),
    code,
    node('NtryDtls', [node('TxDtls', details(entry, code))]),
    description === '' ? undefined : node('AddtlNtryInf', description),
  ])
}

/** UUID version 4 in small letters, as the schema demands; another identifier is left out of the message. */
const UETR = /^[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}$/

function details(entry: StatementDocumentEntry, code: XmlNode): (XmlNode | undefined)[] {
  // The other side of what we pay is the creditor, also when it comes back: parties keep their roles in a return.
  const [, family] = bankTransactionCode(entry)
  const role =
    ['ICDT', 'IRCT', 'RDDT'].includes(family) || (!['RCDT', 'RRCT', 'IDDT'].includes(family) && entry.amount.minor < 0n)
      ? 'Cdtr'
      : 'Dbtr'
  const name = cut(entry.counterpartyName ?? '', 140)
  const iban = ibanShaped(entry.counterpartyIban)
  const bic = bicShaped(entry.counterpartyBic)
  const references = [
    optional('AcctSvcrRef', entry.reference),
    node('EndToEndId', cut(entry.endToEndId ?? '', 35) || 'NOTPROVIDED'),
    UETR.test(entry.uetr ?? '') ? node('UETR', entry.uetr ?? '') : undefined,
    optional('TxId', entry.transactionId),
    optional('MndtId', entry.mandateId),
  ]
  const parties = [
    name === '' ? undefined : node(role, [node('Pty', [node('Nm', name)])]),
    iban === null ? undefined : node(`${role}Acct`, [node('Id', [node('IBAN', iban)])]),
  ]
  const remittance = pieces(entry.remittanceInformation ?? '', 140)
  return [
    node('Refs', references),
    amountNode(entry.amount),
    indicator(entry.amount),
    code,
    parties.some((party) => party) ? node('RltdPties', parties) : undefined,
    bic === null ? undefined : node('RltdAgts', [node(`${role}Agt`, [node('FinInstnId', [node('BICFI', bic)])])]),
    remittance.length === 0
      ? undefined
      : node(
          'RmtInf',
          remittance.map((line) => node('Ustrd', line)),
        ),
  ]
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
