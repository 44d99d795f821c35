import type { EntryFacts, EntryReferences, ParsedEntry } from '../../../formats/statements/index.ts'

/** An entry's facts as the books keep them: what is looked for by name, and the rest. Null or left out: nobody said it. */
export type KeptEntry = {
  readonly bookingDate: string
  readonly valueDate: string | null
  readonly bankReference: string | null
  readonly transactionCode: string | null
  readonly additionalInformation: string | null
} & KeptParty & { readonly more: MoreFacts & { readonly reversal?: true } }

/** One of the transactions that a booking stands for. `amount`: signed, exact, as the file has it. */
export type KeptDetail = { readonly amount: string | null; readonly currency: string | null } & KeptParty & {
    readonly more: MoreFacts & { readonly bankReference?: string; readonly additionalInformation?: string }
  }

type KeptParty = {
  readonly endToEndId: string | null
  readonly mandateId: string | null
  readonly creditorId: string | null
  readonly counterpartyName: string | null
  readonly counterpartyIban: string | null
  readonly remittance: string | null
}

type MoreFacts = Partial<
  Record<
    | Exclude<keyof EntryReferences, 'accountServicerReference' | 'endToEndId' | 'mandateId' | 'creditorId'>
    | 'counterpartyAccount'
    | 'counterpartyBic'
    | 'ultimateParty'
    | 'purpose'
    | 'returnReason',
    string
  >
> & { readonly instructed?: EntryFacts['instructed']; readonly charges?: EntryFacts['charges'] }

/** What is said alike of an entry and of a transaction inside it. */
type Said = Pick<
  EntryFacts,
  'references' | 'counterparty' | 'ultimateParty' | 'instructed' | 'purpose' | 'remittance' | 'charges' | 'returnReason'
>

/** What a file says of an entry. Of a single transaction inside it, everything is said of the entry. */
export function keptEntry(entry: ParsedEntry): KeptEntry {
  const [single] = entry.details.length === 1 ? entry.details : []
  const charges = entry.charges.length > 0 ? entry.charges : (single?.charges ?? [])
  const kept = saidOf({ ...entry, charges, returnReason: single?.returnReason ?? null })
  return {
    bookingDate: entry.bookingDate,
    valueDate: entry.valueDate,
    bankReference: text(entry.references.accountServicerReference),
    transactionCode: text(entry.bankTransactionCode),
    additionalInformation: text(
      [entry.additionalInformation, single?.additionalInformation ?? ''].filter((said) => said !== '').join(' '),
    ),
    ...kept,
    more: { ...kept.more, ...(entry.reversal && { reversal: true }) },
  }
}

/** The transactions inside an entry; none where it is its only one, for then it says the same. */
export const keptDetails = (entry: ParsedEntry): readonly KeptDetail[] =>
  entry.details.length < 2
    ? []
    : entry.details.map((detail): KeptDetail => {
        const kept = saidOf(detail)
        const bankReference = text(detail.references.accountServicerReference)
        const additionalInformation = text(detail.additionalInformation)
        const more = {
          ...kept.more,
          ...(bankReference !== null && { bankReference }),
          ...(additionalInformation !== null && { additionalInformation }),
        }
        return { amount: detail.amount, currency: detail.currency, ...kept, more }
      })

function saidOf(said: Said): KeptParty & { readonly more: MoreFacts } {
  const { accountServicerReference: _, endToEndId, mandateId, creditorId, ...references } = said.references
  const { name, iban, account, bic } = said.counterparty
  const texts = {
    ...references,
    counterpartyAccount: account,
    counterpartyBic: bic,
    ultimateParty: said.ultimateParty,
    purpose: said.purpose,
    returnReason: said.returnReason,
  }
  const more: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(texts)) if (text(value) !== null) more[key] = text(value)
  if (said.instructed) more.instructed = said.instructed
  if (said.charges.length > 0) more.charges = said.charges
  return {
    endToEndId: isPlaceholder(endToEndId) ? null : text(endToEndId),
    mandateId: text(mandateId),
    creditorId: text(creditorId),
    counterpartyName: text(name),
    counterpartyIban: text(iban),
    remittance: text(said.remittance),
    more,
  }
}

/** What PostgreSQL keeps: half a letter is none. */
const text = (value: string | null): string | null => value?.toWellFormed() || null

/** The scheme's word for "there is none". */
const isPlaceholder = (value: string | null): boolean => /^not ?provided$/i.test(value ?? '')

/** The facts as they were said. */
export const factsOf = (kept: KeptEntry, details: readonly KeptDetail[]): EntryFacts => ({
  bookingDate: kept.bookingDate,
  valueDate: kept.valueDate,
  reversal: kept.more.reversal === true,
  additionalInformation: kept.additionalInformation ?? '',
  bankTransactionCode: kept.transactionCode,
  ...partyFacts(kept, kept.bankReference),
  details: details.map((detail) => ({
    amount: detail.amount,
    currency: detail.currency,
    ...partyFacts(detail, detail.more.bankReference ?? null),
    additionalInformation: detail.more.additionalInformation ?? '',
  })),
})

function partyFacts(kept: KeptParty & { readonly more: MoreFacts }, bankReference: string | null): Said {
  const { more } = kept
  return {
    references: {
      accountServicerReference: bankReference,
      entryReference: more.entryReference ?? null,
      endToEndId: kept.endToEndId,
      mandateId: kept.mandateId,
      creditorId: kept.creditorId,
      messageId: more.messageId ?? null,
      paymentInformationId: more.paymentInformationId ?? null,
      instructionId: more.instructionId ?? null,
      transactionId: more.transactionId ?? null,
      uetr: more.uetr ?? null,
      chequeNumber: more.chequeNumber ?? null,
      creditorReference: more.creditorReference ?? null,
    },
    counterparty: {
      name: kept.counterpartyName,
      iban: kept.counterpartyIban,
      account: more.counterpartyAccount ?? null,
      bic: more.counterpartyBic ?? null,
    },
    ultimateParty: more.ultimateParty ?? null,
    instructed: more.instructed ?? null,
    purpose: more.purpose ?? null,
    remittance: kept.remittance ?? '',
    charges: more.charges ?? [],
    returnReason: more.returnReason ?? null,
  }
}
