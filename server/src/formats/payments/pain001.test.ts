import { describe, expect, test } from 'vitest'
import { describeWithStandards, readStandard } from '../../../test/support/standards.ts'
import { xsdProblems } from '../../../test/support/xsd.ts'
import { answerInitiation, answerUnreadable } from './pain-answer.ts'
import { readPaymentInitiation } from './pain001.ts'
import { decidePaymentInitiation, type InitiationContext, type InitiationDecision } from './pain001-rules.ts'
import { sumOf } from './pain001-totals.ts'
import { readCustomerStatusReport } from './pain002-reader.ts'

const ACCOUNT = 'FR7630006000011234567890189'
const TODAY = '2026-03-10'
const HEADER = { messageId: 'ANSWER-1', createdAt: '2026-03-10T09:00:00.000Z', debtorAgent: 'PARTFRPPXXX' }
const context = (change: Partial<InitiationContext> = {}): InitiationContext => ({
  accountIban: ACCOUNT,
  today: TODAY,
  isMessageIdUsed: () => false,
  ...change,
})

const bytes = (text: string) => new TextEncoder().encode(text)

type Change = Partial<{
  header: string; block: string; blockBefore: string; type: string; date: string; debtor: string; charges: string; transactions: string; method: string
}> // biome-ignore format: a list of names

const transaction = (
  inner: Partial<Record<'ids' | 'amount' | 'before' | 'agent' | 'creditor' | 'account' | 'rest', string>> = {},
) => `
   <CdtTrfTxInf><PmtId><InstrId>I</InstrId><EndToEndId>${inner.ids ?? 'E1'}</EndToEndId></PmtId>
    ${inner.before ?? ''}<Amt>${inner.amount ?? '<InstdAmt Ccy="EUR">12.50</InstdAmt>'}</Amt>
    ${inner.agent ?? ''}${inner.creditor ?? '<Cdtr><Nm>Müller</Nm></Cdtr>'}
    ${inner.account ?? '<CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct>'}${inner.rest ?? ''}</CdtTrfTxInf>`

/** A pain.001.001.03 that is right in everything but the change. */
const file = (change: Change = {}) => `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><CstmrCdtTrfInitn>
 <GrpHdr><MsgId>MSG-1</MsgId><CreDtTm>2026-03-10T08:00:00</CreDtTm>${change.header ?? '<NbOfTxs>1</NbOfTxs><CtrlSum>12.50</CtrlSum>'}<InitgPty><Nm>A</Nm></InitgPty></GrpHdr>
 ${change.blockBefore ?? ''}<PmtInf><PmtInfId>P1</PmtInfId><PmtMtd>${change.method ?? 'TRF'}</PmtMtd>${change.block ?? ''}${change.type ?? '<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>'}
  <ReqdExctnDt>${change.date ?? TODAY}</ReqdExctnDt><Dbtr><Nm>A</Nm></Dbtr>
  ${change.debtor ?? `<DbtrAcct><Id><IBAN>${ACCOUNT}</IBAN></Id></DbtrAcct>`}<DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt>
  ${change.charges ?? '<ChrgBr>SLEV</ChrgBr>'}${change.transactions ?? transaction()}</PmtInf></CstmrCdtTrfInitn></Document>`

function decide(xml: string, change: Partial<InitiationContext> = {}): InitiationDecision {
  const read = readPaymentInitiation(bytes(xml))
  if (!read.ok) throw new Error(`${read.refusal.line}: ${read.refusal.message}`)
  return decidePaymentInitiation(read.value, context(change))
}

/** Where and why something is refused: `file AM05`, `batch AC02`, `tx AC01`; `accepted` otherwise. */
function verdict(xml: string, change: Partial<InitiationContext> = {}): string {
  const read = readPaymentInitiation(bytes(xml))
  if (!read.ok) return `unreadable ${read.refusal.code}`
  const decision = decidePaymentInitiation(read.value, context(change))
  if (!decision.blocks) return `file ${decision.rejection.code}`
  const block = decision.blocks.find((b) => b.rejection)
  if (block) return `batch ${block.rejection?.code}`
  const tx = decision.blocks.flatMap((b) => b.transactions).find((t) => t.rejection)
  return tx ? `tx ${tx.rejection?.code}` : 'accepted'
}

