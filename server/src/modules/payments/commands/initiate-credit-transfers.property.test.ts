import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeWithStandards } from '../../../../test/support/standards.ts'
import { xsdProblems } from '../../../../test/support/xsd.ts'
import type { Party } from '../../../formats/payments/elements.ts'
import { buildIban } from '../../../formats/payments/iban.ts'
import type { PaymentInitiation } from '../../../formats/payments/pain001.ts'
import { decidePaymentInitiation } from '../../../formats/payments/pain001-rules.ts'
import { TRANSFER_RULES } from '../../../formats/payments/sepa-transfer.ts'
import { newId } from '../../../platform/ids.ts'
import { currency, EUR, money } from '../../../platform/money.ts'
import type { PaymentAccount } from '../../accounts/index.ts'
import type { BookId, Outcome } from '../../ledger/index.ts'
import type { CreditTransferInstruction, TransferDetails } from '../domain/instruction.ts'
import { ordersOf } from '../payment-orders.ts'
import { writeTransfer } from '../rail-messages.ts'
import { initiationOf } from './initiate-credit-transfers.ts'

const NOW = new Date('2026-03-05T09:00:00Z')
const BANK = { name: 'Partita', bic: 'PARTFRPPXXX' }
const CREDITOR_IBAN = 'DE89370400440532013000'
const BRAZILIAN_IBAN = 'BR1800360305000010009795493C1'

const account = (over: Partial<PaymentAccount> = {}): PaymentAccount => ({
  id: newId<'bank_account'>(),
  organizationId: newId<'organization'>(),
  iban: buildIban('FR', '1999900001', 12n),
  bic: BANK.bic,
  currency: EUR,
  status: 'active',
  name: 'Main',
  holderName: 'Debtor GmbH',
  bookId: 1 as BookId,
  ledgerAccountId: newId<'ledger_account'>(),
  ...over,
})

/** Text that somebody might send: often good, and in every way that we know of bad. */
const text = (good: string) =>
  fc.oneof(
    { weight: 40, arbitrary: fc.constant(good) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 160 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 80 }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        ...[
          '',
          ' ',
          '/',
          '//',
          'a//b',
          '/a',
          'a/',
          '\u0000',
          '\ud800',
          '\udc00x',
          '\u202e',
          '\u00a0',
          '&<>"',
          '<!--',
          ']]>',
          '\t\n',
          '😀',
        ],
        ...[
          'ß'.repeat(80),
          'Ǆ'.repeat(70),
          'щ'.repeat(40),
          'é'.repeat(140),
          'x'.repeat(36),
          'x'.repeat(141),
          '名'.repeat(71),
          '.',
        ],
      ),
    },
  )
const maybe = (good: string) => fc.option(text(good), { nil: undefined })
const codeOrText = fc.oneof(
  text('SALA').map((code) => ({ code })),
  text('Own words').map((proprietary) => ({ proprietary })),
  fc.constant({}),
)

const party = fc.record({
  name: maybe('Somebody'),
  address: fc.option(
    fc.record({
      townName: maybe('Lyon'),
      country: maybe('FR'),
      streetName: maybe('Rue Zola'),
      buildingNumber: maybe('12'),
      lines: fc.array(text('Third floor'), { maxLength: 3 }),
    }),
    { nil: undefined },
  ),
  identification: fc.option(
    fc.record({
      kind: fc.constantFrom('organisation' as const, 'private' as const),
      lei: maybe('529900T8BM49AURSDO55'),
      bic: maybe('COBADEFFXXX'),
      birth: fc.option(
        fc.record({ date: text('1990-02-28'), city: text('Paris'), country: text('FR'), province: maybe('Seine') }),
        { nil: undefined },
      ),
      others: fc.array(
        fc.record({ id: text('ID-7'), scheme: fc.option(codeOrText, { nil: undefined }), issuer: maybe('Registry') }),
        { maxLength: 2 },
      ),
    }),
    { nil: undefined },
  ),
  countryOfResidence: maybe('FR'),
}) as fc.Arbitrary<Party>

const details: fc.Arbitrary<TransferDetails> = fc.record(
  {
    debtor: party,
    creditor: party,
    ultimateDebtor: party,
    ultimateCreditor: party,
    categoryPurpose: codeOrText,
    creditorReferenceIssuer: text('ISO'),
  },
  { requiredKeys: [] },
)

const orNull = (good: string) => fc.option(text(good), { nil: null })

