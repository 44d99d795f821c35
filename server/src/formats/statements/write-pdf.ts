import PDFDocument from 'pdfkit'
import { formatDecimal, type Money } from '../../platform/money.ts'
import { toSepaText } from '../payments/sepa-text.ts'
import { ibanShaped } from './account.ts'
import { assertAddsUp, type StatementDocument, type StatementDocumentEntry, statementId } from './statement-document.ts'
import { oneLine } from './text.ts'

/** PDF points on A4 (595 x 842). */
const LEFT = 40
const RIGHT = 555
const BOTTOM = 790
const COLUMNS = {
  date: { x: LEFT, width: 58 },
  valueDate: { x: 98, width: 58 },
  text: { x: 156, width: 235 },
  amount: { x: 391, width: 80 },
  balance: { x: 475, width: 80 },
} as const

const GREY = '#5f6673'
const INK = '#14171f'
const LINE = '#d5d9e0'

type Page = InstanceType<typeof PDFDocument>

/**
 * Draws the statement for people: who and which period, opening balance, every entry with the balance after it, closing balance, page
 * numbers. Deterministic: the only time in the file is `createdAt`.
 */
export function writePdf(document: StatementDocument): Promise<Uint8Array> {
  assertAddsUp(document)
  const title = `Account statement ${document.sequenceNumber}`
  const pdf = new PDFDocument({
    size: 'A4',
    margins: { top: 40, bottom: 20, left: LEFT, right: 40 },
    bufferPages: true,
    lang: 'en',
    displayTitle: true,
    info: {
      Title: title,
      ...(document.bic !== null && { Author: document.bic }),
      Subject: statementId(document),
      CreationDate: document.createdAt,
      ModDate: document.createdAt,
    },
  })
  const chunks: Uint8Array[] = []
  const finished = new Promise<Uint8Array>((resolve, reject) => {
    pdf.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    pdf.on('end', () => resolve(Buffer.concat(chunks)))
    pdf.on('error', reject)
  })
  let y = drawHead(pdf, document, title)
  y = drawColumnNames(pdf, y)
  y = drawBalance(pdf, y, 'Opening balance', document.from, document.opening)
  for (const entry of document.entries) y = drawEntry(pdf, y, entry)
  y = withRoom(pdf, y, 90)
  y = drawBalance(pdf, y, 'Closing balance', document.to, document.closing)
  drawTotals(pdf, y, document)
  numberPages(pdf, document)
  pdf.end()
  return finished
}

function drawHead(pdf: Page, document: StatementDocument, title: string): number {
  pdf.font('Helvetica-Bold').fontSize(18).fillColor(INK).text(title, LEFT, 44)
  pdf.font('Helvetica').fontSize(10).fillColor(GREY).text(`${document.from} to ${document.to}`, LEFT, 68)
  const facts: [string, string][] = [
    ['Account holder', document.holderName],
    ibanShaped(document.iban) ? ['IBAN', inFours(document.iban)] : ['Account', document.iban],
    ['BIC', document.bic ?? ''],
    ['Currency', document.opening.currency],
  ]
  let y = 94
  for (const [name, value] of facts.filter(([, told]) => told !== '')) {
    pdf.font('Helvetica').fontSize(9).fillColor(GREY).text(name, LEFT, y, { width: 90 })
    const height = pdf.fillColor(INK).heightOfString(printable(value), { width: 400 })
    pdf.text(printable(value), LEFT + 90, y, { width: 400 })
    y += Math.max(14, height + 3)
  }
  return y + 12
}

function drawColumnNames(pdf: Page, y: number): number {
  pdf.font('Helvetica-Bold').fontSize(8).fillColor(GREY)
  pdf.text('Booked', COLUMNS.date.x, y, { width: COLUMNS.date.width })
  pdf.text('Value date', COLUMNS.valueDate.x, y, { width: COLUMNS.valueDate.width })
  pdf.text('Details', COLUMNS.text.x, y, { width: COLUMNS.text.width })
  pdf.text('Amount', COLUMNS.amount.x, y, { width: COLUMNS.amount.width, align: 'right' })
  pdf.text('Balance', COLUMNS.balance.x, y, { width: COLUMNS.balance.width, align: 'right' })
  return rule(pdf, y + 13)
}

function drawBalance(pdf: Page, y: number, name: string, date: string, balance: Money): number {
  pdf.font('Helvetica-Bold').fontSize(9).fillColor(INK)
  pdf.text(date, COLUMNS.date.x, y, { width: COLUMNS.date.width })
  pdf.text(name, COLUMNS.text.x, y, { width: COLUMNS.text.width })
  pdf.text(grouped(balance), COLUMNS.balance.x - 40, y, { width: COLUMNS.balance.width + 40, align: 'right' })
  return rule(pdf, y + 14)
}

const INSIDE_MAX = 15

/** What another bank said beside, and the transactions that it booked in one sum: the first of them, an entry must fit a page. */
function toldLines({ told, endToEndId, mandateId }: StatementDocumentEntry): string[] {
  if (!told) return []
  const { ultimateParty, instructed, references, details } = told
  const inside = details
    .slice(0, INSIDE_MAX)
    .map(({ amount, currency, counterparty, remittance }) =>
      shortened(`· ${amount ?? ''} ${currency ?? ''} ${counterparty.name ?? ''} ${remittance}`, 90),
    )
  const facts: [string, string | null][] = [
    ['For', ultimateParty],
    ['Ordered', instructed && `${instructed.amount} ${instructed.currency}`],
    ['End-to-end id', endToEndId],
    ['Mandate', mandateId],
    ['Creditor', references.creditorId],
  ]
  return [
    ...facts.flatMap(([name, value]) => (value ? [shortened(`${name} ${value}`, 160)] : [])),
    ...inside,
    ...(details.length > INSIDE_MAX ? [`· and ${details.length - INSIDE_MAX} more`] : []),
  ]
}

