import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeWithStandards, readStandard } from '../../../test/support/standards.ts'
import { xsdProblems } from '../../../test/support/xsd.ts'
import { buildIban } from './iban.ts'
import { readInterbankMessage } from './interbank.ts'
import { PACS_002, type StatusReport } from './pacs002.ts'
import { PACS_004, type PaymentReturns, writePaymentReturn } from './pacs004.ts'
import { type InterbankCreditTransfer, type InterbankCreditTransfers, PACS_008, writeCreditTransfers } from './pacs008.ts'
import { PACS_028, writeStatusRequest } from './pacs028.ts'
import { toSepaText } from './sepa-text.ts'

function readSample<T>(file: string): T {
  const read = readInterbankMessage(readStandard(`samples/${file}`))
  if (!read.ok) throw new Error(`${file}: ${read.refusal.message}`)
  return read.value as T
}

describeWithStandards('published samples', () => {
  test('a status report with a group and a transaction that carries no status of its own: the reason says rejected', () => {
    const report = readSample<StatusReport>('interbank/pacs.002.001.10_sct.xml')
    expect(report.groups).toMatchObject([
      { originalMessageId: 'SSSSSS111120190313090033395001', originalMessageName: 'pacs.008.001.02', status: 'PART' },
    ])
    expect(report.transactions).toMatchObject([
      {
        originalTransactionId: '111T9072000000000000000000000000006',
        originalMessageId: 'SSSSSS111120190313090033395001',
        status: 'RJCT',
        reasons: [{ code: 'AC01', originator: 'TESTBICB' }],
      },
    ])
  })

  test('a settled and a rejected instant transfer', () => {
    const settled = readSample<StatusReport>('interbank/pacs.002.001.10_sct-inst_ACSC.xml')
    expect(settled.transactions).toMatchObject([
      { originalTransactionId: 'TX-INST-00000042', status: 'ACSC', acceptedAt: '2026-08-12T14:22:03.850', reasons: [] },
    ])
    const rejected = readSample<StatusReport>('interbank/pacs.002.001.10_sct-inst_RJCT_AB05.xml')
    expect(rejected.transactions).toMatchObject([
      { status: 'RJCT', reasons: [{ code: 'AB05', additional: ['Creditor PSP not reachable for SCT Inst'] }] },
    ])
  })

  test('credit transfers with ultimate parties, identifications and addresses', () => {
    const message = readSample<InterbankCreditTransfers>('interbank/pacs.008.001.08_sct_a.xml')
    expect(message).toMatchObject({
      messageId: '18158300000001',
      settlementDate: '2023-06-01',
      instructingAgent: 'BCDAGRA0',
      clearingSystem: 'DIAS',
    })
    expect(message.transactions).toMatchObject([
      {
        transactionId: 'From014To016-Cred-1',
        settlementAmount: { value: '10.00', currency: 'EUR' },
        ultimateDebtor: {
          name: 'Ultimate Debtor Test 1',
          identification: { kind: 'private', others: [{ id: 'AX035662', scheme: { code: 'NIDN' } }] },
        },
        debtor: {
          address: { country: 'GR', lines: ['Address Line 1'] },
          identification: { kind: 'organisation', lei: '984510B3901DEA58OD34' },
        },
        creditorIban: 'GR0899999990000000000000001',
        purpose: { code: 'BENE' },
        remittance: { unstructured: ['new message for ISO2019'] },
      },
    ])
    const instant = readSample<InterbankCreditTransfers>('interbank/pacs.008.001.08_sct-inst.xml')
    expect(instant.transactions[0]?.paymentType?.localInstrument).toEqual({ code: 'INST', proprietary: undefined })
  })

  test('a return, and a positive answer to a recall that keeps a fee', () => {
    const returned = readSample<PaymentReturns>('authored/pacs.004.001.09_sct-return_AC04.xml')
    expect(returned.returns).toMatchObject([
      {
        returnId: 'RTN20260312000001-1',
        originalTransactionId: 'KNTR20260310-000017-0001',
        returnedAmount: { value: '1250.00', currency: 'EUR' },
        settlementDate: '2026-03-12',
        reasons: [{ code: 'AC04', originator: 'COBADEFFXXX' }],
        charges: [],
        original: { debtorIban: 'FR7630006000011234567890189', creditor: { name: 'Mueller und Soehne GmbH' } },
      },
    ])
    const recalled = readSample<PaymentReturns>('authored/pacs.004.001.09_positive-recall-answer_FOCR_with-fee.xml')
    expect(recalled.returns).toMatchObject([
      {
        originalSettlementAmount: { value: '1250.00', currency: 'EUR' },
        returnedAmount: { value: '1240.00', currency: 'EUR' },
        charges: [{ amount: { value: '10.00', currency: 'EUR' }, agent: 'COBADEFFXXX' }],
        reasons: [{ code: 'FOCR' }],
      },
    ])
  })

  test.each([
    'interbank/camt.056.001.08_multi.xml',
    'interbank/step2-bulk_sct_pacs.002.001.10S2.xml',
    'authored/pacs.028.001.03_inst-investigation.xml',
    'authored/pacs.003.001.08_sdd-core_RCUR.xml',
  ])('%s is not for us and said to be so', (file) => {
    const read = readInterbankMessage(readStandard(`samples/${file}`))
    expect(read.ok || read.refusal.code).toBe('message_not_supported')
  })
})

