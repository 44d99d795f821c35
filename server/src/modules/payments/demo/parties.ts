import { buildIban } from '../../../formats/payments/iban.ts'
import type { BankCountry } from '../../accounts/index.ts'
import { type Category, parseVatRate, type VatRate } from '../../feed/index.ts'
import type { PastParty } from '../commands/record-past.ts'

// Codes that no bank has, so that nobody's real account is named.
const STRANGERS_CODES: Readonly<Record<BankCountry, string>> = {
  FR: '1999800001', DE: '90010002', ES: '99020001', IT: '9990200001', NL: 'EXMP', BE: '998', PT: '99020001', AT: '99902',
} // biome-ignore format: a table

/** Somebody invented, with an account at a bank that does not exist. */
export type DemoParty = PastParty & { readonly country: BankCountry }

export const party = (name: string, country: BankCountry, account: bigint): DemoParty => ({
  name,
  cleanName: name.replace(/ (SAS|SARL|SA|GmbH|AG|SpA|SL|BV)$/, ''),
  country,
  iban: buildIban(country, STRANGERS_CODES[country], account),
  bic: `EXMP${country}2X`,
})

const FRENCH_VAT = parseVatRate('20')

type DemoCustomer = {
  readonly party: DemoParty
  readonly from: number
  readonly to: number
  readonly reference: string
  readonly vatRate?: VatRate | undefined
}

/** Who pays the company: amounts in cents, from and to. VAT is French; sales abroad carry none. */
export const DEMO_CUSTOMERS: readonly [DemoCustomer, ...DemoCustomer[]] = [
  { party: party('Musée des Lumières', 'FR', 101n), from: 420_000, to: 980_000, reference: 'Facture', vatRate: FRENCH_VAT },
  { party: party('Hafenlicht GmbH', 'DE', 102n), from: 250_000, to: 640_000, reference: 'Rechnung' },
  { party: party('Galleria Aurora SpA', 'IT', 103n), from: 90_000, to: 310_000, reference: 'Fattura' },
  { party: party('Hotel Miramar SL', 'ES', 104n), from: 120_000, to: 450_000, reference: 'Factura' },
  { party: party('Van Dijk Interieur BV', 'NL', 105n), from: 60_000, to: 220_000, reference: 'Factuur' },
]

type DemoSupplier = {
  readonly party: DemoParty
  readonly from: number
  readonly to: number
  readonly category: Category
  readonly reference: string
  readonly day?: number
  readonly isDirectDebit?: boolean
  readonly vatRate?: VatRate | undefined
}

/** Whom it pays, and for what. `day`: on that day of the month; absent: whenever something is needed. */
export const DEMO_SUPPLIERS: readonly [DemoSupplier, ...DemoSupplier[]] = [
  { party: party('SCI Quai de la Fosse', 'FR', 201n), from: 185_000, to: 185_000, category: 'office_rental', reference: 'Loyer', day: 2 },
  { party: party('Inès Morel', 'FR', 202n), from: 287_450, to: 287_450, category: 'salary', reference: 'Salaire', day: 27 },
  { party: party('Luca Ferri', 'FR', 203n), from: 241_320, to: 241_320, category: 'salary', reference: 'Salaire', day: 27 },
  { party: party('Électricité Atlantique SA', 'FR', 204n), from: 11_200, to: 19_800, category: 'utility', reference: 'Contrat 88213', day: 8, isDirectDebit: true, vatRate: FRENCH_VAT },
  { party: party('Assurances du Ponant SA', 'FR', 205n), from: 9_640, to: 9_640, category: 'insurance', reference: 'Police 4471', day: 5, isDirectDebit: true },
  { party: party('Cabinet Almeida SARL', 'PT', 206n), from: 42_000, to: 42_000, category: 'legal_and_accounting', reference: 'Honoraires', day: 15 },
  { party: party('Glaswerk Steiner AG', 'AT', 207n), from: 35_000, to: 190_000, category: 'manufacturing', reference: 'Auftrag' },
  { party: party('Lichttechnik Nord GmbH', 'DE', 208n), from: 18_000, to: 120_000, category: 'hardware_and_equipment', reference: 'Bestellung' },
  { party: party('Transports Belmondo SARL', 'BE', 209n), from: 6_500, to: 34_000, category: 'logistics', reference: 'Expédition' },
  { party: party('Papeterie du Canal SARL', 'FR', 210n), from: 1_240, to: 8_990, category: 'office_supply', reference: 'Commande', vatRate: FRENCH_VAT },
  { party: party('Nuage Logiciels SAS', 'FR', 211n), from: 4_900, to: 14_900, category: 'online_service', reference: 'Abonnement', vatRate: FRENCH_VAT },
] // biome-ignore format: one party a line

/** Ordered and not yet due: what an account's pending transactions are made of. `inDays`: when it is executed. */
export const DEMO_SCHEDULED = {
  party: party('Glaswerk Steiner AG', 'AT', 207n),
  amountMinor: 128_450n,
  reference: 'Auftrag 1043',
  inDays: 6,
} as const
