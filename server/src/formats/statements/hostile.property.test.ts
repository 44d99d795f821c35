import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeWithStandards, readStandard, standardsIn } from '../../../test/support/standards.ts'
import { entryIdentities } from './identity.ts'
import { parseStatementFile } from './parse.ts'
import { accepted } from './test-support.ts'

/** Every cut of every sample takes minutes: `PARTITA_EVERY_CUT=1` makes them all, otherwise about 150 per file, the last bytes among them. */
const EVERY_CUT = process.env.PARTITA_EVERY_CUT === '1'

const cutsOf = (length: number): number[] => {
  const stride = EVERY_CUT ? 1 : Math.max(1, Math.floor(length / 120))
  const spread = Array.from({ length: Math.ceil(length / stride) }, (_, i) => i * stride)
  return [...spread, ...Array.from({ length: Math.min(30, length) }, (_, i) => length - 1 - i)]
}

describeWithStandards('a sample cut off anywhere', () => {
  for (const name of standardsIn('samples/camt')) {
    test(`camt/${name} is refused, never read as a shorter statement`, () => {
      const bytes = readStandard(`samples/camt/${name}`)
      const whole = new TextDecoder().decode(bytes).trimEnd().length
      const encoded = new TextEncoder().encode(new TextDecoder().decode(bytes).slice(0, whole)).length
      for (const cut of cutsOf(bytes.length)) {
        if (cut < encoded) expect(parseStatementFile(bytes.subarray(0, cut)).ok, `cut at ${cut}`).toBe(false)
      }
    })
  }

  for (const name of standardsIn('samples/ofx')) {
    test(`ofx/${name} is refused`, () => {
      const bytes = readStandard(`samples/ofx/${name}`)
      const end = new TextDecoder('latin1').decode(bytes).lastIndexOf('</OFX>') + 6
      for (const cut of cutsOf(end)) expect(parseStatementFile(bytes.subarray(0, cut)).ok, `cut at ${cut}`).toBe(false)
    })
  }

  for (const name of standardsIn('samples/mt940')) {
    test(`mt940/${name} is refused, or read with a name for what is missing`, () => {
      const bytes = readStandard(`samples/mt940/${name}`)
      const whole = accepted(parseStatementFile(bytes)).statements.flatMap((s) => s.entries)
      for (const cut of cutsOf(bytes.length)) {
        const file = parseStatementFile(bytes.subarray(0, cut))
        if (!file.ok) continue
        const entries = file.statements.flatMap((s) => s.entries)
        // What is read of it is what stands there: the same amounts, as far as they go.
        expect(
          entries.map((e) => e.amount),
          `cut at ${cut}`,
        ).toEqual(whole.slice(0, entries.length).map((e) => e.amount))
        const cutInside = file.statements.some((s) => s.entries.length > 0 && s.closing === null)
        if (cutInside && file.format === 'MT940')
          expect(
            file.problems.some((p) => p.code === 'closing_balance_missing'),
            `cut at ${cut}`,
          ).toBe(true)
      }
    })
  }
})

describeWithStandards('a sample with bytes changed', () => {
  test('never throws, and either is refused with a line or has statements', () => {
    const samples = ['camt', 'mt940', 'ofx']
      .flatMap((folder) => standardsIn(`samples/${folder}`).map((name) => readStandard(`samples/${folder}/${name}`)))
      .filter((bytes) => bytes.length < 9000)
    const change = fc.record({
      at: fc.nat(),
      byte: fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(...'<>/"&;:,.-+{}0 \n'.split('').map((c) => c.charCodeAt(0))),
      ),
      cut: fc.nat({ max: 3 }),
    })
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 4 }), (sample, changes) => {
        let bytes = sample
        for (const { at, byte, cut } of changes) {
          const index = at % bytes.length
          bytes = Uint8Array.from([...bytes.subarray(0, index), byte, ...bytes.subarray(index + cut)])
        }
        const file = parseStatementFile(bytes)
        if (file.ok) expect(entryIdentities(file)).toHaveLength(file.statements.length)
        else expect(file.problems[0]?.line).toBeGreaterThan(0)
      }),
      { numRuns: 1500 },
    )
  })
})

describe('anything', () => {
  test('never throws', () => {
    const pieces = fc.constantFrom(
      '<OFX>',
      '</OFX>',
      '<STMTRS>',
      '<TRNAMT>',
      ':20:',
      '\n:25:1\n',
      '\n:60F:',
      '\n:61:',
      '\n:62F:',
      '\n:86:',
      'C260115EUR1,00',
      '260115C1,00NTRFX',
      '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">',
      '<BkToCstmrStmt>',
      '<Stmt>',
      '<Ntry>',
      'date,amount\n',
      '2026-01-15,1.00\n',
      '"',
      ';',
      ',',
      '\n',
      '{1:',
      '{4:',
      '-}',
      '\u0000',
      '&',
      '<',
      '>',
      '1',
      'EUR',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const file = parseStatementFile(new TextEncoder().encode(parts.join('')))
        if (file.ok) entryIdentities(file)
      }),
      { numRuns: 2000 },
    )
  })

  test('hostile files cost next to nothing', () => {
    const entities = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('')
    for (const text of [
      `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "x">${entities}]><Document>&e20;</Document>`,
      '<Document>'.repeat(200_000),
      `<OFX>${'<A>'.repeat(200_000)}</A></OFX>`,
      `${'{4:'.repeat(300_000)}`,
      '\u0001'.repeat(300_000),
    ]) {
      const bytes = new TextEncoder().encode(text)
      const before = process.cpuUsage()
      expect(parseStatementFile(bytes).ok).toBe(false)
      const used = process.cpuUsage(before)
      expect(used.user + used.system).toBeLessThan(1_000_000) // microseconds; measured below 60,000 alone
    }
  })
})
