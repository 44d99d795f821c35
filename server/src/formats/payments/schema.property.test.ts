import { node, readXml, writeXml, type XmlElement, type XmlNode } from '@partita/notation/xml'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeWithStandards, readStandard } from '../../../test/support/standards.ts'
import { xsdProblems } from '../../../test/support/xsd.ts'
import { PAIN_001_03_SCHEMA } from './pain001-schema-03.ts'
import { PAIN_001_09_SCHEMA } from './pain001-schema-09.ts'
import { compileSchema, schemaProblem } from './schema.ts'

const SCHEMAS = new Map([
  ['pain.001.001.03', compileSchema(PAIN_001_03_SCHEMA)],
  ['pain.001.001.09', compileSchema(PAIN_001_09_SCHEMA)],
])

type Tree = { name: string; attributes: Record<string, string>; children: Tree[]; text: string }

const toTree = (element: XmlElement): Tree => ({
  name: element.name,
  attributes: Object.fromEntries(Object.entries(element.attributes).filter(([key]) => !key.includes(':'))),
  children: element.children.map(toTree),
  text: element.children.length > 0 ? '' : element.text,
})

const toNode = (tree: Tree): XmlNode =>
  node(tree.name, tree.children.length > 0 ? tree.children.map(toNode) : tree.text, tree.attributes)

const allOf = (tree: Tree): Tree[] => [tree, ...tree.children.flatMap(allOf)]

/** A whole message with every kind of part, so that a change anywhere is tried. */
function richMessage(version: '03' | '09'): string {
  const bic = version === '03' ? 'BIC' : 'BICFI'
  const date = version === '03' ? '2026-03-10' : '<Dt>2026-03-10</Dt>'
  return `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.${version}"><CstmrCdtTrfInitn>
 <GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-10T09:00:00.5+01:00</CreDtTm><Authstn><Cd>AUTH</Cd></Authstn><NbOfTxs>1</NbOfTxs><CtrlSum>1.50</CtrlSum>
 <InitgPty><Nm>A</Nm><Id><OrgId><Othr><Id>1</Id><SchmeNm><Cd>COID</Cd></SchmeNm><Issr>I</Issr></Othr></OrgId></Id><CtctDtls><NmPrfx>DOCT</NmPrfx><PhneNb>+33-123</PhneNb></CtctDtls></InitgPty></GrpHdr>
 <PmtInf><PmtInfId>P</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg><NbOfTxs>1</NbOfTxs><CtrlSum>1.5</CtrlSum>
 <PmtTpInf><InstrPrty>NORM</InstrPrty><SvcLvl><Cd>SEPA</Cd></SvcLvl><LclInstrm><Cd>INST</Cd></LclInstrm><CtgyPurp><Cd>SALA</Cd></CtgyPurp></PmtTpInf>
 <ReqdExctnDt>${date}</ReqdExctnDt><Dbtr><Nm>D</Nm><PstlAdr><Ctry>FR</Ctry><AdrLine>x</AdrLine><AdrLine>y</AdrLine></PstlAdr></Dbtr>
 <DbtrAcct><Id><IBAN>FR7630006000011234567890189</IBAN></Id><Tp><Cd>CACC</Cd></Tp><Ccy>EUR</Ccy></DbtrAcct>
 <DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>
 <CdtTrfTxInf><PmtId><InstrId>I</InstrId><EndToEndId>E</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">1.50</InstdAmt></Amt>
 <UltmtDbtr><Id><PrvtId><DtAndPlcOfBirth><BirthDt>1980-02-29</BirthDt><CityOfBirth>X</CityOfBirth><CtryOfBirth>FR</CtryOfBirth></DtAndPlcOfBirth></PrvtId></Id></UltmtDbtr>
 <CdtrAgt><FinInstnId><${bic}>COBADEFFXXX</${bic}></FinInstnId></CdtrAgt><Cdtr><Nm>C</Nm></Cdtr><CdtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></CdtrAcct>
 <Purp><Cd>SALA</Cd></Purp><RgltryRptg><Dtls><Amt Ccy="EUR">1</Amt></Dtls></RgltryRptg><Tax><Dt>2026-01-01</Dt><SeqNb>1</SeqNb></Tax>
 <RmtInf><Strd><RfrdDocInf><Tp><CdOrPrtry><Cd>CINV</Cd></CdOrPrtry></Tp></RfrdDocInf><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF18539007547034</Ref></CdtrRefInf></Strd></RmtInf>
 </CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>`
}