const TRANSFER: InterbankCreditTransfer = {
  endToEndId: 'FACT-118',
  transactionId: 'TX-1',
  uetr: 'b009c997-97b3-4a9c-803c-d645a7276b0f',
  settlementAmount: { value: '1250.00', currency: 'EUR' },
  debtor: {
    name: 'Atelier Rousseau SARL',
    address: { townName: 'Paris', country: 'FR', lines: ['1 rue A', '2e étage', 'third'] },
  },
  debtorIban: 'FR7630006000011234567890189',
  debtorAgent: 'PARTFRPPXXX',
  creditor: { name: 'Müller & Söhne' },
  creditorIban: 'DE89370400440532013000',
  remittance: { unstructured: ['Rechnung "7" – Café'], structured: [] },
}

const MESSAGE = {
  messageId: 'M1',
  createdAt: '2026-03-10T09:00:00.000Z',
  settlementDate: '2026-03-10',
  instructingAgent: 'PARTFRPPXXX',
  transactions: [TRANSFER],
}

describeWithStandards('what we write', () => {
  test('a credit transfer is valid, in SEPA characters, and read back as meant', () => {
    const xml = writeCreditTransfers(MESSAGE)
    expect(xsdProblems(PACS_008, xml)).toEqual([])
    const read = readInterbankMessage(xml)
    expect(read.ok && read.value).toMatchObject({
      messageId: 'M1',
      transactions: [
        {
          ...TRANSFER,
          debtor: {
            name: 'Atelier Rousseau SARL',
            address: { townName: 'Paris', country: 'FR', lines: ['1 rue A', '2e etage'] },
          },
          creditor: { name: 'Muller + Sohne' },
          creditorAgent: undefined,
          remittance: { unstructured: ["Rechnung '7' . Cafe"] },
        },
      ],
    })
    expect(xml).toContain('<Id>NOTPROVIDED</Id>')
    expect(xml).toContain('<TtlIntrBkSttlmAmt Ccy="EUR">1250.00</TtlIntrBkSttlmAmt>')
    expect(writeCreditTransfers(MESSAGE, 'german')).toContain('Mueller + Soehne')
  })

  test('parties carry one identification each, an address only debtor and creditor, the ultimate ones name and identification', () => {
    const address = { townName: 'Köln', country: 'DE', lines: [] }
    const others = [{ id: 'COID-7', scheme: { code: 'COID' } }, { id: 'TXID-8' }]
    const organisation = { kind: 'organisation', lei: '529900T8BM49AURSDO55', bic: 'COBADEFFXXX', others } as const
    const birth = { date: '1980-02-03', city: 'Łódź', country: 'PL' }
    const transfer: InterbankCreditTransfer = {
      ...TRANSFER,
      paymentType: { serviceLevels: [], categoryPurpose: { code: 'SALA' } },
      debtor: { name: 'A', address, identification: organisation },
      creditor: {
        name: 'B',
        address,
        identification: { ...organisation, lei: undefined, bic: undefined },
        countryOfResidence: 'DE',
      },
      ultimateDebtor: { name: 'C', address, identification: { kind: 'private', birth, others } },
      ultimateCreditor: { address },
    }
    const xml = writeCreditTransfers({ ...MESSAGE, transactions: [transfer] })
    expect(xsdProblems(PACS_008, xml)).toEqual([])
    const read = readInterbankMessage(xml)
    const [travelled] = read.ok && read.value.messageName === PACS_008 ? read.value.transactions : []
    expect(travelled).toMatchObject({
      paymentType: { categoryPurpose: { code: 'SALA' } },
      debtor: { address: { townName: 'Koln' }, identification: { lei: '529900T8BM49AURSDO55', bic: undefined, others: [] } },
      creditor: { address: { townName: 'Koln' }, identification: { others: [{ id: 'COID-7', scheme: { code: 'COID' } }] } },
      ultimateDebtor: { name: 'C', address: undefined, identification: { birth: { ...birth, city: 'Lodz' }, others: [] } },
      ultimateCreditor: undefined,
    })
    expect(xml).not.toContain('CtryOfRes')
  })

  test('an address without town and country in their own elements does not travel', () => {
    const debtor = { name: 'A', address: { country: 'LT', lines: ['Adresas 123', 'Vilnius'] } }
    const xml = writeCreditTransfers({ ...MESSAGE, transactions: [{ ...TRANSFER, debtor }] })
    expect(xsdProblems(PACS_008, xml)).toEqual([])
    expect(xml).not.toContain('PstlAdr')
  })

  test('an instruction identification that cannot travel stays here', () => {
    const write = (instructionId: string) => writeCreditTransfers({ ...MESSAGE, transactions: [{ ...TRANSFER, instructionId }] })
    expect(write('I-1')).toContain('<InstrId>I-1</InstrId>')
    expect(write('I_1')).not.toContain('InstrId')
  })

  test('text that grows in Latin letters still fits its elements', () => {
    const grown = {
      name: 'щ'.repeat(70),
      address: { streetName: 'щ'.repeat(70), townName: 'щ'.repeat(35), country: 'BG', lines: ['щ'.repeat(70)] },
    }
    const xml = writeCreditTransfers({ ...MESSAGE, transactions: [{ ...TRANSFER, creditor: grown }] })
    expect(xsdProblems(PACS_008, xml)).toEqual([])
  })

  test('a structured reference instead of text', () => {
    const remittance = {
      unstructured: [],
      structured: [
        {
          creditorReference: { reference: 'RF18539007547034', type: { code: 'SCOR' }, issuer: 'ISO' },
          others: [],
          length: 0,
        },
      ],
    }
    const xml = writeCreditTransfers({ ...MESSAGE, transactions: [{ ...TRANSFER, remittance }] })
    expect(xsdProblems(PACS_008, xml)).toEqual([])
    const read = readInterbankMessage(xml)
    expect(read.ok && read.value).toMatchObject({
      transactions: [
        { remittance: { structured: [{ creditorReference: { reference: 'RF18539007547034', type: { code: 'SCOR' } } }] } },
      ],
    })
  })

  test.each([
    ['an identifier with a slash at the edge', { endToEndId: '/A' }],
    ['another currency', { settlementAmount: { value: '1.00', currency: 'USD' } }],
    ['no amount', { settlementAmount: { value: '0.00', currency: 'EUR' } }],
    ['remittance information that is too long', { remittance: { unstructured: ['x'.repeat(141)], structured: [] } }],
  ])('may not be %s', (_, change) => {
    expect(() => writeCreditTransfers({ ...MESSAGE, transactions: [{ ...TRANSFER, ...change }] })).toThrow()
  })

  test('any credit transfers are valid and lose nothing but characters', () => {
    const text = (max: number) => fc.string({ unit: 'grapheme', minLength: 1, maxLength: max }).filter((t) => t.trim() !== '')
    const transfer = fc.record({
      id: fc.stringMatching(/^[A-Z0-9]{1,30}$/),
      minor: fc.bigInt(1n, 99_999_999_999n),
      debtor: text(100),
      creditor: text(100),
      remittance: fc.option(text(40), { nil: undefined }),
      account: fc.bigInt(1n, 999_999n),
    })
    fc.assert(
      fc.property(fc.array(transfer, { minLength: 1, maxLength: 4 }), (transfers) => {
        const transactions = transfers.map((t, index) => ({
          endToEndId: 'NOTPROVIDED',
          transactionId: `${t.id}${index}`,
          settlementAmount: { value: `${t.minor / 100n}.${String(t.minor % 100n).padStart(2, '0')}`, currency: 'EUR' },
          debtor: { name: t.debtor },
          debtorIban: buildIban('DE', '90010001', t.account),
          creditor: { name: t.creditor },
          creditorIban: buildIban('FR', '1999900001', t.account),
          remittance: t.remittance === undefined ? undefined : { unstructured: [t.remittance.slice(0, 40)], structured: [] },
        }))
        const xml = writeCreditTransfers({ ...MESSAGE, transactions })
        expect(xsdProblems(PACS_008, xml)).toEqual([])
        const read = readInterbankMessage(xml)
        expect(
          read.ok &&
            read.value.messageName === PACS_008 &&
            read.value.transactions.map((t) => [t.transactionId, t.settlementAmount.value, t.creditorIban, t.creditor.name]),
        ).toEqual(
          transactions.map((t) => [
            t.transactionId,
            t.settlementAmount.value,
            t.creditorIban,
            toSepaText(t.creditor.name).slice(0, 70).trim(),
          ]),
        )
      }),
      { numRuns: 60 },
    )
  })

  test('a status request is valid', () => {
    const xml = writeStatusRequest({
      messageId: 'Q1',
      requestId: 'Q1-1',
      createdAt: '2026-03-10T09:00:00.000Z',
      instructingAgent: 'PARTFRPPXXX',
      originalMessageId: 'M1',
      originalMessageName: PACS_008,
      originalEndToEndId: 'FACT-118',
      originalTransactionId: 'TX-1',
      originalUetr: TRANSFER.uetr,
    })
    expect(xsdProblems(PACS_028, xml)).toEqual([])
  })

  test('a return is valid and read back as meant', () => {
    const xml = writePaymentReturn({
      messageId: 'R1',
      returnId: 'R1-1',
      createdAt: '2026-03-11T09:00:00.000Z',
      settlementDate: '2026-03-11',
      instructingAgent: 'PARTFRPPXXX',
      reasonCode: 'AC01',
      originalMessageId: 'M1',
      originalSettlementDate: '2026-03-10',
      original: TRANSFER,
    })
    expect(xsdProblems(PACS_004, xml)).toEqual([])
    const read = readInterbankMessage(xml)
    expect(read.ok && read.value).toMatchObject({
      messageId: 'R1',
      settlementDate: '2026-03-11',
      returns: [
        {
          returnId: 'R1-1',
          originalTransactionId: 'TX-1',
          returnedAmount: { value: '1250.00', currency: 'EUR' },
          reasons: [{ code: 'AC01', originator: 'PARTFRPPXXX' }],
        },
      ],
    })
  })
})

