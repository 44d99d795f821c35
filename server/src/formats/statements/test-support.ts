import { type ParseOptions, parseStatementFile } from './parse.ts'
import type { ParsedEntry, ParsedStatement, ParsedStatementFile } from './types.ts'

/** What the tests of this folder share: reading text, and messages with just what the reader needs. */
export const parseText = (text: string, options: ParseOptions = {}): ParsedStatementFile =>
  parseStatementFile(new TextEncoder().encode(text), options)

export function accepted(file: ParsedStatementFile): Extract<ParsedStatementFile, { ok: true }> {
  if (!file.ok) throw new Error(`refused: ${JSON.stringify(file.problems[0])}`)
  return file
}

export const statementIn = (text: string, options: ParseOptions = {}): ParsedStatement => {
  const [statement] = accepted(parseText(text, options)).statements
  if (!statement) throw new Error('no statement')
  return statement
}

export const entryIn = (text: string, options: ParseOptions = {}): ParsedEntry => {
  const [entry] = statementIn(text, options).entries
  if (!entry) throw new Error('no entry')
  return entry
}

/** `line code` of the refusal, or `accepted`. */
export const refusalOf = (text: string, options: ParseOptions = {}): string => {
  const file = parseText(text, options)
  return file.ok ? 'accepted' : `${file.problems[0]?.line} ${file.problems[0]?.code}`
}

/** `line code` of every problem. */
export const problemsOf = (text: string, options: ParseOptions = {}): string[] =>
  parseText(text, options).problems.map((p) => `${p.line} ${p.code}`)

/** A camt.053.001.08 with an account in EUR, one line of header, then `body`, which starts on line 2. */
export const camt053 = (body: string, namespace = 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'): string =>
  `<Document xmlns="${namespace}"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-01-31T20:00:00</CreDtTm></GrpHdr><Stmt><Id>S1</Id><Acct><Id><IBAN>FR7630006000011234567890189</IBAN></Id><Ccy>EUR</Ccy></Acct>
${body}</Stmt></BkToCstmrStmt></Document>`

export const balance = (type: string, amount: string, direction = 'CRDT'): string =>
  `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd><Dt><Dt>2026-01-31</Dt></Dt></Bal>\n`

export const ntry = (amount: string, direction = 'CRDT', more = '<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>'): string =>
  `<Ntry><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-15</Dt></BookgDt><ValDt><Dt>2026-01-16</Dt></ValDt>${more}</Ntry>\n`
