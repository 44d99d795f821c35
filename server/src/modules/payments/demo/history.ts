import { addDays, localDateOf } from '../../../platform/clock.ts'
import type { Id } from '../../../platform/ids.ts'
import type { Random } from '../../../platform/random.ts'
import type { PaymentAccount } from '../../accounts/index.ts'
import type { Category, VatRate } from '../../feed/index.ts'
import { DEMO_CUSTOMERS, DEMO_SUPPLIERS, type DemoParty, party } from './parties.ts'

/** One movement of the demo company's past. */
export type Movement = {
  readonly at: Date
  readonly account: PaymentAccount
  /** With whom: somebody outside, or another account of the company. */
  readonly with: DemoParty | PaymentAccount
  readonly side: 'credit' | 'debit'
  readonly amountMinor: bigint
  readonly category: Category
  readonly reference: string
  readonly note?: string
  readonly initiatorId: Id<'membership'> | null
  /** The rate of VAT contained in the amount. */
  readonly vatRate?: VatRate | undefined
  /** Collected by the creditor instead of sent by us. */
  readonly isDirectDebit?: boolean
  /** The reason for which the other bank rejected it. */
  readonly rejected?: string
}

export type Company = {
  readonly accounts: readonly [PaymentAccount, ...PaymentAccount[]]
  readonly members: readonly Id<'membership'>[]
  readonly since: Date
}

type Add = (day: Date, minute: number, movement: Omit<Movement, 'at'>) => void

/** Capital first, then customers who pay, bills that come due on their day, things that are needed, and money put aside. */
export function demoHistory({ accounts, members, since }: Company, random: Random, now: Date): Movement[] {
  const [main, savings = main, hamburg = main] = accounts
  const [owner, admin] = members
  const movements: Movement[] = []
  const add: Add = (day, minute, movement) =>
    movements.push({ ...movement, at: new Date(day.getTime() + minute * 60_000 + random.integer(0, 59_999)) })
  add(since, 30, {
    account: main,
    with: party('Camille Arnaud', 'FR', 100n),
    side: 'credit',
    amountMinor: 4_800_000n,
    category: 'treasury_and_interco',
    reference: 'Apport en compte courant',
    initiatorId: null,
  })
  add(since, 60, ownTransfer(main, hamburg, 900_000n, 'Hamburg', owner))
  for (let day = 1, at = dayAfter(since, 1); at < dayAfter(now, 0); day++, at = dayAfter(since, day)) {
    if (random.chance(40)) add(at, random.integer(360, 700), incomeOf(random, main, hamburg, day))
    addBills(add, { day, at, main, hamburg, members }, random)
    if (localDateOf(at).endsWith('-20')) add(at, 920, ownTransfer(main, savings, 350_000n, 'TVA', owner))
  }
  add(dayAfter(now, -4), 800, rejectedBill(main, admin))
  return movements.sort((a, b) => a.at.getTime() - b.at.getTime())
}

/** Midnight UTC of the banking day that many days later. */
const dayAfter = (from: Date, days: number): Date => new Date(`${addDays(localDateOf(from), days)}T00:00:00.000Z`)

type Day = {
  readonly day: number
  readonly at: Date
  readonly main: PaymentAccount
  readonly hamburg: PaymentAccount
  readonly members: Company['members']
}

function addBills(add: Add, { day, at, main, hamburg, members }: Day, random: Random): void {
  const dayOfMonth = Number(localDateOf(at).slice(8))
  for (const supplier of DEMO_SUPPLIERS) {
    if (supplier.day === undefined ? !random.chance(11) : supplier.day !== dayOfMonth) continue
    const initiatorId = supplier.isDirectDebit ? null : (random.pick(members.slice(0, 3)) ?? null)
    add(at, random.integer(360, 900), {
      account: supplier.party.country === 'DE' ? hamburg : main,
      with: supplier.party,
      side: 'debit',
      amountMinor: BigInt(random.integer(supplier.from, supplier.to)),
      category: supplier.category,
      reference: `${supplier.reference}${supplier.day === undefined ? ` ${1_000 + day}` : ''}`,
      initiatorId,
      isDirectDebit: supplier.isDirectDebit ?? false,
      vatRate: supplier.vatRate,
    })
  }
}

function rejectedBill(account: PaymentAccount, initiator: Id<'membership'> | undefined): Omit<Movement, 'at'> {
  const carrier = DEMO_SUPPLIERS.find((supplier) => supplier.category === 'logistics') ?? DEMO_SUPPLIERS[0]
  return {
    account,
    with: carrier.party,
    side: 'debit',
    amountMinor: 18_400n,
    category: carrier.category,
    reference: 'Expédition 999',
    note: 'The account of the payee is closed.',
    initiatorId: initiator ?? null,
    rejected: 'AC04',
  }
}

function incomeOf(random: Random, main: PaymentAccount, hamburg: PaymentAccount, day: number): Omit<Movement, 'at'> {
  const customer = random.pick(DEMO_CUSTOMERS)
  return {
    account: customer.party.country === 'DE' ? hamburg : main,
    with: customer.party,
    side: 'credit',
    amountMinor: BigInt(random.integer(customer.from, customer.to)),
    category: 'sales',
    reference: `${customer.reference} ${100 + day}`,
    initiatorId: null,
    vatRate: customer.vatRate,
  }
}

const ownTransfer = (
  from: PaymentAccount,
  to: PaymentAccount,
  amountMinor: bigint,
  reference: string,
  initiator: Id<'membership'> | undefined,
): Omit<Movement, 'at'> => ({
  account: from,
  with: to,
  side: 'debit',
  amountMinor,
  category: 'treasury_and_interco',
  reference,
  initiatorId: initiator ?? null,
})

/** One large credit, then payments out and in, a minute apart, ending now. */
export function loadHistory(account: PaymentAccount, count: number, random: Random, now: Date): Movement[] {
  return Array.from({ length: count }, (_, index): Movement => {
    const at = new Date(now.getTime() - (count - index) * 60_000)
    const isCredit = index === 0 || random.chance(50)
    const other = isCredit
      ? random.pick(DEMO_CUSTOMERS).party
      : (DEMO_SUPPLIERS[index % DEMO_SUPPLIERS.length] ?? DEMO_CUSTOMERS[0]).party
    return {
      at,
      account,
      with: other,
      side: isCredit ? 'credit' : 'debit',
      amountMinor: index === 0 ? 1_000_000_000n : BigInt(random.integer(1, 10_000)),
      category: isCredit ? 'sales' : 'other_expense',
      reference: `LOAD ${index}`,
      initiatorId: null,
    }
  })
}
