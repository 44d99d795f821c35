import { describe, expect, test } from 'vitest'
import { accepted, balance, camt053, entryIn, ntry, parseText, problemsOf, refusalOf, statementIn } from './test-support.ts'

const sums = balance('OPBD', '100.00') + ntry('12.50') + ntry('2.50', 'DBIT') + balance('CLBD', '110.00')

describe('a statement', () => {
  test('has its balances, totals and whether it adds up', () => {
    const statement = statementIn(camt053(sums))
    expect(statement.account).toEqual({
      id: 'FR7630006000011234567890189',
      iban: 'FR7630006000011234567890189',
      bankCode: null,
      bic: null,
      holder: null,
    })
    expect([statement.opening, statement.closing, statement.totals, statement.reconciles]).toEqual([
      '100.00',
      '110.00',
      { entries: 2, details: 0, credit: '12.50', debit: '2.50' },
      true,
    ])
    expect(problemsOf(camt053(sums))).toEqual([])
  })

  test('that does not add up says by how much', () => {
    const file = accepted(parseText(camt053(sums.replace('110.00', '109.99'))))
    expect(file.statements[0]?.reconciles).toBe(false)
    expect(file.problems[0]).toEqual({
      code: 'does_not_reconcile',
      line: 1,
      message: 'opening 100.00 plus entries 10.00 is not closing 109.99: 0.01 EUR too much in the entries',
    })
  })

  test('with a debit balance is negative', () => {
    expect(statementIn(camt053(balance('OPBD', '5', 'DBIT') + balance('CLBD', '5.00', 'DBIT')))).toMatchObject({
      opening: '-5',
      closing: '-5.00',
      reconciles: true,
    })
  })

  test('over several days opens with the earliest and closes with the latest balance', () => {
    const day = (type: string, amount: string, date: string) =>
      balance(type, amount).replace('<Dt><Dt>2026-01-31', `<Dt><Dt>${date}`)
    const body =
      day('CLBD', '20', '2026-01-11') +
      day('OPBD', '10', '2026-01-11') +
      day('OPBD', '5', '2026-01-10') +
      day('CLBD', '10', '2026-01-10') +
      ntry('15')
    expect(statementIn(camt053(body))).toMatchObject({ opening: '5', closing: '20', reconciles: true })
  })

  test('keeps pending entries apart from the balance', () => {
    const body = sums.replace('<Sts>BOOK</Sts>', '<Sts><Cd>PDNG</Cd></Sts>').replace('110.00', '97.50')
    const statement = statementIn(camt053(body))
    expect(statement.entries.map((e) => e.status)).toEqual(['PDNG', 'BOOK'])
    expect([statement.totals.entries, statement.reconciles]).toEqual([2, true])
  })

  test.each([
    ['TtlNtries', '<NbOfNtries>3</NbOfNtries>'],
    ['TtlCdtNtries', '<Sum>12.51</Sum>'],
    ['TtlDbtNtries', '<NbOfNtries>1</NbOfNtries><Sum>2.5</Sum>'],
  ])('is held against its own control totals (%s)', (name, content) => {
    const problems = problemsOf(camt053(`<TxsSummry>\n<${name}>${content}</${name}></TxsSummry>${sums}`))
    expect(problems).toEqual(name === 'TtlDbtNtries' ? [] : ['3 totals_differ'])
  })
})