const instruction: fc.Arbitrary<CreditTransferInstruction> = fc.record({
  id: fc.constant(null).map(() => newId<'credit_transfer'>()),
  creditorName: text('Müller & Söhne'),
  creditorIban: fc.oneof({ weight: 9, arbitrary: text(CREDITOR_IBAN) }, { weight: 1, arbitrary: fc.constant(BRAZILIAN_IBAN) }),
  creditorBic: orNull('COBADEFFXXX'),
  amount: fc
    .tuple(fc.constantFrom('EUR', 'EUR', 'EUR', 'USD'), fc.bigInt({ min: -1n, max: 100_000_000_001n }))
    .map(([code, minor]) => money(currency(code), minor)),
  endToEndId: text('INV-204'),
  uetr: orNull('b009c997-97b3-4a9c-803c-d645a7276b0f'),
  instructionId: orNull('I-1'),
  remittanceInformation: orNull('Invoice 204'),
  creditorReference: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: text('RF18539007547034') }),
  purpose: orNull('GDDS'),
  requestedExecutionDate: text('2026-03-05'),
  paymentInformationId: orNull('P-1'),
  details,
})

const held: Outcome = {
  ok: true,
  value: { seq: 1n, replayed: false, debitBalance: null, debitVersion: null, creditBalance: null, creditVersion: null },
}

/** What the door says to one order whose amount is covered. */
function initiate(one: CreditTransferInstruction, debtor = account()) {
  const decision = initiationOf({ debtor, instructions: [one], paymentFileId: null }, NOW)
  const done = decision.effects(decision.operations.map(() => held))
  if (!done.ok || !done.value.answer[0]) throw new Error('an order was not answered')
  return done.value.answer[0]
}

describeWithStandards('an order that is let in', () => {
  test('can be written as a valid pacs.008, whatever it says', () => {
    const said = new Map<string, number>()
    fc.assert(
      fc.property(instruction, text('Debtor GmbH'), (one, holderName) => {
        const answer = initiate(one, account({ holderName }))
        const word = answer.ok ? 'accepted' : answer.refusal
        said.set(word, (said.get(word) ?? 0) + 1)
        if (!answer.ok) return
        expect(xsdProblems('pacs.008.001.08', writeTransfer(BANK, answer.value, NOW).xml)).toEqual([])
      }),
      { numRuns: 4_000 },
    )
    // Otherwise the property would say nothing.
    expect(said.get('accepted')).toBeGreaterThan(100)
    const unheard = Object.keys(TRANSFER_RULES).filter((rule) => !said.has(rule))
    expect(unheard).toEqual(['structured_remittance_too_long', 'extended_remittance_not_offered']) // only a file has room for them
  })

  test('can be written whatever its parties and codes say, which is never a reason to refuse it', () => {
    fc.assert(
      fc.property(details, (given) => {
        const answer = initiate({ ...GOOD, id: newId<'credit_transfer'>(), details: given })
        if (!answer.ok) expect(['text_not_storable', 'name_too_long']).toContain(answer.refusal)
        else expect(xsdProblems('pacs.008.001.08', writeTransfer(BANK, answer.value, NOW).xml)).toEqual([])
      }),
      { numRuns: 2_000 },
    )
  })
})

const GOOD: CreditTransferInstruction = {
  id: newId<'credit_transfer'>(),
  creditorName: 'Creditor',
  creditorIban: CREDITOR_IBAN,
  creditorBic: null,
  amount: money(EUR, 100n),
  endToEndId: 'INV-204',
  instructionId: null,
  remittanceInformation: 'Invoice 204',
  creditorReference: null,
  purpose: null,
  requestedExecutionDate: '2026-03-05',
  paymentInformationId: null,
}

test.each([
  [{ endToEndId: 'INV//204' }, 'end_to_end_id_invalid'],
  [{ endToEndId: '/INV' }, 'end_to_end_id_invalid'],
  [{ endToEndId: '' }, 'end_to_end_id_invalid'],
  [{ endToEndId: 'x'.repeat(36) }, 'end_to_end_id_invalid'],
  [{ endToEndId: 'Nº 7' }, 'end_to_end_id_characters_not_allowed'],
  [{ creditorName: ' ' }, 'creditor_name_missing'],
  [{ creditorName: 'щ'.repeat(24) }, 'name_too_long'],
  [{ creditorIban: 'DE89370400440532013001' }, 'creditor_account_invalid'],
  [{ creditorIban: 'de89370400440532013000' }, 'creditor_account_invalid'],
  [{ creditorIban: BRAZILIAN_IBAN }, 'creditor_account_outside_sepa'],
  [{ creditorBic: 'COBADEFF1' }, 'creditor_agent_invalid'],
  [{ creditorBic: 'BNPAFRPP' }, 'creditor_agent_invalid'],
  [{ remittanceInformation: 'x'.repeat(141) }, 'remittance_information_invalid'],
  [{ remittanceInformation: ' ' }, 'remittance_information_invalid'],
  [{ creditorReference: 'RF18539007547034' }, 'remittance_information_invalid'],
  [{ remittanceInformation: null, creditorReference: 'Rückgabe' }, 'creditor_reference_invalid'],
  [{ remittanceInformation: null, creditorReference: 'x'.repeat(36) }, 'creditor_reference_invalid'],
  [{ purpose: 'GOODS' }, 'purpose_invalid'],
  [{ uetr: 'b009c997-97b3-1a9c-803c-d645a7276b0f' }, 'uetr_invalid'],
  [{ requestedExecutionDate: '2026-02-30' }, 'execution_date_invalid'],
  [{ requestedExecutionDate: '2027-03-06' }, 'execution_date_invalid'],
  [{ creditorName: 'a\u0000' }, 'text_not_storable'],
  [{ details: { creditor: { address: { townName: '\ud800', lines: [] } } } }, 'text_not_storable'],
] as const)('an order with %j is refused: %s', (over, refusal) => {
  expect(initiate({ ...GOOD, ...over })).toEqual({ ok: false, refusal })
})