describe('a group status', () => {
  const report = (body: string) =>
    readInterbankMessage(
      `<n:Document xmlns:n="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"><n:FIToFIPmtStsRpt><n:GrpHdr><n:MsgId>A</n:MsgId><n:CreDtTm>2026-03-10T09:00:00</n:CreDtTm></n:GrpHdr>${body}</n:FIToFIPmtStsRpt></n:Document>`,
    )
  const group = (status: string, id = 'M1') =>
    `<n:OrgnlGrpInfAndSts><n:OrgnlMsgId>${id}</n:OrgnlMsgId><n:OrgnlMsgNmId>pacs.008.001.08</n:OrgnlMsgNmId><n:GrpSts>${status}</n:GrpSts></n:OrgnlGrpInfAndSts>`
  const statuses = (body: string) => {
    const read = report(body)
    return read.ok && read.value.messageName === PACS_002
      ? { groups: read.value.groups.map((g) => g.status), transactions: read.value.transactions.map((t) => t.status) }
      : read
  }

  test('alone speaks of a whole message', () => {
    expect(statuses(group('RJCT'))).toEqual({ groups: ['RJCT'], transactions: [] })
  })

  test('gives its status to transactions without one, but PART says nothing about them', () => {
    const tx = '<n:TxInfAndSts><n:OrgnlTxId>T</n:OrgnlTxId></n:TxInfAndSts>'
    expect(statuses(group('ACSC') + tx)).toEqual({ groups: ['ACSC'], transactions: ['ACSC'] })
    expect(statuses(group('PART') + tx)).toEqual({ groups: ['PART'], transactions: [undefined] })
    expect(statuses(group('ACSC') + group('RJCT', 'M2') + tx)).toEqual({ groups: ['ACSC', 'RJCT'], transactions: [undefined] })
  })
})