describe('an entry', () => {
  test('that is a reversal keeps the direction that CdtDbtInd gives', () => {
    const entry = entryIn(camt053(ntry('8.00', 'DBIT', '<RvslInd>true</RvslInd>')))
    expect([entry.amount, entry.reversal]).toEqual(['-8.00', true])
  })

  test('keeps every decimal it was given', () => {
    expect(entryIn(camt053(ntry('8.12345'))).amount).toBe('8.12345')
    expect(entryIn(camt053(ntry('.5'))).amount).toBe('0.5')
  })

  test('carries the details of a batch and names one that does not add up', () => {
    const detail = (amount: string, id: string) =>
      `<TxDtls><Refs><EndToEndId>${id}</EndToEndId></Refs><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty><Nm>Jane</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>a</Ustrd><Ustrd>b</Ustrd></RmtInf></TxDtls>`
    const batch = (second: string) =>
      camt053(
        ntry(
          '30.00',
          'CRDT',
          `<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd><NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>${detail('10.00', 'A')}${detail(second, 'B')}</NtryDtls>`,
        ),
      )
    const entry = entryIn(batch('20.00'))
    expect(
      entry.details.map((d) => [d.amount, d.references.endToEndId, d.counterparty.name, d.counterparty.iban, d.remittance]),
    ).toEqual([
      ['10.00', 'A', 'Jane', 'DE02120300000000202051', 'a b'],
      ['20.00', 'B', 'Jane', 'DE02120300000000202051', 'a b'],
    ])
    expect(problemsOf(batch('20.00')).filter((p) => p.includes('batch'))).toEqual([])
    expect(problemsOf(batch('19.00')).filter((p) => p.includes('batch'))).toEqual(['2 batch_differs'])
  })

  test('of a returned transfer names the one we paid, not ourselves', () => {
    const party = (role: string, name: string, iban: string) =>
      `<${role}><Nm>${name}</Nm></${role}><${role}Acct><Id><IBAN>${iban}</IBAN></Id></${role}Acct>`
    const code = '<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>'
    const parties = party('Dbtr', 'We', 'FR7630006000011234567890189') + party('Cdtr', 'Shop', 'DE02120300000000202051')
    const entry = entryIn(
      camt053(
        ntry(
          '9.00',
          'CRDT',
          `${code}<NtryDtls><TxDtls><RltdPties>${parties}</RltdPties><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls>`,
        ),
      ),
    )
    expect([entry.counterparty.name, entry.details[0]?.returnReason]).toEqual(['Shop', 'AC04'])
  })
})

