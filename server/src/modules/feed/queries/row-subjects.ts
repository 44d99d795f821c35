import type { Id } from '../../../platform/ids.ts'
import { type Currency, formatDecimal, money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { type SubjectKind, subjectKind } from '../../../platform/subjects.ts'

const rowsOf = (tx: Tx, kind: string, ids: readonly string[]) => tx.rows<{
  id: string
  side: string
  amountMinor: bigint
  currency: Currency
  label: string
  reference: string | null
  status: string
}>`
  select distinct on (subject_id) subject_id as id, side, amount_minor as "amountMinor", currency, label, reference, status
    from feed.transaction
   where subject_kind = ${kind} and subject_id = any(${ids}::uuid[])
   order by subject_id, number`

/** A kind of subject of which nobody knows more than its row in the feed. */
export const rowSubject = <Kind extends string>(kind: Kind, what: string): SubjectKind<Kind> =>
  subjectKind<Kind>({
    kind,
    describe: async (tx, ids) =>
      new Map(
        (await rowsOf(tx, kind, ids)).map(({ id, side, amountMinor, currency, label, reference, status }) => {
          const amount = `${formatDecimal(money(currency, amountMinor))} ${currency}`
          const facts = { amount, side, counterparty: label, status, ...(reference === null ? {} : { reference }) }
          return [id as Id<Kind>, { title: `${what} of ${amount}${label === '' ? '' : `, ${label}`}`, facts }]
        }),
      ),
  })
