/** The fields that an account statement may have. A line that looks like another field is text: `:10:30 meeting` in a :86:. */
export const STATEMENT_TAGS = new Set(
  '12 13 13D 20 21 25 25P 28 28C 34F 60F 60M 61 62F 62M 64 65 86 90C 90D NS 940 941 942'.split(' '),
)

const FIELD = /^\s{0,2}:(\d{2,3}[A-Z]?|NS):(.*)$/

/** A line that begins as a field does: its tag, and what follows. */
export function fieldIn(line: string): { tag: string; rest: string } | undefined {
  const match = FIELD.exec(line)
  return match ? { tag: match[1] ?? '', rest: match[2] ?? '' } : undefined
}

/** Where a line stands that begins as a field does. */
type Place = Readonly<{
  at: number
  /** Text may go on here: behind a :86:, or behind a :61: whose supplementary details it may be. */
  isInText: boolean
  /** The message that is being read has begun with its entries and has no closing balance yet. */
  isInEntries: boolean
}>

/**
 * Whether a line that begins as a field does is one, where text could go on: `:25:Platform 4` and `:20:00 o'clock` are what people write to
 * each other. A field must have the form that its tag asks for, and the fields at the head of a message must lead to entries of its own.
 * What could be money (`:61:` and a date, `:60F:` or `:62F:` and a mark) is always a field: read, or refused, but never hidden in a text.
 */
export function isField(tag: string, rest: string, { at, isInText, isInEntries }: Place, ahead: LookAhead): boolean {
  if (!isInText) return true
  if (!STATEMENT_TAGS.has(tag)) return false
  const form = FORMS[tag]
  if (form && !form.test(rest)) return false
  return !(HEAD_TAGS.has(tag) && isInEntries) || ahead.leadsToEntries(at)
}

/** What a field looks like at its beginning. Those without a form here hold whatever a bank likes. */
const FORMS: Readonly<Record<string, RegExp>> = {
  '13': /^\d{8,10}\s*$/,
  '13D': /^\d{10}/,
  '28': /^\s*\d{1,5}(?:\/\d{1,5})?\s*$/,
  '28C': /^\s*\d{1,5}(?:\/\d{1,5})?\s*$/,
  '34F': /^[A-Z]{3}[CD]?\d/,
  '60F': /^\s*R?[CD]/,
  '60M': /^\s*R?[CD]/,
  '61': /^\s*\d{6}/,
  '62F': /^\s*R?[CD]/,
  '62M': /^\s*R?[CD]/,
  '64': /^\s*R?[CD]\s?\d{6}/,
  '65': /^\s*R?[CD]\s?\d{6}/,
  '90C': /^\d{0,5}[A-Z]{3}\d/,
  '90D': /^\d{0,5}[A-Z]{3}\d/,
  '940': /^\s*$/,
  '941': /^\s*$/,
  '942': /^\s*$/,
}

/** Fields that stand at the head of a message, before its balance or its first entry. */
const HEAD_TAGS = new Set(['12', '13', '13D', '20', '21', '25', '25P', '28', '28C', '940', '941', '942'])
const LEADING = new Set(['34F', '60F', '60M'])

const LEADS_TO_BALANCE = 1
const HAS_ACCOUNT = 2
const HAS_NUMBER = 4
const GOES_ON = 8

/** What stands behind each line of a file, found in one pass from its end: a hostile file must not make every line look at all others. */
export class LookAhead {
  readonly #behind: Uint8Array

  constructor(lines: readonly string[]) {
    this.#behind = new Uint8Array(lines.length + 1)
    for (let at = lines.length - 1; at >= 0; at--) this.#behind[at] = stateAt(lines[at] ?? '', this.#behind[at + 1] ?? 0)
  }

  /**
   * Whether the head of a message that begins at this line leads to entries: nothing but head follows, and then an opening balance or a floor
   * limit, or an entry when both account and number stand in the head.
   */
  leadsToEntries(at: number): boolean {
    const state = this.#behind[at] ?? 0
    return (state & LEADS_TO_BALANCE) !== 0 || state === (HAS_ACCOUNT | HAS_NUMBER | GOES_ON)
  }

  /** Whether the statement goes on from this line: its next field is an entry, a text or a closing balance. */
  goesOn(at: number): boolean {
    return this.#behind[at] === GOES_ON
  }
}

/** Of a line and all behind it, from what is known of those behind it. */
function stateAt(line: string, behind: number): number {
  if (/^\s*\{/.test(line)) return 0
  const found = fieldIn(line)
  if (!found) return behind
  const { tag, rest } = found
  const isText = FORMS[tag] !== undefined && !FORMS[tag].test(rest)
  if (isText) return behind
  if (LEADING.has(tag)) return LEADS_TO_BALANCE
  if (!HEAD_TAGS.has(tag)) return /^(?:61|62[FM]|64|65|86|90[CD])$/.test(tag) ? GOES_ON : 0
  const own = tag.startsWith('25') ? HAS_ACCOUNT : tag.startsWith('28') ? HAS_NUMBER : 0
  return behind | own
}