describe('slightly off the schema', () => {
  const minimal = sums
  test.each([
    ['no group header', camt053(minimal).replace(/<GrpHdr>.*<\/GrpHdr>/, ''), '1 group_header_missing'],
    [
      'an unknown transaction code',
      camt053(
        minimal.replace(
          '<Prtry><Cd>X</Cd></Prtry>',
          '<Domn><Cd>PNMT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>',
        ),
      ),
      '3 transaction_code_unknown',
    ],
    [
      'an unknown family',
      camt053(
        minimal.replace(
          '<Prtry><Cd>X</Cd></Prtry>',
          '<Domn><Cd>PMNT</Cd><Fmly><Cd>ZZZZ</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>',
        ),
      ),
      '3 transaction_code_unknown',
    ],
    [
      'no transaction code',
      camt053(minimal.replace('<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>', '')),
      '3 transaction_code_missing',
    ],
    ['30 February', camt053(minimal.replace('<Dt>2026-01-15</Dt>', '<Dt>2026-02-30</Dt>')), '3 date_corrected'],
    ['a date that is none', camt053(minimal.replace('<Dt>2026-01-16</Dt>', '<Dt>soon</Dt>')), '3 date_ignored'],
    ['no booking date', camt053(minimal.replace('<BookgDt><Dt>2026-01-15</Dt></BookgDt>', '')), '3 date_assumed'],
    ['no status', camt053(minimal.replace('<Sts>BOOK</Sts>', '')), '3 status_assumed'],
    ['a control character', camt053(minimal.replace('<Prtry>', '<Prtry>\u0002')), '3 control_characters_replaced'],
    ['an amount without currency', camt053(minimal.replace('<Amt Ccy="EUR">12.50', '<Amt>12.50')), '3 currency_assumed'],
    ['blanks before the declaration', ` <?xml version="1.0"?>${camt053(minimal)}`, '1 leading_space_skipped'],
    [
      'an undeclared prefix',
      camt053(minimal).replace('<Document', '<Document xsi:schemaLocation="x"'),
      '1 namespace_prefix_undeclared',
    ],
    ['no namespace', camt053(minimal).replace(/ xmlns="[^"]*"/, ''), '1 namespace_missing'],
    ['a version to come', camt053(minimal, 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.12'), '1 version_untested'],
    ['an IBAN with wrong check digits', camt053(minimal).replace('FR7630006', 'FR7730006'), '1 iban_invalid'],
  ])('%s is read and named', (_, text, problem) => {
    const file = accepted(parseText(text))
    expect(file.problems.map((p) => `${p.line} ${p.code}`)).toEqual([problem])
    expect([file.statements[0]?.totals.entries, file.statements[0]?.reconciles]).toEqual([2, true])
  })

  test.each(['02', '03', '04', '05', '06', '07', '08'])('version %s is read without a remark', (version) => {
    for (const [number, message, statement] of [
      ['052', 'BkToCstmrAcctRpt', 'Rpt'],
      ['053', 'BkToCstmrStmt', 'Stmt'],
      ['054', 'BkToCstmrDbtCdtNtfctn', 'Ntfctn'],
    ] as const) {
      const text = camt053(sums, `urn:iso:std:iso:20022:tech:xsd:camt.${number}.001.${version}`)
        .replaceAll('BkToCstmrStmt', message)
        .replaceAll('Stmt>', `${statement}>`)
      const file = accepted(parseText(text))
      expect([file.format, file.problems]).toEqual([`camt.${number}.001.${version}`, []])
    }
  })

  test('version 01, with its other names, is read and named', () => {
    const text = camt053(ntry('5.00', 'CRDT', '<BkTxCd/><TxDtls><Refs><EndToEndId>E</EndToEndId></Refs></TxDtls>'))
      .replaceAll('BkToCstmrStmt', 'BkToCstmrStmtV01')
      .replace('.001.08', '.001.01')
    expect(problemsOf(text)).toContain('1 version_untested')
    expect(entryIn(text).references.endToEndId).toBe('E')
  })

  test('a message inside an envelope is found', () => {
    expect(statementIn(`<Envelope xmlns="urn:e"><Header/><Body>${camt053(sums)}</Body></Envelope>`).reconciles).toBe(true)
    const deep = '<s:Envelope xmlns:s="urn:s"><s:Body><a><b><c><d><e>'
    const text = `${deep}${camt053(sums)}${'</e></d></c></b></a></s:Body></s:Envelope>'}`
    expect(statementIn(text).reconciles).toBe(true)
  })

  test('a message is found without a Document around it, and every message of a Document', () => {
    const bare = camt053(sums)
      .replace(/<Document( xmlns="[^"]*")>/, '')
      .replace('</Document>', '')
    const namespace = /xmlns="[^"]*"/.exec(camt053(sums))?.[0]
    const inside = bare.replace('<BkToCstmrStmt>', `<BkToCstmrStmt ${namespace}>`).replace(/<\?xml[^>]*\?>/, '')
    expect(statementIn(`<Envelope xmlns="urn:e"><Body>${inside}</Body></Envelope>`).reconciles).toBe(true)
    const twice = camt053(sums).replace('</Document>', `${inside}</Document>`)
    expect(accepted(parseText(twice)).statements).toHaveLength(2)
  })

  test.each(['urn:swift:xsd:$camt.053.001.02', 'http://www.six-interbank-clearing.com/de/camt.053.001.04.xsd'])(
    'a bank’s own spelling of the namespace is understood: %s',
    (namespace) => {
      const file = accepted(parseText(camt053(sums, namespace)))
      expect([file.format, file.problems]).toEqual([/camt[.\d]+\d/.exec(namespace)?.[0], []])
    },
  )

  test('a control total that is no number is named', () => {
    const text = camt053(`<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries><Sum>-10.00</Sum></TtlNtries></TxsSummry>${sums}`)
    expect(problemsOf(text)).toEqual(['2 totals_differ'])
  })

  test('an account without IBAN has its own number, a currency comes from the balance', () => {
    const text = camt053(sums)
      .replace('<IBAN>FR7630006000011234567890189</IBAN>', '<Othr><Id>123-4</Id></Othr>')
      .replace('<Ccy>EUR</Ccy>', '')
    expect(statementIn(text)).toMatchObject({ account: { id: '123-4', iban: null }, currency: 'EUR' })
  })

  test('an entry in another currency is named', () => {
    expect(problemsOf(camt053(ntry('1').replace('EUR', 'USD')))).toContain('2 currency_mismatch')
  })
})

describe('refused, with the line', () => {
  test.each([
    '1e3',
    '12,5',
    '12,5,0',
    '',
    '-5',
    'NaN',
    '0x1A',
    '1 000',
    '1.2.3',
    '٣',
    '1'.repeat(30),
    '<b>1</b>',
    '1<!-- -->2\u00012',
  ])('amount %j', (amount) => {
    expect(refusalOf(camt053(`${ntry('1.00')}${ntry('9.99').replace('9.99', amount)}`))).toBe('3 amount_malformed')
  })

  test.each([
    ['amounts twice', camt053(ntry('1').replace('</Amt>', '</Amt><Amt Ccy="EUR">2</Amt>')), '2 amount_malformed'],
    ['no amount', camt053(ntry('1').replace(/<Amt.*<\/Amt>/, '')), '2 amount_missing'],
    ['a balance with a sign', camt053(`\n${balance('OPBD', '-1.00')}`), '3 amount_malformed'],
    [
      'a malformed amount inside a batch',
      camt053(ntry('1', 'CRDT', '<NtryDtls><TxDtls>\n<Amt Ccy="EUR">1,00</Amt></TxDtls></NtryDtls>')),
      '3 amount_malformed',
    ],
    ['no direction', camt053(ntry('1').replace('<CdtDbtInd>CRDT</CdtDbtInd>', '')), '2 direction_missing'],
    ['a direction that is none', camt053(ntry('1', 'BOTH')), '2 direction_missing'],
    ['no account', camt053(sums).replace(/<Acct>.*<\/Acct>/, ''), '1 account_missing'],
    ['no currency anywhere', camt053(ntry('1').replace(' Ccy="EUR"', '')).replace('<Ccy>EUR</Ccy>', ''), '2 currency_missing'],
    [
      'no date anywhere',
      camt053(ntry('1'))
        .replace(/<(BookgDt|ValDt)>.*<\/\1>/g, '')
        .replace(/<CreDtTm>.*<\/CreDtTm>/, ''),
      '2 date_missing',
    ],
    ['no statement', camt053('').replace(/<Stmt>[\s\S]*<\/Stmt>/, ''), '1 no_statements'],
    ['another namespace', camt053(sums, 'urn:example:other'), '1 unknown_format'],
    ['the namespace of another message', camt053(sums, 'urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'), '1 unknown_format'],
    ['camt.052 around a camt.053', camt053(sums, 'urn:iso:std:iso:20022:tech:xsd:camt.052.001.08'), '1 unknown_format'],
    ['a version that does not exist', camt053(sums, 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.99'), '1 unsupported_version'],
    ['an unclosed element', camt053(sums).replace('</Document>', ''), '6 not_well_formed'],
    [
      'an external entity',
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>${camt053(sums)}`,
      '1 document_type_forbidden',
    ],
    ['an unknown entity', camt053(ntry('1').replace('>1<', '>&one;<')), '2 not_well_formed'],
    ['200,000 deep', '<Document>'.repeat(200_000), '1 too_deep'],
  ])('%s', (_, text, refusal) => {
    expect(refusalOf(text)).toBe(refusal)
  })
})