function drawEntry(pdf: Page, y: number, entry: StatementDocumentEntry): number {
  // Where nobody is named, what the bank wrote is what there is to say.
  const [head = '', ...rest] = [
    shortened(entry.counterpartyName ?? '', 140),
    shortened(entry.description ?? '', 500),
    shortened(entry.remittanceInformation ?? '', 1500),
  ].filter((line) => line !== '')
  const lines = [
    ...rest,
    entry.counterpartyIban === null ? '' : inFours(entry.counterpartyIban),
    ...toldLines(entry),
    `Ref. ${entry.reference}`,
  ]
  const small = lines
    .map(printable)
    .filter((line) => line !== '')
    .join('\n')
  const { width } = COLUMNS.text
  const title = printable(head)
  const headHeight = pdf.font('Helvetica').fontSize(9).heightOfString(title, { width })
  const smallHeight = pdf.fontSize(7.5).heightOfString(small, { width })
  const top = withRoom(pdf, y, headHeight + smallHeight + 10)
  pdf.font('Helvetica').fontSize(9).fillColor(INK)
  pdf.text(entry.bookingDate, COLUMNS.date.x, top, { width: COLUMNS.date.width })
  pdf.text(entry.valueDate ?? '', COLUMNS.valueDate.x, top, { width: COLUMNS.valueDate.width })
  pdf.text(title, COLUMNS.text.x, top, { width })
  pdf.text(grouped(entry.amount), COLUMNS.amount.x, top, { width: COLUMNS.amount.width, align: 'right' })
  pdf.text(grouped(entry.balanceAfter), COLUMNS.balance.x, top, { width: COLUMNS.balance.width, align: 'right' })
  pdf
    .fontSize(7.5)
    .fillColor(GREY)
    .text(small, COLUMNS.text.x, top + headHeight + 1, { width })
  return rule(pdf, top + headHeight + smallHeight + 4)
}

function drawTotals(pdf: Page, y: number, document: StatementDocument): void {
  const sum = (debit: boolean) => {
    const side = document.entries.filter((entry) => entry.amount.minor < 0n === debit)
    return {
      count: side.length,
      total: grouped({
        currency: document.opening.currency,
        minor: side.reduce((minor, entry) => minor + entry.amount.minor, 0n),
      }),
    }
  }
  let at = y + 4
  for (const [name, { count, total }] of [
    ['Money in', sum(false)],
    ['Money out', sum(true)],
  ] as const) {
    pdf.font('Helvetica').fontSize(9).fillColor(GREY)
    pdf.text(`${name}: ${count} ${count === 1 ? 'entry' : 'entries'}`, COLUMNS.text.x, at, { width: COLUMNS.text.width })
    pdf.fillColor(INK).text(total, COLUMNS.amount.x - 40, at, { width: COLUMNS.amount.width + 40, align: 'right' })
    at += 14
  }
}

/** Where to go on: here, or below the column names of a new page. */
function withRoom(pdf: Page, y: number, height: number): number {
  if (y + height <= BOTTOM) return y
  pdf.addPage()
  return drawColumnNames(pdf, 44)
}

function rule(pdf: Page, y: number): number {
  pdf.moveTo(LEFT, y).lineTo(RIGHT, y).lineWidth(0.5).strokeColor(LINE).stroke()
  return y + 6
}

function numberPages(pdf: Page, document: StatementDocument): void {
  const { count } = pdf.bufferedPageRange()
  for (let page = 0; page < count; page += 1) {
    pdf.switchToPage(page)
    pdf.font('Helvetica').fontSize(7.5).fillColor(GREY)
    pdf.text(printable(`${document.holderName.slice(0, 60)} · ${document.iban} · ${statementId(document)}`), LEFT, 805, {
      width: 400,
      lineBreak: false,
    })
    pdf.text(`Page ${page + 1} of ${count}`, RIGHT - 100, 805, { width: 100, align: 'right', lineBreak: false })
  }
}

/** `-1,234.56`. */
const grouped = (amount: Money): string => formatDecimal(amount).replace(/\d(?=(?:\d{3})+(?:\.|$))/g, '$&,')

/** An entry must fit a page. The longest remittance information of SEPA has 140 characters; what is beyond stands in the other formats. */
function shortened(text: string, length: number): string {
  const characters = [...oneLine(text)]
  return characters.length <= length ? characters.join('') : `${characters.slice(0, length).join('')} …`
}

const inFours = (iban: string): string => iban.replace(/(.{4})(?=.)/g, '$1 ')

/**
 * What Helvetica's built-in encoding (Windows-1252) has. Accents it lacks are dropped, Greek and Cyrillic are written in Latin letters as
 * SEPA does; what remains becomes question marks.
 */
const printable = (text: string): string =>
  [...oneLine(text)]
    .map((character) => {
      if (WINDOWS_1252.test(character)) return character
      const plain = character.normalize('NFKD').replace(/\p{M}+/gu, '')
      if ([...plain].every((part) => WINDOWS_1252.test(part))) return plain
      const latin = toSepaText(character)
      return /^[A-Za-z]+$/.test(latin) ? latin : '?'
    })
    .join('')

const WINDOWS_1252 = /^[\u0020-\u007e\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]$/