describe('hostile and broken documents', () => {
  const credit = (amount: string) =>
    `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf><GrpHdr><MsgId>A</MsgId><CreDtTm>x</CreDtTm><IntrBkSttlmDt>2026-03-10</IntrBkSttlmDt></GrpHdr>\n<CdtTrfTxInf><PmtId><EndToEndId>E</EndToEndId><TxId>T</TxId></PmtId>${amount}</CdtTrfTxInf></FIToFICstmrCdtTrf></Document>`
  test.each([
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'xml_unreadable'],
    ['200,000 elements inside each other', '<a>'.repeat(200_000), 'xml_unreadable'],
    ['nothing', '', 'xml_unreadable'],
    ['half a message', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"><FIToFI', 'xml_unreadable'],
    ['another root', '<x xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.002.001.10"/>', 'message_not_supported'],
    ['a name of JavaScript', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:constructor"/>', 'message_not_supported'],
    ['an empty message', '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.004.001.09"/>', 'element_missing'],
    ['no amount', credit(''), 'element_missing'],
    ['an amount with an exponent', credit('<IntrBkSttlmAmt Ccy="EUR">1e3</IntrBkSttlmAmt>'), 'value_invalid'],
    ['a negative amount', credit('<IntrBkSttlmAmt Ccy="EUR">-1.00</IntrBkSttlmAmt>'), 'value_invalid'],
    ['an amount without currency', credit('<IntrBkSttlmAmt>1.00</IntrBkSttlmAmt>'), 'value_invalid'],
  ])('%s is refused', (_, xml, code) => {
    const read = readInterbankMessage(xml)
    expect(read.ok || read.refusal.code).toBe(code)
  })
})
