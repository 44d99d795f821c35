import { setting, settings, text, type ValuesOf } from '../../platform/settings.ts'

const bankCode = (country: string, fallback: string, pattern: RegExp, form: string) =>
  setting(
    `PARTITA_BANK_CODE_${country}`,
    fallback,
    form,
    'an unassigned code: such an IBAN is valid and nobody has it',
    text(pattern, form),
  )

/** Unassigned: nobody can be paid by mistake. */
const NOBODYS_BIC = 'PARTFRPPXXX'

/** Who the bank is: its name, its BIC, and its own codes inside the national part of its IBANs. */
export const bankSettings = settings(
  {
    name: setting('PARTITA_BANK_NAME', 'Partita Test Bank', 'text', 'shown on statements and IBAN certificates', text(/^[\p{L}\p{N} .,'&()/-]{1,70}$/u, 'a name of 1 to 70 characters')),
    bic: setting('PARTITA_BIC', NOBODYS_BIC, 'BIC, 8 or 11 characters', 'an unassigned BIC: nobody can be paid by mistake', text(/^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/, 'a BIC of 8 or 11 characters')),
    // Countries we issue IBANs of, and the form of the bank's code there: bank and branch together where the country has both.
    codes: {
      FR: bankCode('FR', '1999900001', /^\d{10}$/, '10 digits: code banque and code guichet'),
      DE: bankCode('DE', '90010001', /^\d{8}$/, '8 digits: Bankleitzahl'),
      ES: bankCode('ES', '99010001', /^\d{8}$/, '8 digits: entidad and oficina'),
      IT: bankCode('IT', '9990100001', /^\d{10}$/, '10 digits: ABI and CAB'),
      NL: bankCode('NL', 'PART', /^[A-Z]{4}$/, '4 letters: bank identifier'),
      BE: bankCode('BE', '999', /^\d{3}$/, '3 digits: bank'),
      PT: bankCode('PT', '99010001', /^\d{8}$/, '8 digits: banco and balcão'),
      AT: bankCode('AT', '99901', /^\d{5}$/, '5 digits: Bankleitzahl'),
    },
  },
  ({ bic }, { isProduction }) =>
    isProduction && bic.startsWith('PARTFRPP') ? ['PARTITA_BIC must be your own in production, the default is nobody’s'] : [],
) // biome-ignore format: a table, one setting a line

/** The bank as other banks and its customers know it. */
export type BankIdentity = ValuesOf<typeof bankSettings.fields>
export type BankCountry = keyof BankIdentity['codes']

/**
 * The BIC of an account with an IBAN of this country. The made-up bank has a branch in each; a bank of flesh and blood has the BIC that it
 * was given.
 */
export const bicOfCountry = ({ bic }: Pick<BankIdentity, 'bic'>, country: BankCountry): string =>
  bic === NOBODYS_BIC ? `${bic.slice(0, 4)}${country}${bic.slice(6)}` : bic
