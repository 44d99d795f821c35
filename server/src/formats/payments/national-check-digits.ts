/** Remainder by 97 of a text in which letters count A=10 to Z=35 (ISO 7064 MOD 97-10, as IBAN, RF reference and LEI use it). */
export function remainder97(text: string): number {
  let remainder = 0
  for (const character of text) {
    const value = Number.parseInt(character, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder
}

/**
 * Whether the national check digits inside a BBAN are right, for the countries where they are certain: FR and MC (RIB key), BE, ES, IT
 * and SM (CIN), PT. Elsewhere the answer is yes: German methods depend on the bank, and old Dutch Postbank numbers fail the eleven-test
 * rightly.
 */
export function hasValidNationalCheck(country: string, bban: string): boolean {
  switch (country) {
    case 'FR':
    case 'MC':
      return bban.slice(21) === ribKey(bban.slice(0, 5), bban.slice(5, 10), bban.slice(10, 21))
    case 'BE':
      return Number(bban.slice(10)) === (Number(bban.slice(0, 10)) % 97 || 97)
    case 'ES':
      return bban.slice(8, 10) === spanishCheckDigits(bban.slice(0, 8), bban.slice(10))
    case 'IT':
    case 'SM':
      return bban.charAt(0) === italianCin(bban.slice(1))
    case 'PT':
      return Number(bban.slice(19)) === 98 - remainder97(`${bban.slice(0, 19)}00`)
    default:
      return true
  }
}

/** The RIB key: two digits over bank, branch and account, whose letters count A J = 1, B K S = 2 … I R Z = 9. */
export function ribKey(bank: string, branch: string, account: string): string {
  const digits = [...account].map((character) => {
    const letter = character.charCodeAt(0) - 65
    if (letter < 0) return character
    // From S on the row begins with 2: there is no letter below S in the first column.
    return String(letter < 18 ? (letter % 9) + 1 : letter - 16)
  })
  const sum = 89n * BigInt(bank) + 15n * BigInt(branch) + 3n * BigInt(digits.join(''))
  return String(97n - (sum % 97n)).padStart(2, '0')
}

const SPANISH_WEIGHTS = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6]

/** Two digits: the first over 00 and the bank's eight digits, the second over the account's ten. */
export function spanishCheckDigits(bank: string, account: string): string {
  const digit = (text: string): string => {
    const sum = [...text].reduce((total, character, index) => total + Number(character) * (SPANISH_WEIGHTS[index] ?? 0), 0)
    const check = 11 - (sum % 11)
    return check === 10 ? '1' : check === 11 ? '0' : String(check)
  }
  return digit(`00${bank}`) + digit(account)
}

/** What a character is worth at an odd position (first, third …) of the Italian code; letters count as the digits 0 to 25 do. */
const ITALIAN_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** The CIN: one letter over ABI, CAB and account, 22 characters. */
export function italianCin(code: string): string {
  const sum = [...code].reduce((total, character, index) => {
    const value = /\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65
    return total + (index % 2 === 0 ? (ITALIAN_ODD[value] ?? 0) : value)
  }, 0)
  return String.fromCharCode(65 + (sum % 26))
}
