/** How German letters leave the house: EPC217-08 drops their marks, German practice writes them out. */
export type CharacterPractice = 'epc' | 'german'

/** Letters that do not decompose into a letter and marks, and the two alphabets besides Latin in SEPA (EPC217-08, Bulgarian and Greek tables). */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ...pairs('ø o Ø O æ a Æ A œ o Œ O ł l Ł L đ d Đ D ð d Ð D þ t Þ T ß s ẞ S ħ h Ħ H ı i ŋ n Ŋ N ŧ t Ŧ T'),
  ...pairs('α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o'),
  ...pairs('Α A Β V Γ G Δ D Ε E Ζ Z Η I Θ TH Ι I Κ K Λ L Μ M Ν N Ξ X Ο O Π P Ρ R Σ S Τ T Υ Y Φ F Χ CH Ψ PS Ω O'),
  ...pairs(
    'а a б b в v г g д d е e ж zh з z и i й y к k л l м m н n о o п p р r с s т t у u ф f х h ц ts ч ch ш sh щ sht ъ a ь y ю yu я ya',
  ),
  ...pairs(
    'А A Б B В V Г G Д D Е E Ж ZH З Z И I Й Y К K Л L М M Н N О O П P Р R С S Т T У U Ф F Х H Ц TS Ч CH Ш SH Щ SHT Ъ A Ь Y Ю YU Я YA',
  ),
  // Not in the table of the EPC, which knows Bulgarian only: letters of its neighbours, by ISO 9 practice.
  ...pairs('ы y э e є e і i ґ g ђ d ј j љ lj њ nj ћ c џ dz ѕ dz Ы Y Э E Є E І I Ґ G Ђ D Ј J Љ LJ Њ NJ Ћ C Џ DZ Ѕ DZ'),
])

const SYMBOLS: ReadonlyMap<string, string> = new Map([...pairs(`& + _ - " ' ; , [ ( { ( ] ) } ) | / \\ / € E`)])

const GERMAN: ReadonlyMap<string, string> = new Map(pairs('ä ae ö oe ü ue ß ss Ä AE Ö OE Ü UE ẞ SS'))

function pairs(text: string): [string, string][] {
  const words = text.split(' ')
  return Array.from({ length: words.length / 2 }, (_, index) => [words[2 * index] ?? '', words[2 * index + 1] ?? ''])
}

const ALLOWED = /^[A-Za-z0-9/\-?:().,'+ ]$/

/** Whether every character may travel in a SEPA message as it is. */
export const isSepaText = (text: string): boolean => /^[A-Za-z0-9/\-?:().,'+ ]*$/.test(text)

/**
 * Converts text to the characters of SEPA. Use it for what leaves the house and for comparing names; the original stays in the
 * database and on screen. Runs of blanks become one; the ends are trimmed. Text that is not empty never becomes empty.
 *
 * @see EPC217-08 SEPA conversion table, EPC implementation guidelines §1.4
 */
export function toSepaText(text: string, practice: CharacterPractice = 'epc'): string {
  const composed = [...text.normalize('NFC')]
  let converted = ''
  for (const [index, character] of composed.entries()) converted += convert(character, composed[index + 1], practice)
  converted = converted.replace(/ +/g, ' ').trim()
  return converted === '' && text.trim() !== '' ? '.' : converted
}

function convert(character: string, next: string | undefined, practice: CharacterPractice): string {
  if (ALLOWED.test(character)) return character
  const german = practice === 'german' ? GERMAN.get(character) : undefined
  // "Österreich" is "Oesterreich", but "ÖSTERREICH" is "OESTERREICH".
  if (german !== undefined)
    return next !== undefined && /\p{Ll}/u.test(next) && german.length === 2
      ? german.charAt(0) + german.charAt(1).toLowerCase()
      : german
  const known = LETTERS.get(character) ?? SYMBOLS.get(character)
  if (known !== undefined) return known
  if (/[\s\p{Zs}]/u.test(character)) return ' '
  if (/[\p{Mn}\p{Cf}\p{Cc}]/u.test(character)) return '' // marks without a letter, invisible format characters
  const base = character.normalize('NFD').replace(/\p{Mn}/gu, '')
  if (base !== character) return [...base].map((part) => LETTERS.get(part) ?? (ALLOWED.test(part) ? part : '.')).join('')
  return '.'
}

/** EPC guidelines: a name has at most 70 characters, although the schema has room for 140. */
export const NAME_LENGTH_MAX = 70
export const REMITTANCE_LENGTH_MAX = 140
const IDENTIFIER_LENGTH_MAX = 35

/** What is wrong with an identifier that travels unchanged (MsgId, PmtInfId, InstrId, EndToEndId, TxId). */
export type IdentifierProblem = 'empty' | 'too_long' | 'characters_not_allowed' | 'slash_at_the_edge' | 'double_slash'

/** Checks an identifier by the rules of the EPC; it is never converted or cut, because somebody will look for it. */
export function identifierProblem(text: string): IdentifierProblem | undefined {
  if (text.trim() === '') return 'empty'
  if (text.length > IDENTIFIER_LENGTH_MAX) return 'too_long'
  if (!isSepaText(text)) return 'characters_not_allowed'
  if (text.startsWith('/') || text.endsWith('/')) return 'slash_at_the_edge'
  return text.includes('//') ? 'double_slash' : undefined
}
