/** Makes a misbehaviour of a sentinel's words: `CODE` is a reason code of ISO 20022, `TIME` a delay. */
type Maker<Misbehaviour> = (code: string | undefined, delayMs: number | undefined) => Misbehaviour

/**
 * How a scheme can be asked to misbehave, so that a person can replay any failure by hand: a name ends with `SIM` and a phrase
 * (`Anna SIM RETURN AC04 2D`), or the amount is exactly `euros` and the cents of the table.
 */
export type SentinelTable<Misbehaviour> = Readonly<{
  /** By what follows `SIM ` in the name. Longer phrases stand before shorter ones that begin alike. */
  phrases: readonly (readonly [string, Maker<Misbehaviour>])[]
  /** A narrow window: an ordinary payment must not meet it by chance. */
  euros: bigint
  cents: Readonly<Record<string, string>>
}>

/** The misbehaviour that a payment asks for; the name wins over the amount. */
export function misbehaviourAsked<M>(table: SentinelTable<M>, name: string, cents: bigint): M | undefined {
  const text = name.toUpperCase().replace(/\s+/g, ' ')
  const at = /(?:^|\s)SIM (.*)$/.exec(text)?.[1]
  const byName = at === undefined ? undefined : parsePhrase(table, at)
  if (byName) return byName
  const byAmount = cents / 100n === table.euros ? table.cents[(cents % 100n).toString().padStart(2, '0')] : undefined
  return byAmount === undefined ? undefined : parsePhrase(table, byAmount)
}

const SECOND = 1_000
const UNITS: Readonly<Record<string, number>> = { S: SECOND, M: 60 * SECOND, H: 3_600 * SECOND, D: 86_400 * SECOND }

function parsePhrase<M>(table: SentinelTable<M>, text: string): M | undefined {
  for (const [phrase, make] of table.phrases) {
    if (text !== phrase && !text.startsWith(`${phrase} `)) continue
    const words = text.slice(phrase.length).trim().split(' ')
    const code = words.find((word) => /^[A-Z]{2}[A-Z0-9]{2}$/.test(word))
    const delay = words.map((word) => /^(\d{1,6})([SMHD])$/.exec(word)).find((match) => match !== null)
    return make(code, delay ? Number(delay[1]) * (UNITS[delay[2] ?? ''] ?? SECOND) : undefined)
  }
  return undefined
}