const VALUES = ['', ' ', 'A', 'EUR', 'eur', '0', '-1', '1.123456', '1e3', '+1', '.5', '1.', '00012', '1'.repeat(19), '2026-02-30', '2024-02-29', '2026-03-10Z', '2026-03-10T24:00:00', '2026-03-10T25:00:00', 'true', '1 ', 'x'.repeat(36), 'x'.repeat(141), 'é'.repeat(35), '🙂'.repeat(35), 'SLEV', 'SHAR ', 'FR76 3000', 'COBADEFF', '+33-1 2', 'ZZZZ'] // biome-ignore format: a list of odd values

describeWithStandards('our reading of the schema', () => {
  test.each(['03', '09'] as const)('agrees with libxml2 about pain.001.001.%s, whole and spoilt', (version) => {
    const message = `pain.001.001.${version}`
    const schema = SCHEMAS.get(message)
    if (!schema) throw new Error(message)
    const sources = [richMessage(version), new TextDecoder().decode(readStandard(`samples/pain/sepa-js_${message}.xml`))]
    let valid = 0
    const judge = (xml: string) => {
      const read = readXml(new TextEncoder().encode(xml))
      if (!read.ok) throw new Error(read.problem.message)
      const ours = schemaProblem(schema, read.root)
      const theirs = xsdProblems(message, xml)
      if (theirs.length === 0) valid += 1
      expect({
        valid: ours === undefined,
        because: ours?.message ?? theirs,
        xml: (ours === undefined) === (theirs.length === 0) ? '' : xml,
      }).toMatchObject({
        valid: theirs.length === 0,
      })
    }
    for (const source of sources) judge(source)
    const trees = sources.map((source) => {
      const read = readXml(new TextEncoder().encode(source))
      if (!read.ok) throw new Error(read.problem.message)
      return toTree(read.root)
    })
    const change = fc.record({
      source: fc.nat(trees.length - 1),
      at: fc.nat(),
      other: fc.nat(),
      kind: fc.constantFrom('remove', 'repeat', 'swap', 'rename', 'value', 'value', 'value', 'attribute', 'move'),
      value: fc.constantFrom(...VALUES),
    })
    fc.assert(
      fc.property(change, ({ source, at, other, kind, value }) => {
        const tree = structuredClone(trees[source]) as Tree
        spoil(tree, kind, at, other, value)
        judge(
          writeXml(toNode({ ...tree, attributes: { ...tree.attributes, xmlns: `urn:iso:std:iso:20022:tech:xsd:${message}` } })),
        )
      }),
      { numRuns: 800 },
    )
    expect(valid).toBeGreaterThan(50)
  })
})

function spoil(tree: Tree, kind: string, at: number, other: number, value: string): void {
  const all = allOf(tree).slice(1)
  const parents = allOf(tree).filter((t) => t.children.length > 0)
  const target = all[at % all.length] as Tree
  const parent = parents.find((p) => p.children.includes(target)) as Tree
  const index = parent.children.indexOf(target)
  if (kind === 'remove') parent.children.splice(index, 1)
  else if (kind === 'repeat') parent.children.splice(index, 0, structuredClone(target))
  else if (kind === 'swap') parent.children.splice(index, 2, ...parent.children.slice(index, index + 2).reverse())
  else if (kind === 'rename') target.name = (all[other % all.length] as Tree).name
  else if (kind === 'attribute')
    target.attributes = 'Ccy' in target.attributes ? (value === '' ? {} : { Ccy: value }) : { Ccy: 'EUR' }
  else if (kind === 'move') {
    parent.children.splice(index, 1)
    ;(parents[other % parents.length] as Tree).children.push(target)
  } else {
    const leaves = all.filter((t) => t.children.length === 0)
    ;(leaves[at % leaves.length] as Tree).text = value
  }
}