test.each([
  { endToEndId: 'NOTPROVIDED' },
  { endToEndId: 'INV/204' },
  { creditorName: 'щ'.repeat(23) },
  { creditorBic: 'COBADEFF' },
  { remittanceInformation: 'é'.repeat(140) },
  { remittanceInformation: null, creditorReference: 'RF18539007547034' },
  { requestedExecutionDate: '2027-03-05' },
  { requestedExecutionDate: '2026-03-04' },
])('an order with %j is let in', (over) => {
  expect(initiate({ ...GOOD, ...over }).ok).toBe(true)
})

test('an account of ours without a holder’s name cannot pay other banks', () => {
  expect(initiate(GOOD, account({ holderName: ' ' }))).toEqual({ ok: false, refusal: 'debtor_name_missing' })
})

test('what the rules of payment files let through, the door lets through', () => {
  const field = (good: string) => text(good).map((value) => value.trim()) // as the reader of files gives it
  const optional = (good: string) =>
    fc.option(
      field(good).filter((value) => value !== ''),
      { nil: undefined },
    )
  const transaction = fc.record({
    line: fc.constant(1),
    endToEndId: field('INV-204'),
    amount: fc.constantFrom({ value: '1.00', currency: 'EUR' }, { value: '999999999.99', currency: 'EUR' }),
    creditorAgent: optional('COBADEFFXXX'),
    creditor: fc.record({ name: optional('Creditor') }),
    creditorIban: fc.constantFrom(CREDITOR_IBAN, CREDITOR_IBAN.toLowerCase(), 'FR1420041010050500013M02606', 'XX00'),
    ultimateDebtor: fc.option(fc.record({ name: optional('Child') }), { nil: undefined }),
    purpose: fc.option(fc.record({ code: optional('GDDS') }), { nil: undefined }),
    remittance: fc.option(
      fc.record({
        unstructured: fc.array(field('Invoice'), { maxLength: 2 }),
        structured: fc.array(
          fc.record({
            creditorReference: fc.record({
              reference: fc.option(
                field('RF18539007547034').filter((value) => value !== '' && value.length <= 35),
                { nil: undefined },
              ),
              type: fc.constantFrom({ code: 'SCOR' }, { proprietary: 'QRR' }, undefined),
            }),
            others: fc.constant([]),
            length: fc.constant(60),
          }),
          { maxLength: 1 },
        ),
      }),
      { nil: undefined },
    ),
    notForSepa: fc.constant([]),
  })
  const debtor = account()
  let accepted = 0
  fc.assert(
    fc.property(fc.array(transaction, { minLength: 1, maxLength: 4 }), (transactions) => {
      const block = {
        line: 1,
        id: 'P-1',
        paymentMethod: 'TRF',
        requestedExecutionDate: '2026-03-05',
        debtor: {},
        debtorIban: debtor.iban,
        transactions,
      }
      const initiation: PaymentInitiation = {
        messageName: 'pain.001.001.09',
        line: 1,
        messageId: 'M-1',
        createdAt: NOW.toISOString(),
        numberOfTransactions: String(transactions.length),
        initiatingParty: {},
        paymentInformations: [block],
      }
      const decision = decidePaymentInitiation(initiation, {
        accountIban: debtor.iban,
        today: '2026-03-05',
        isMessageIdUsed: () => false,
      })
      for (const { instruction: one } of ordersOf(
        decision,
        transactions.map(() => newId<'credit_transfer'>()),
      )) {
        const answer = initiate(one, debtor)
        // The reader of files lets no such character through.
        if (!answer.ok) expect(answer.refusal).toBe('text_not_storable')
        else accepted++
      }
    }),
    { numRuns: 2_000 },
  )
  expect(accepted).toBeGreaterThan(200)
})
