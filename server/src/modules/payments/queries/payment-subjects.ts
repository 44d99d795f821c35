import type { Id } from '../../../platform/ids.ts'
import { type Currency, formatDecimal, money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { type SubjectFacts, subjectKind } from '../../../platform/subjects.ts'

type Told = {
  id: string
  amountMinor: bigint
  currency: Currency
  from: string
  fromIban: string
  to: string
  toIban: string
  text: string | null
  reference: string | null
  status: string
}

const amountOf = (row: Told): string => `${formatDecimal(money(row.currency, row.amountMinor))} ${row.currency}`

function told<Kind extends string>(what: string, rows: readonly Told[]): ReadonlyMap<Id<Kind>, SubjectFacts> {
  return new Map(
    rows.map((row) => [
      row.id as Id<Kind>,
      {
        title: `${what} of ${amountOf(row)} from ${row.from} to ${row.to}`,
        facts: {
          amount: amountOf(row),
          debtor: row.from,
          debtor_account: row.fromIban,
          creditor: row.to,
          creditor_account: row.toIban,
          ...(row.text === null ? {} : { remittance_information: row.text }),
          ...(row.reference === null ? {} : { end_to_end_id: row.reference }),
          status: row.status,
        },
      },
    ]),
  )
}

const creditTransfers = (tx: Tx, ids: readonly string[]) => tx.rows<Told>`
  select id, amount_minor as "amountMinor", currency, debtor_name as "from", debtor_iban as "fromIban", creditor_name as "to",
         creditor_iban as "toIban", coalesce(remittance_information, creditor_reference) as text, end_to_end_id as reference, status
    from payments.credit_transfer where id = any(${ids}::uuid[])`

const incomingTransfers = (tx: Tx, ids: readonly string[]) => tx.rows<Told>`
  select id, amount_minor as "amountMinor", currency, debtor_name as "from", debtor_iban as "fromIban", creditor_name as "to",
         creditor_iban as "toIban", remittance_information as text, end_to_end_id as reference, status
    from payments.incoming_transfer where id = any(${ids}::uuid[])`

const internalTransfers = (tx: Tx, ids: readonly string[]) => tx.rows<{
  id: Id<'internal_transfer'>
  amountMinor: bigint
  currency: Currency
  text: string
  debtorAccountId: string
  creditorAccountId: string
}>`
  select id, amount_minor as "amountMinor", currency, remittance_information as text, debtor_account_id as "debtorAccountId",
         creditor_account_id as "creditorAccountId"
    from payments.internal_transfer where id = any(${ids}::uuid[])`

/** What payments are to somebody who is shown one: a case, an approval, a record of an act. */
export const PAYMENT_SUBJECTS = [
  subjectKind<'credit_transfer'>({
    kind: 'credit_transfer',
    describe: async (tx, ids) => told('SEPA credit transfer', await creditTransfers(tx, ids)),
  }),
  subjectKind<'incoming_transfer'>({
    kind: 'incoming_transfer',
    describe: async (tx, ids) => told('Incoming SEPA credit transfer', await incomingTransfers(tx, ids)),
  }),
  subjectKind<'internal_transfer'>({
    kind: 'internal_transfer',
    describe: async (tx, ids) =>
      new Map(
        (await internalTransfers(tx, ids)).map((row) => {
          const amount = `${formatDecimal(money(row.currency, row.amountMinor))} ${row.currency}`
          const { debtorAccountId: debtor_account, creditorAccountId: creditor_account, text } = row
          return [
            row.id,
            {
              title: `Internal transfer of ${amount}`,
              facts: { amount, debtor_account, creditor_account, remittance_information: text },
            },
          ]
        }),
      ),
  }),
]