describeWithStandards('published payment initiations', () => {
  const expected = JSON.parse(new TextDecoder().decode(readStandard('samples/expected.json'))) as Record<
    string,
    { tx: number; sum: string; NbOfTxs: string; CtrlSum: string }
  >

  test.each([
    'lt-bank_pain.001.001.03_sepa',
    'lt-bank_pain.001.001.03_usd',
    'sepa-js_pain.001.001.03',
    'sepa-js_pain.001.001.09',
  ])('%s is read whole', (name) => {
    const path = `pain/${name}.xml`
    const read = readPaymentInitiation(readStandard(`samples/${path}`))
    if (!read.ok) throw new Error(read.refusal.message)
    const transactions = read.value.paymentInformations.flatMap((block) => block.transactions)
    const { tx, sum, NbOfTxs, CtrlSum } = expected[path] ?? { tx: -1 }
    expect([transactions.length, sumOf(transactions)?.text, read.value.numberOfTransactions, read.value.controlSum]).toEqual([
      tx,
      sum,
      NbOfTxs,
      CtrlSum,
    ])
  })

  test.each(['sepa-js_pain.001.001.03', 'sepa-js_pain.001.001.09'])('%s is accepted whole from its own account', (name) => {
    const read = readPaymentInitiation(readStandard(`samples/pain/${name}.xml`))
    if (!read.ok) throw new Error(read.refusal.message)
    const accountIban = read.value.paymentInformations[0]?.debtorIban ?? ''
    const decision = decidePaymentInitiation(read.value, context({ accountIban }))
    const refused = decision.blocks
      ?.filter((b) => b.source.debtorIban === accountIban)
      .flatMap((b) => b.transactions.flatMap((t) => (t.rejection ? [t.rejection] : [])))
    expect(refused).toEqual([])
  })

  test('a payment in dollars is refused for its currency, whatever else is wrong with its batch', () => {
    const decision = decide(new TextDecoder().decode(readStandard('samples/pain/lt-bank_pain.001.001.03_usd.xml')))
    expect(decision.blocks?.[0]?.rejection?.code).toBe('AC02')
    expect(decision.blocks?.[0]?.transactions[0]?.rejection).toMatchObject({ code: 'AM03', line: expect.any(Number) })
  })

  test.each([
    ['pain/swiss_pain.001.001.03.ch.02.xml', 'pain.001.001.03.ch.02', 'MsgId-001', /Swiss/],
    ['pain/sepa-js_pain.008.001.02_core.xml', 'pain.008.001.02', expect.any(String), /no credit transfer/],
    ['camt/genkgo_camt.053.001.08.xml', 'camt.053.001.08', expect.any(String), /no credit transfer/],
  ])('%s is refused by name', (sample, messageName, messageId, message) => {
    const read = readPaymentInitiation(readStandard(`samples/${sample}`))
    expect(read.ok || read.refusal).toMatchObject({
      code: 'FF01',
      messageName,
      messageId,
      message: expect.stringMatching(message),
    })
    if (!read.ok) {
      const answer = answerUnreadable(read.refusal, HEADER)
      expect(xsdProblems(answerVersion(answer), answer)).toEqual([])
      expect(answer).toContain('<GrpSts>RJCT</GrpSts>')
    }
  })

  test('every code that is given exists', () => {
    const { codes } = JSON.parse(
      new TextDecoder().decode(readStandard('iso20022/external-code-sets/external_status_reason_code.json')),
    ) as { codes: Record<string, string> }
    const given =
      'FF01 AM05 AM18 AM10 DU02 AG03 AC02 AC10 RC01 DT01 BE19 FF04 FF05 CH17 AM03 AM12 AM01 AM02 AC03 AC01 CNOR BE22 BE20 RR10 FF08 RR07 ERIN CH15 RR09 FF07 AG01 AC04 AM04'.split(
        ' ',
      )
    expect(given.filter((code) => !(code in codes))).toEqual([])
  })
})

