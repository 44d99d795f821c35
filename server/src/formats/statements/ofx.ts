import { readXml } from '@partita/notation/xml'
import { bicShaped, counterpartyOf, ibanShaped } from './account.ts'
import { ofxDate } from './dates.ts'
import { type NumberStyle, numberStyleOf, styledDecimal } from './decimal.ts'
import { everywhere, inside, type OfxNode, ofxText, readOfxTree } from './ofx-tree.ts'
import type { ProblemList } from './problems.ts'
import { quoted, STATEMENT_REFUSALS, StatementRefused } from './problems.ts'
import { completed } from './statement.ts'
import { decodeText, oneLine, withoutControls } from './text.ts'
import type { ParsedEntry, ParsedStatement, StatementAccount, StatementBalance } from './types.ts'
import { NO_REFERENCES } from './types.ts'

type Context = Readonly<{ style: NumberStyle; currency: string; fallbackDate: string | null; problems: ProblemList }>

/**
 * Reads OFX 1.x and 2.x bank and credit card statements.
 * @see OFX 1.6 and 2.2, sections 11.4 and 11.5 (STMTRS, CCSTMTRS, STMTTRN);
 */
export function readOfx(bytes: Uint8Array, problems: ProblemList): { format: string; statements: ParsedStatement[] } {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 1000))
  // Without any header, closed elements tell version 2 from version 1.
  const xmlLike = /OFXHEADER\s*=\s*["']?200|<\?xml/i.test(head) || /<CODE>[^<]*<\/CODE>/i.test(head)
  const version = /OFXHEADER\s*:/i.test(head) ? '1' : xmlLike ? '2' : '1'
  const announced = /CHARSET\s*:\s*([A-Za-z0-9-]+)/i.exec(head)?.[1] ?? /encoding\s*=\s*["']([^"']+)/i.exec(head)?.[1]
  const source = withoutControls(decodeText(bytes, problems, announced), problems)
  if (version === '2' && /^\s*<\?xml/.test(source)) nameBrokenXml(source, problems)
  const ofx = readOfxTree(source, problems)
  refuseBankError(ofx)
  const responses = everywhere(ofx, ['STMTRS', 'CCSTMTRS'])
  const amounts = responses.flatMap((response) => everywhere(response, ['TRNAMT', 'BALAMT']).map((node) => node.text.trim()))
  const { style, ambiguous } = numberStyleOf(amounts)
  if (ambiguous)
    problems.add(
      'amount_ambiguous',
      responses[0]?.line ?? 1,
      `amounts have one ${quoted(style.decimal)} before three digits: read as the decimal mark`,
    )
  const others = everywhere(ofx, ['INVSTMTRS'])
  for (const other of others)
    problems.add('statement_skipped', other.line, 'an investment statement: holdings are not account entries')
  if (responses.length === 0) {
    const what = others.length > 0 ? 'only investment statements, which are not read' : 'no bank or credit card statement'
    throw new StatementRefused('no_statements', ofx.line, `the file holds ${what}`)
  }
  return { format: `OFX${version}`, statements: responses.map((response) => readStatement(response, style, problems)) }
}

/**
 * Names a file that calls itself XML and is not: an `&` that is not escaped, elements that are not closed. It is read by the rules of
 * OFX 1, which close every aggregate and so refuse a lost piece as well.
 */
function nameBrokenXml(source: string, problems: ProblemList): void {
  const result = readXml(new TextEncoder().encode(source.replace(/^\s*<\?xml[^>]*\?>/, '')), { lenient: true })
  if (result.ok) return
  const { code, line, message } = result.problem
  if (code !== 'not_well_formed') {
    throw new StatementRefused(STATEMENT_REFUSALS.find((known) => known === code) ?? 'not_well_formed', line, message)
  }
  problems.add('read_as_sgml', line, `not XML (${message}); read by the rules of OFX 1`)
}

/** A bank that could not sign the user on, or could not answer, says so in a status. */
function refuseBankError(ofx: OfxNode): void {
  const answered = everywhere(ofx, ['STMTRS', 'CCSTMTRS']).length > 0
  for (const status of everywhere(ofx, ['STATUS'])) {
    const code = ofxText(status, 'CODE')
    if (answered || code === undefined || code === '0' || ofxText(status, 'SEVERITY')?.toUpperCase() !== 'ERROR') continue
    throw new StatementRefused(
      'bank_error',
      status.line,
      `the bank answered error ${code}: ${oneLine(ofxText(status, 'MESSAGE') ?? 'no message')}`,
    )
  }
}

function readStatement(node: OfxNode, style: NumberStyle, problems: ProblemList): ParsedStatement {
  const account = readAccount(node, problems)
  const stated = ofxText(node, 'CURDEF')?.toUpperCase()
  const currency = stated !== undefined && /^[A-Z]{3}$/.test(stated) ? stated : undefined
  if (currency === undefined)
    throw new StatementRefused(
      'currency_missing',
      node.line,
      stated === undefined ? 'no CURDEF names the currency' : `${quoted(stated)} is not a currency`,
    )
  const balances = [
    readBalance(inside(node, 'LEDGERBAL'), 'CLBD', currency, style, problems),
    readBalance(inside(node, 'AVAILBAL'), 'CLAV', currency, style, problems),
  ].flat()
  const list = inside(node, 'BANKTRANLIST')
  const from = readDate(ofxText(list, 'DTSTART'), 'DTSTART', list?.line ?? node.line, problems)
  const to = readDate(ofxText(list, 'DTEND'), 'DTEND', list?.line ?? node.line, problems)
  const closing = balances.find((balance) => balance.type === 'CLBD')
  if (!closing) problems.add('closing_balance_missing', node.line, 'no LEDGERBAL')
  const context = { style, currency, fallbackDate: to ?? closing?.date ?? null, problems }
  const booked = everywhere(list ?? { ...node, children: [] }, ['STMTTRN']).map((entry) => readEntry(entry, 'BOOK', context))
  const pendingNodes = everywhere(inside(node, 'BANKTRANLISTP') ?? { ...node, children: [] }, ['STMTTRNP'])
  const pending = pendingNodes.map((entry) => readEntry(entry, 'PDNG', context))
  return completed(
    {
      account,
      currency,
      identification: null,
      sequenceNumber: null,
      from,
      to,
      balances,
      opening: null,
      closing: closing?.amount ?? null,
      entries: [...booked, ...pending],
      line: node.line,
    },
    problems,
  )
}

function readAccount(node: OfxNode, problems: ProblemList): StatementAccount {
  const from = inside(node, 'BANKACCTFROM') ?? inside(node, 'CCACCTFROM')
  const number = ofxText(from, 'ACCTID')
  if (number === undefined) throw new StatementRefused('account_missing', from?.line ?? node.line, 'no ACCTID names the account')
  const iban = ibanShaped(number)
  const bankId = ofxText(from, 'BANKID')
  if (bankId === undefined && from?.name === 'BANKACCTFROM') problems.add('text_ignored', from.line, 'the account has no BANKID')
  const branch = ofxText(from, 'BRANCHID')
  return {
    id: iban ?? number,
    iban,
    bankCode: bankId === undefined ? null : branch === undefined ? bankId : `${bankId}/${branch}`,
    bic: bicShaped(bankId),
    holder: null,
  }
}

function readBalance(
  node: OfxNode | undefined,
  type: string,
  currency: string,
  style: NumberStyle,
  problems: ProblemList,
): StatementBalance[] {
  if (!node) return []
  const text = ofxText(node, 'BALAMT')
  if (text === undefined) {
    problems.add('balance_ignored', node.line, `<${node.name}> without an amount`)
    return []
  }
  const date = readDate(ofxText(node, 'DTASOF'), 'DTASOF', node.line, problems)
  return [{ type, amount: amountIn(text, inside(node, 'BALAMT')?.line ?? node.line, style), currency, date, line: node.line }]
}

function amountIn(text: string, line: number, style: NumberStyle): string {
  // What one amount shows by itself (`-6,60`, `1.000,00`) holds for it; the file's style only decides what stays open (`1,000`).
  const own = numberStyleOf([text])
  const amount = styledDecimal(text, own.ambiguous ? style : own.style)
  if (amount === undefined) throw new StatementRefused('amount_malformed', line, `${quoted(text)} is not an amount`)
  return amount
}

function readDate(text: string | undefined, what: string, line: number, problems: ProblemList): string | null {
  if (text === undefined) return null
  const read = ofxDate(text)
  if (!read) problems.add('date_ignored', line, `${what} ${quoted(text)} is not a date`)
  if (read?.corrected) problems.add('date_corrected', line, `${what} ${quoted(text)} does not exist; ${read.date} taken`)
  return read?.date ?? null
}

function readEntry(node: OfxNode, status: 'BOOK' | 'PDNG', context: Context): ParsedEntry {
  const { problems } = context
  const text = ofxText(node, 'TRNAMT')
  if (text === undefined)
    throw new StatementRefused(
      inside(node, 'TRNAMT') ? 'amount_malformed' : 'amount_missing',
      node.line,
      `<${node.name}> without an amount`,
    )
  const currencyNode = inside(node, 'CURRENCY')
  const currency = ofxText(currencyNode, 'CURSYM')?.toUpperCase() ?? context.currency
  const posted = readDate(ofxText(node, 'DTPOSTED'), 'DTPOSTED', node.line, problems)
  const fallback =
    readDate(ofxText(node, 'DTUSER') ?? ofxText(node, 'DTTRAN'), 'DTUSER', node.line, problems) ?? context.fallbackDate
  const bookingDate = posted ?? fallback
  if (bookingDate === null) throw new StatementRefused('date_missing', node.line, 'an entry without any date')
  if (posted === null) problems.add('date_assumed', node.line, `no posting date; ${bookingDate} taken`)
  const payee = inside(node, 'PAYEE')
  const to = inside(node, 'BANKACCTTO') ?? inside(node, 'CCACCTTO')
  const name = ofxText(node, 'NAME') ?? ofxText(payee, 'NAME') ?? ofxText(node, 'EXTDNAME')
  return {
    amount: amountIn(text, inside(node, 'TRNAMT')?.line ?? node.line, context.style),
    currency: /^[A-Z]{3}$/.test(currency) ? currency : context.currency,
    status,
    reversal: false,
    bookingDate,
    bookingDateAssumed: posted === null,
    valueDate: readDate(ofxText(node, 'DTAVAIL'), 'DTAVAIL', node.line, problems),
    references: {
      ...NO_REFERENCES,
      accountServicerReference: ofxText(node, 'FITID') ?? null,
      entryReference: ofxText(node, 'REFNUM') ?? null,
      transactionId: ofxText(node, 'SRVRTID') ?? null,
      chequeNumber: ofxText(node, 'CHECKNUM') ?? null,
    },
    counterparty: counterpartyOf(oneLine(name ?? ''), ofxText(to, 'ACCTID'), ofxText(to, 'BANKID')),
    ultimateParty: null,
    instructed: null,
    purpose: null,
    remittance: oneLine(ofxText(node, 'MEMO') ?? ''),
    additionalInformation: '',
    bankTransactionCode: ofxText(node, 'TRNTYPE')?.toUpperCase() ?? null,
    charges: [],
    details: [],
    line: node.line,
  }
}
