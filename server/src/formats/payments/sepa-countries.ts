/** IBAN prefixes of the SEPA countries. Territories that use another country's prefix (GF, AX, JE …) come under that. @see EPC409-09 */
const SEPA_COUNTRIES = new Set(
  'AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE SI SK SM VA'.split(
    ' ',
  ),
)

export const isSepaCountry = (ibanPrefix: string): boolean => SEPA_COUNTRIES.has(ibanPrefix)
