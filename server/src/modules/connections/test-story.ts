import fc from 'fast-check'

/** A bank's days, and the files in which it tells them: for tests that ask whether the books end the same. */
export type Story = { readonly days: readonly (readonly StoryBooking[])[]; readonly files: readonly StoryFile[] }
export type StoryBooking = { readonly cents: number; readonly id: number }
export type StoryFile = {
  /** A run of days, both included. */
  readonly first: number
  readonly last: number
  readonly kind: StoryKind
  /** One statement for each day, instead of one for all. */
  readonly isDaily: boolean
  /** How many decimals its amounts are written with, beyond those that they need. */
  readonly decimals: number
}
export type StoryKind = 'camt.053' | 'camt.052' | 'mt940'

export const STORY_IBAN = 'DE89370400440532013000'
export const STORY_OPENING = 1_000_00n

export const dateOf = (day: number): string => new Date(Date.UTC(2026, 0, 5 + day)).toISOString().slice(0, 10)

export const sumOf = (bookings: readonly StoryBooking[]): bigint =>
  bookings.reduce((sum, booking) => sum + BigInt(booking.cents), 0n)

/** The bank's own balance before a day. */
export const balanceBefore = ({ days }: Story, day: number): bigint => STORY_OPENING + sumOf(days.slice(0, day).flat())

export function fileText(story: Story, file: StoryFile): string {
  const days = Array.from({ length: file.last - file.first + 1 }, (_, at) => file.first + at)
  const parts = file.isDaily ? days.map((day) => ({ ...file, first: day, last: day })) : [file]
  if (file.kind === 'mt940') return parts.map((part) => mt940(story, part)).join('\r\n')
  const message = file.kind === 'camt.052' ? 'BkToCstmrAcctRpt' : 'BkToCstmrStmt'
  const statements = parts.map((part) => camtStatement(story, part)).join('')
  return `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:${file.kind}.001.02"><${message}>${statements}</${message}></Document>`
}

function camtStatement(story: Story, file: StoryFile): string {
  const signed = (minor: bigint) =>
    `<Amt Ccy="EUR">${amountText(minor, '.', file)}</Amt><CdtDbtInd>${minor < 0n ? 'DBIT' : 'CRDT'}</CdtDbtInd>`
  const balance = (type: string, minor: bigint, day: number) =>
    `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp>${signed(minor)}<Dt><Dt>${dateOf(day)}</Dt></Dt></Bal>`
  const entries = bookingsOf(story, file).map(
    ({ day, cents, id }) =>
      `<Ntry>${signed(BigInt(cents))}<Sts>BOOK</Sts><BookgDt><Dt>${dateOf(day)}</Dt></BookgDt><AcctSvcrRef>R${id}</AcctSvcrRef></Ntry>`,
  )
  const isReport = file.kind === 'camt.052'
  const element = isReport ? 'Rpt' : 'Stmt'
  const balances = isReport
    ? ''
    : balance('OPBD', balanceBefore(story, file.first), file.first) +
      balance('CLBD', balanceBefore(story, file.last + 1), file.last)
  const period = isReport
    ? ''
    : `<FrToDt><FrDtTm>${dateOf(file.first)}T00:00:00</FrDtTm><ToDtTm>${dateOf(file.last)}T23:59:59</ToDtTm></FrToDt>`
  return `<${element}><Id>S</Id>${period}<Acct><Id><IBAN>${STORY_IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>${balances}${entries.join('')}</${element}>`
}

/** As German banks write it: the opening balance has the day of the closing balance before it, and no reference of the bank's own. */
function mt940(story: Story, file: StoryFile): string {
  const short = (day: number) => dateOf(day).slice(2).replaceAll('-', '')
  const balance = (tag: string, minor: bigint, day: number) =>
    `:${tag}:${minor < 0n ? 'D' : 'C'}${short(day)}EUR${amountText(minor, ',', file)}`
  const lines = bookingsOf(story, file).map(
    ({ day, cents }) => `:61:${short(day)}${cents < 0 ? 'D' : 'C'}${amountText(BigInt(cents), ',', file)}NTRFNONREF`,
  )
  return [
    ':20:S',
    `:25:${STORY_IBAN}`,
    ':28C:1',
    balance('60F', balanceBefore(story, file.first), file.first - 1),
    ...lines,
    balance('62F', balanceBefore(story, file.last + 1), file.last),
    '-',
  ].join('\r\n')
}

const bookingsOf = (story: Story, { first, last }: StoryFile) =>
  story.days.slice(first, last + 1).flatMap((bookings, at) => bookings.map((booking) => ({ ...booking, day: first + at })))

function amountText(minor: bigint, mark: '.' | ',', { decimals }: StoryFile): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(3, '0')
  const exact = `${digits.slice(0, -2)}${mark}${digits.slice(-2)}`
  return decimals === 0 ? exact.replace(/0{1,2}$/, '') : exact.padEnd(exact.length + decimals - 1, '0')
}

/**
 * The whole story comes at some time, as a camt.053: then nothing is missing at the end.
 * @param kinds what the other files may be.
 * @param bookingsMin how many bookings each day has at least.
 */
export const story = (kinds: readonly StoryKind[], bookingsMin = 0): fc.Arbitrary<Story> =>
  days(bookingsMin).chain((told) =>
    fc.record({
      days: fc.constant(told),
      files: fc
        .array(file(told.length, kinds), { minLength: 1, maxLength: 6 })
        .chain((files) => fc.tuple(fc.constant(files), fc.nat(files.length), fc.boolean()))
        .map(([files, place, isDaily]) =>
          files.toSpliced(place, 0, { first: 0, last: told.length - 1, kind: 'camt.053', isDaily, decimals: 1 }),
        )
        .chain((files) => fc.shuffledSubarray(files, { minLength: files.length })),
    }),
  )

// Some amounts repeat, so that there are equal bookings and days that come back to the balance before them.
const cents = fc
  .oneof(fc.integer({ min: -30_000, max: 30_000 }), fc.constantFrom(-2_50, 50_00, -50_00))
  .filter((minor) => minor !== 0)

const days = (bookingsMin: number): fc.Arbitrary<Story['days']> =>
  fc.array(fc.array(cents, { minLength: bookingsMin, maxLength: 3 }), { minLength: 2, maxLength: 8 }).map((told) => {
    let id = 0
    return told.map((bookings) => bookings.map((minor) => ({ cents: minor, id: id++ })))
  })

const file = (length: number, kinds: readonly StoryKind[]): fc.Arbitrary<StoryFile> =>
  fc
    .record({
      from: fc.nat(length - 1),
      to: fc.nat(length - 1),
      kind: fc.constantFrom(...kinds),
      isDaily: fc.boolean(),
      decimals: fc.nat(2),
    })
    .map(({ from, to, ...rest }) => ({ ...rest, first: Math.min(from, to), last: Math.max(from, to) }))