const answerVersion = (xml: string): string => /xsd:(pain\.002\.001\.\d\d)/.exec(xml)?.[1] ?? ''

describe('the whole file', () => {
  test.each([
    ['in order', file(), 'accepted'],
    ['without a control sum', file({ header: '<NbOfTxs>1</NbOfTxs>' }), 'accepted'],
    ['with zeros in its totals', file({ header: '<NbOfTxs>0001</NbOfTxs><CtrlSum>12.5000</CtrlSum>' }), 'accepted'],
    ['that counts wrong', file({ header: '<NbOfTxs>2</NbOfTxs><CtrlSum>12.50</CtrlSum>' }), 'file AM18'],
    ['that does not count', file({ header: '<NbOfTxs>one</NbOfTxs>' }), 'file AM18'],
    ['that adds up wrong', file({ header: '<NbOfTxs>1</NbOfTxs><CtrlSum>12.51</CtrlSum>' }), 'file AM10'],
    [
      'that adds up to less than a cent too much',
      file({ header: '<NbOfTxs>1</NbOfTxs><CtrlSum>12.500001</CtrlSum>' }),
      'file AM10',
    ],
    ['whose sum is no number', file({ header: '<NbOfTxs>1</NbOfTxs><CtrlSum>1e1</CtrlSum>' }), 'file AM10'],
    ['without transactions', file({ transactions: '' }), 'unreadable FF01'],
    ['with an element that does not belong', file({ type: '<Hello/>' }), 'unreadable FF01'],
    ['without its identification', file().replace('<MsgId>MSG-1</MsgId>', ''), 'unreadable FF01'],
    ['whose identification is too long', file().replace('MSG-1', 'M'.repeat(36)), 'unreadable FF01'],
  ])('%s', (_, xml, expected) => {
    expect(verdict(xml)).toBe(expected)
  })

  test('that cannot be read is answered with what it states of itself', () => {
    const read = readPaymentInitiation(bytes(file({ type: '<Hello/>' })))
    if (read.ok) throw new Error('was read')
    const answer = readCustomerStatusReport(answerUnreadable(read.refusal, HEADER))
    expect(answer.ok && answer.value).toMatchObject({
      originalMessageId: 'MSG-1',
      group: { status: 'RJCT', numberOfTransactions: '1', controlSum: '12.50', reasons: [{ code: 'FF01' }] },
    })
  })

  test('is refused when its MsgId was used before', () => {
    expect(verdict(file(), { isMessageIdUsed: (id) => id === 'MSG-1' })).toBe('file AM05')
    expect(verdict(file(), { isMessageIdUsed: (id) => id === 'MSG-2' })).toBe('accepted')
  })

  test.each([
    [
      'a prefix',
      (xml: string) =>
        xml
          .replace(/<(\/?)(\w+)/g, '<$1p:$2')
          .replace('<?xml', '<?xml')
          .replace('xmlns=', 'xmlns:p='),
    ],
    ['comments', (xml: string) => xml.replace('MSG-1', 'MSG<!-- in -->-1').replaceAll('<Amt>', '<!-- a --><Amt>')],
    ['CDATA', (xml: string) => xml.replace('Müller', '<![CDATA[Müller & Söhne]]>')],
    ['a byte order mark', (xml: string) => `\ufeff${xml}`],
    ['no declaration', (xml: string) => xml.replace(/<\?xml.*\?>\n/, '')],
    [
      'a schema location',
      (xml: string) =>
        xml.replace('xmlns=', 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" xmlns='),
    ],
    ['everything in one line', (xml: string) => xml.replace(/\n\s*/g, '')],
    ['Windows line ends', (xml: string) => xml.replaceAll('\n', '\r\n')],
  ])('may be written with %s', (_, change) => {
    expect(verdict(change(file()))).toBe('accepted')
  })
})

describe('a batch', () => {
  test.each([
    ['with matching totals', { block: '<BtchBookg>true</BtchBookg><NbOfTxs>1</NbOfTxs><CtrlSum>12.5</CtrlSum>' }, 'accepted'],
    ['that counts wrong', { block: '<NbOfTxs>3</NbOfTxs>' }, 'batch AM18'],
    ['that adds up wrong', { block: '<CtrlSum>12.05</CtrlSum>' }, 'batch AM10'],
    ['of cheques', { method: 'CHK' }, 'batch AG03'],
    ['from another account', { debtor: '<DbtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></DbtrAcct>' }, 'batch AC02'],
    [
      'from an account that is none',
      { debtor: '<DbtrAcct><Id><IBAN>FR7630006000011234567890188</IBAN></Id></DbtrAcct>' },
      'batch AC02',
    ],
    ['from an account without IBAN', { debtor: '<DbtrAcct><Id><Othr><Id>1</Id></Othr></Id></DbtrAcct>' }, 'batch AC02'],
    [
      'from an account in another currency',
      { debtor: `<DbtrAcct><Id><IBAN>${ACCOUNT}</IBAN></Id><Ccy>USD</Ccy></DbtrAcct>` },
      'batch AC10',
    ],
    [
      'from an account written in groups',
      { debtor: '<DbtrAcct><Id><IBAN>FR76 3000 6000 0112 3456 7890 189</IBAN></Id></DbtrAcct>' },
      'accepted',
    ],
    ['in the past', { date: '2020-01-01' }, 'accepted'],
    ['in a year', { date: '2027-03-10' }, 'accepted'],
    ['in a year and a day', { date: '2027-03-11' }, 'batch DT01'],
    ['on 30 February', { date: '2027-02-30' }, 'batch DT01'],
    ['with shared charges', { charges: '<ChrgBr>SHAR</ChrgBr>' }, 'batch BE19'],
    ['without charge bearer', { charges: '' }, 'accepted'],
    ['without type', { type: '' }, 'accepted'],
    ['of high priority', { type: '<PmtTpInf><InstrPrty>HIGH</InstrPrty><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>' }, 'accepted'],
    [
      'of salaries',
      { type: '<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl><CtgyPurp><Cd>SALA</Cd></CtgyPurp></PmtTpInf>' },
      'accepted',
    ],
    ['that is urgent', { type: '<PmtTpInf><SvcLvl><Cd>URGP</Cd></SvcLvl></PmtTpInf>' }, 'batch FF04'],
    ['by private agreement', { type: '<PmtTpInf><LclInstrm><Prtry>X</Prtry></LclInstrm></PmtTpInf>' }, 'batch FF05'],
    ['that is instant', { type: '<PmtTpInf><LclInstrm><Cd>INST</Cd></LclInstrm></PmtTpInf>' }, 'batch AG03'],
  ])('%s', (_, change, expected) => {
    expect(verdict(file(change))).toBe(expected)
  })

  test('from another account passes where the customer has named the account beside the file, but never from none', () => {
    const debtor = (text: string) => file({ debtor: `<DbtrAcct><Id><IBAN>${text}</IBAN></Id></DbtrAcct>` })
    expect(verdict(debtor('FR1420041010050500013M02606'), { standsInFor: () => true })).toBe('accepted')
    expect(verdict(debtor('FR1420041010050500013M02607'), { standsInFor: () => true })).toBe('batch AC02')
  })

  test('in the past is executed today, one in the future on its day', () => {
    expect(decide(file({ date: '2020-01-01' })).blocks?.[0]?.executionDate).toBe(TODAY)
    expect(decide(file({ date: '2026-04-01' })).blocks?.[0]?.executionDate).toBe('2026-04-01')
  })

  test('that is instant passes where instant transfers are offered', () => {
    const xml = file({ type: '<PmtTpInf><LclInstrm><Cd>INST</Cd></LclInstrm></PmtTpInf>' })
    expect(decide(xml, { offersInstant: true }).blocks?.[0]?.transactions[0]?.transfer?.instant).toBe(true)
  })

  test('used twice by name is refused the second time; the first stands', () => {
    const block = /<PmtInf>.*<\/PmtInf>/s.exec(file())?.[0] ?? ''
    const decision = decide(file({ blockBefore: block, header: '<NbOfTxs>2</NbOfTxs><CtrlSum>25</CtrlSum>' }))
    expect(decision.blocks?.map((b) => b.rejection?.code)).toEqual([undefined, 'DU02'])
  })
})

const iban = (text: string) => `<CdtrAcct><Id><IBAN>${text}</IBAN></Id></CdtrAcct>`
const amount = (text: string, currency = 'EUR') => `<InstdAmt Ccy="${currency}">${text}</InstdAmt>`
const remittance = (text: string) => `<RmtInf>${text}</RmtInf>`
const reference = (text: string) =>
  `<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>${text}</Ref></CdtrRefInf></Strd>`

describe('a transaction', () => {
  test.each([
    ['with BIC', { agent: '<CdtrAgt><FinInstnId><BIC>COBADEFFXXX</BIC></FinInstnId></CdtrAgt>' }, 'accepted'],
    ['with a BIC of nowhere', { agent: '<CdtrAgt><FinInstnId><BIC>COBAZZFF</BIC></FinInstnId></CdtrAgt>' }, 'tx RC01'],
    ['with a BIC of another country', { agent: '<CdtrAgt><FinInstnId><BIC>BNPAFRPP</BIC></FinInstnId></CdtrAgt>' }, 'tx RC01'],
    [
      'with a BIC of a territory that has the IBANs of its mother country',
      {
        account: iban('FR1420041010050500013M02606'),
        agent: '<CdtrAgt><FinInstnId><BIC>BNPARERX</BIC></FinInstnId></CdtrAgt>',
      },
      'accepted',
    ],
    [
      'with "none" in the place of the BIC',
      { agent: '<CdtrAgt><FinInstnId><BIC>NOTPROVIDED</BIC></FinInstnId></CdtrAgt>' },
      'accepted',
    ],
    ['with half a BIC', { agent: '<CdtrAgt><FinInstnId><BIC>COBADE</BIC></FinInstnId></CdtrAgt>' }, 'tx RC01'],
    [
      'with an agent named otherwise',
      { agent: '<CdtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></CdtrAgt>' },
      'accepted',
    ],
    ['in dollars', { amount: amount('12.50', 'USD') }, 'tx AM03'],
    ['in small letters', { amount: amount('12.50', 'eur') }, 'tx AM03'],
    ['of nothing', { amount: amount('0.00') }, 'tx AM01'],
    ['of too much', { amount: amount('1000000000.00') }, 'tx AM02'],
    ['of the maximum', { amount: amount('999999999.99') }, 'accepted'],
    ['of three decimals', { amount: amount('12.505') }, 'tx AM12'],
    ['of a tenth of a cent among zeros', { amount: amount('12.5010') }, 'tx AM12'],
    ['of zero, however many zeros', { amount: amount('0.00000') }, 'tx AM01'],
    ['of less than nothing', { amount: amount('-12.50') }, 'tx AM12'],
    ['of one decimal', { amount: amount('12.5') }, 'accepted'],
    ['with an exponent', { amount: amount('1e3') }, 'tx AM12'],
    ['of no amount', { amount: amount('') }, 'tx AM12'],
    ['of an equivalent amount', { amount: '<EqvtAmt><Amt Ccy="USD">12.50</Amt><CcyOfTrf>EUR</CcyOfTrf></EqvtAmt>' }, 'tx CH17'],
    ['by cheque', { before: '', agent: '<ChqInstr/>' }, 'tx CH17'],
    ['with charges for the debtor', { agent: '<ChrgBr>DEBT</ChrgBr>' }, 'tx BE19'],
    ['to a wrong IBAN', { account: iban('DE88370400440532013000') }, 'tx AC01'],
    ['to text', { account: iban('hello') }, 'tx AC01'],
    ['to an IBAN in small letters', { account: iban('de89370400440532013000') }, 'accepted'],
    ['to no account', { account: '' }, 'tx AC03'],
    ['to an account without IBAN', { account: '<CdtrAcct><Id><Othr><Id>1</Id></Othr></Id></CdtrAcct>' }, 'tx AC03'],
    ['to Brazil', { account: iban('BR1800360305000010009795493C1') }, 'tx CNOR'],
    ['to Switzerland', { account: iban('CH9300762011623852957') }, 'accepted'],
    ['to nobody', { creditor: '' }, 'tx BE22'],
    ['to a long name', { creditor: `<Cdtr><Nm>${'x'.repeat(71)}</Nm></Cdtr>` }, 'tx BE20'],
    ['with a reference that begins with a slash', { ids: '/E1' }, 'tx FF08'],
    ['with a reference of other letters', { ids: 'É1' }, 'tx RR10'],
    ['with text', { rest: remittance(`<Ustrd>${'é'.repeat(140)}</Ustrd>`) }, 'accepted'],
    ['with two lines of text', { rest: remittance('<Ustrd>one</Ustrd><Ustrd>two</Ustrd>') }, 'accepted'],
    ['with two long lines of text', { rest: remittance(`<Ustrd>${'x'.repeat(80)}</Ustrd>`.repeat(2)) }, 'tx RR07'],
    ['with text that becomes too long in Latin letters', { rest: remittance(`<Ustrd>${'щ'.repeat(50)}</Ustrd>`) }, 'tx RR07'],
    ['with a creditor reference', { rest: remittance(reference('RF18539007547034')) }, 'accepted'],
    ['with two references', { rest: remittance(reference('A') + reference('B')) }, 'tx ERIN'],
    ['with reference and text', { rest: remittance(`<Ustrd>x</Ustrd>${reference('A')}`) }, 'tx RR07'],
    ['with structure but no reference', { rest: remittance('<Strd><AddtlRmtInf>x</AddtlRmtInf></Strd>') }, 'tx RR07'],
    [
      'with more than a reference',
      { rest: remittance(`<Strd>${reference('A').slice(6, -7)}<AddtlRmtInf>x</AddtlRmtInf></Strd>`) },
      'tx ERIN',
    ],
    ['with a reference of other letters', { rest: remittance(reference('É1')) }, 'tx RR09'],
    ['with a purpose of its own', { rest: '<Purp><Prtry>rent</Prtry></Purp>' }, 'tx FF07'],
    ['with an unknown purpose', { rest: '<Purp><Cd>ABCD</Cd></Purp>' }, 'accepted'],
  ])('%s', (_, change, expected) => {
    expect(verdict(file({ header: '<NbOfTxs>1</NbOfTxs>', transactions: transaction(change) }))).toBe(expected)
  })

  test('is handed on in the form in which it is executed', () => {
    const change = { account: iban('de89 3704 0044 0532 0130 00'), rest: remittance('<Ustrd>one</Ustrd><Ustrd>two</Ustrd>') }
    const decision = decide(file({ transactions: transaction(change) }))
    expect(decision.blocks?.[0]?.transactions[0]?.transfer).toMatchObject({
      instructionId: 'I',
      endToEndId: 'E1',
      amount: { currency: 'EUR', minor: 1250n },
      creditor: { name: 'Müller' },
      creditorIban: 'DE89370400440532013000',
      remittance: { unstructured: ['one two'] },
    })
  })

  test('that is wrong leaves the others alone', () => {
    const transactions =
      transaction({ ids: 'A' }) + transaction({ ids: 'B', account: iban('DE88370400440532013000') }) + transaction({ ids: 'C' })
    const xml = file({ header: '<NbOfTxs>3</NbOfTxs><CtrlSum>37.50</CtrlSum>', transactions })
    const decision = decide(xml)
    expect(decision.blocks?.[0]?.transactions.map((t) => t.rejection?.code)).toEqual([undefined, 'AC01', undefined])
    expect(decision.blocks?.[0]?.transactions[1]?.rejection?.line).toBe(xml.slice(0, xml.indexOf('>B<')).split('\n').length)
  })
})

describeWithStandards('the answer', () => {
  const read = (xml: string) => {
    expect(xsdProblems(answerVersion(xml), xml)).toEqual([])
    const report = readCustomerStatusReport(xml)
    if (!report.ok) throw new Error(report.refusal.message)
    return report.value
  }

  test('tells each transaction its status and the group what they have in common', () => {
    const transactions =
      transaction({ ids: 'A' }) + transaction({ ids: 'B', account: iban('DE88370400440532013000') }) + transaction({ ids: 'C' })
    const decision = decide(file({ header: '<NbOfTxs>3</NbOfTxs><CtrlSum>37.50</CtrlSum>', transactions }))
    const report = read(
      answerInitiation(decision, HEADER, (t) =>
        t.endToEndId === 'C' ? { status: 'RJCT', reason: { code: 'AM04', message: 'Not enough funds' } } : { status: 'ACSP' },
      ),
    )
    expect(report).toMatchObject({
      originalMessageId: 'MSG-1',
      originalMessageName: 'pain.001.001.03',
      group: {
        status: 'PART',
        numberOfTransactions: '3',
        controlSum: '37.50',
        perStatus: [
          { status: 'RJCT', count: '2', sum: '25.00' },
          { status: 'ACSP', count: '1', sum: '12.50' },
        ],
      },
      blocks: [
        {
          paymentInformationId: 'P1',
          status: 'PART',
          transactions: [
            { endToEndId: 'A', status: 'ACSP', reasons: [] },
            { endToEndId: 'B', status: 'RJCT', reasons: [{ code: 'AC01' }] },
            { endToEndId: 'C', status: 'RJCT', reasons: [{ code: 'AM04', additional: ['Not enough funds'] }] },
          ],
        },
      ],
    })
  })

  test.each([
    [['ACSP', 'ACSP'], 'ACSP'],
    [['ACSC', 'ACCP'], 'ACCP'],
    [['RJCT', 'RJCT'], 'RJCT'],
    [['PDNG', 'PDNG'], 'PDNG'],
    [['PDNG', 'ACSC'], 'PART'],
    [['RJCT', 'PDNG'], 'PART'],
  ] as const)('of %j is %s', (statuses, expected) => {
    const decision = decide(
      file({ header: '<NbOfTxs>2</NbOfTxs>', transactions: transaction({ ids: '0' }) + transaction({ ids: '1' }) }),
    )
    const report = read(answerInitiation(decision, HEADER, (t) => ({ status: statuses[Number(t.endToEndId)] ?? 'RJCT' })))
    expect([report.group.status, report.blocks[0]?.status]).toEqual([expected, expected])
  })

  test('to a refused file counts everything as rejected', () => {
    const report = read(
      answerInitiation(decide(file({ header: '<NbOfTxs>x</NbOfTxs><CtrlSum>-1</CtrlSum>' })), HEADER, () => ({ status: 'ACSP' })),
    )
    expect(report).toMatchObject({
      group: {
        status: 'RJCT',
        reasons: [{ code: 'AM18' }],
        numberOfTransactions: undefined,
        perStatus: [{ status: 'RJCT', count: '1', sum: '12.50' }],
      },
      blocks: [],
    })
  })

  test('to what cannot be read names no message', () => {
    for (const content of [
      '',
      'hello',
      '<a',
      '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
      '<a>'.repeat(200_000),
      '<Document xmlns="urn:CBI:xsd:CBIPaymentRequest.00.04.00"/>',
    ]) {
      const result = readPaymentInitiation(bytes(content))
      if (result.ok) throw new Error(content)
      expect(read(answerUnreadable(result.refusal, HEADER))).toMatchObject({
        originalMessageId: 'NOTPROVIDED',
        group: { status: 'RJCT', reasons: [{ code: 'FF01' }] },
      })
    }
  })

  test('of other banks is read', () => {
    const other = (name: string) => {
      const report = readCustomerStatusReport(readStandard(`samples/pain/postfinance_pain.002.001.10_${name}.xml`))
      if (!report.ok) throw new Error(report.refusal.message)
      return report.value
    }
    expect(other('ACCP').blocks.map((b) => b.status)).toEqual(['ACCP'])
    expect(other('ACTC_file').group.status).toBe('ACTC')
    expect(other('RJCT_tx').blocks).toMatchObject([{ status: 'RJCT', reasons: [{ code: 'AC01' }] }])
  })
})
