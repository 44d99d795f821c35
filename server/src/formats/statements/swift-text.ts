// EPC217-08, as in sepa.md section 3: letters that lose more than an accent, and marks with a neighbour in the set.
const REPLACED: Readonly<Record<string, string>> = {
  ø: 'o', Ø: 'O', æ: 'a', Æ: 'A', œ: 'o', Œ: 'O', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', þ: 't', Þ: 'T', ð: 'd', Ð: 'D', ß: 's', ı: 'i', ħ: 'h', Ħ: 'H',
  '&': '+', _: '-', '"': "'", ';': ',', '[': '(', '{': '(', ']': ')', '}': ')', '|': '/', '\\': '/', '€': 'E', '\u2019': "'", '\u2018': "'", '\u2013': '-', '\u2014': '-',
} // biome-ignore format: a table reads better than one letter per line

/** Text in SWIFT's character set X, which is SEPA's: accents dropped, what has no neighbour becomes a point, spaces collapsed. */
export const swiftText = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/\s+/g, ' ')
    .replace(/[^A-Za-z0-9/\-?:().,'+ ]/gu, (character) => REPLACED[character] ?? '.')
    .trim()
