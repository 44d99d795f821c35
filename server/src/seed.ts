import { buildIban } from './formats/payments/iban.ts'
import {
  allBankAccounts,
  type BankCountry,
  type BankIdentity,
  openBankAccount,
  type PaymentAccount,
} from './modules/accounts/index.ts'
import { createLabel, linkLabels } from './modules/feed/index.ts'
import { isLiveApiKey, issueApiKey } from './modules/identity/index.ts'
import { initiateCreditTransfers } from './modules/payments/index.ts'
import { findOrganizationBySlug, foundOrganization, ownerOf } from './modules/team/index.ts'
import { systemActor } from './platform/actor.ts'
import { assert } from './platform/assert.ts'
import { addDays, type Clock, localDateOf } from './platform/clock.ts'
import { derivedId, type Id } from './platform/ids.ts'
import { EUR, money } from './platform/money.ts'
import type { Database, Tx } from './platform/postgres/database.ts'
import {
  DEMO_ACCOUNTS,
  DEMO_CUSTOMERS,
  DEMO_LABELS,
  DEMO_MEMBERS,
  DEMO_ORGANIZATION,
  DEMO_SCHEDULED,
  DEMO_SUPPLIERS,
} from './seed/demo-company.ts'
import { bookHistory, type Counterparty, type Movement } from './seed/movements.ts'
import { type Random, randomFrom } from './seed/random.ts'

export type SeededCompany = {
  readonly organizationSlug: string
  /** The API key's secret; undefined when the company was there already and nobody kept it. */
  readonly secretKey: string | undefined
  readonly accounts: readonly { readonly id: string; readonly iban: string; readonly name: string; readonly main: boolean }[]
  /** Whether this call made it. */
  readonly created: boolean
}

export type SeedOptions = {
  readonly bank: BankIdentity
  /** The same seed makes the same company and the same history, relative to today. */
  readonly seed?: number
}

const DEMO_DAYS = 42

/**
 * Makes the demo company once: people, labels, three accounts, six weeks of payments that went through the ledger, and
 * one that is ordered and not due.
 *
 * @param options.secretKey the API key's secret that the caller keeps. Of a company that is there already it becomes the live key, if it
 *   is not: a lost key is replaced by handing in a new one of 64 hexadecimal digits. The caller keeps the secret that is returned, which
 *   is another when the one handed in had been revoked.
 */
export async function seedDemo(
  database: Database,
  clock: Clock,
  options: SeedOptions & { readonly secretKey?: string | undefined },
): Promise<SeededCompany> {
  return database.transaction('system', async (tx) => {
    await tx.run`select pg_advisory_xact_lock(hashtext('partita seed demo'))`
    const now = clock.now()
    const existing = await findOrganizationBySlug(tx, DEMO_ORGANIZATION.slug)
    if (existing) return existingCompany(tx, { id: existing, slug: DEMO_ORGANIZATION.slug }, options.secretKey, now)

    const company = await foundCompany(tx, {
      id: derivedId('organization', DEMO_ORGANIZATION.slug),
      slug: DEMO_ORGANIZATION.slug,
      secret: options.secretKey,
      bank: options.bank,
      now,
      openedAt: daysBefore(now, DEMO_DAYS + 1),
    })
    const movements = demoHistory(company, randomFrom(options.seed ?? 1), options.bank, now)
    const ids = await bookHistory(tx, `demo/${DEMO_ORGANIZATION.slug}`, movements, now)
    await labelHistory(tx, company.id, movements, ids, now)
    await scheduleTransfer(tx, company, now)
    return summaryOf(tx, { id: company.id, slug: DEMO_ORGANIZATION.slug }, company.secret, true)
  })
}

type Named = { readonly id: Id<'organization'>; readonly slug: string }

async function existingCompany(tx: Tx, company: Named, secret: string | undefined, now: Date): Promise<SeededCompany> {
  if (secret === undefined || (await isLiveApiKey(tx, company.id, secret))) return summaryOf(tx, company, secret, false)
  const membershipId = await ownerOf(tx, company.id)
  assert(membershipId, 'a seeded company has no owner')
  const issued = await issueApiKey(tx, { organizationId: company.id, membershipId, login: company.slug, secret, now })
  return summaryOf(tx, company, issued, false)
}

async function summaryOf(tx: Tx, company: Named, secretKey: string | undefined, created: boolean): Promise<SeededCompany> {
  const accounts = (await allBankAccounts(tx, company.id, false)).map((a) => ({
    id: a.id,
    iban: a.iban ?? '',
    name: a.name,
    main: a.main,
  }))
  return { organizationSlug: company.slug, secretKey, accounts, created }
}

type Company = {
  readonly id: Id<'organization'>
  readonly secret: string
  readonly members: readonly Id<'membership'>[]
  readonly accounts: readonly [PaymentAccount, ...PaymentAccount[]]
}

/** Takes in the demo company, or one like it under another name. */
async function foundCompany(
  tx: Tx,
  as: {
    readonly id: Id<'organization'>
    readonly slug: string
    readonly secret: string | undefined
    readonly bank: BankIdentity
    readonly now: Date
    readonly openedAt: Date
    readonly name?: string
    readonly accounts?: number
  },
): Promise<Company> {
  const legalName = as.name ?? DEMO_ORGANIZATION.legalName
  const founded = await foundOrganization(tx, {
    organization: {
      ...DEMO_ORGANIZATION,
      id: as.id,
      slug: as.slug,
      name: as.name ?? DEMO_ORGANIZATION.name,
      legalName,
      contractSignedAt: as.openedAt,
    },
    members: DEMO_MEMBERS,
    secret: as.secret,
    now: as.openedAt,
  })
  assert(founded.ok, 'the slug of a company to be seeded is taken')
  const accounts: PaymentAccount[] = []
  for (const { name, country } of DEMO_ACCOUNTS.slice(0, as.accounts)) {
    const request = {
      organizationId: as.id,
      organizationSlug: as.slug,
      holderName: legalName,
      name,
      country,
      currency: EUR,
      bank: as.bank,
    }
    accounts.push(await openBankAccount(tx, { ...request, now: as.now }))
  }
  return {
    id: as.id,
    secret: founded.value.secret,
    members: founded.value.membershipIds,
    accounts: accounts as unknown as Company['accounts'],
  }
}

// Codes that no bank has, so that nobody's real account is named.
const STRANGERS_CODES: Readonly<Record<BankCountry, string>> = {
  FR: '1999800001', DE: '90010002', ES: '99020001', IT: '9990200001', NL: 'EXMP', BE: '998', PT: '99020001', AT: '99902',
} // biome-ignore format: a table

const counterpartyOf = (party: (typeof DEMO_SUPPLIERS)[number]['party']): Counterparty => ({
  name: party.name,
  bic: party.bic,
  iban: buildIban(party.country, STRANGERS_CODES[party.country], party.account),
})

/** Six weeks: capital first, then customers who pay, bills that come due on their day, things that are needed, and money put aside. */
function demoHistory(company: Company, random: Random, _bank: BankIdentity, now: Date): Movement[] {
  const [main, savings = main, hamburg = main] = company.accounts
  const [owner, admin, manager] = company.members
  const movements: Movement[] = []
  const first = daysBefore(now, DEMO_DAYS)
  const add = (day: Date, minute: number, movement: Omit<Movement, 'at'>) =>
    movements.push({ ...movement, at: new Date(day.getTime() + minute * 60_000 + random.integer(0, 59_999)) })
  const investor = { ...DEMO_CUSTOMERS[0].party, name: 'Camille Arnaud', account: 100n }
  add(first, 30, {
    account: main,
    with: counterpartyOf(investor),
    side: 'credit',
    amountMinor: 4_800_000n,
    category: 'treasury_and_interco',
    reference: 'Apport en compte courant',
    initiatorId: null,
  })
  add(first, 60, ownTransfer(main, hamburg, 900_000n, 'Hamburg', owner))

  for (let day = 1; day < DEMO_DAYS; day++) {
    const at = daysBefore(now, DEMO_DAYS - day)
    const dayOfMonth = Number(localDateOf(at).slice(8))
    if (random.chance(40)) add(at, random.integer(360, 700), incomeOf(random, main, hamburg, day))
    for (const supplier of DEMO_SUPPLIERS) {
      if (supplier.day === undefined ? !random.chance(11) : supplier.day !== dayOfMonth) continue
      const account = supplier.party.country === 'DE' ? hamburg : main
      const initiatorId = supplier.isDirectDebit ? null : (random.pick([owner, admin, manager]) ?? null)
      add(at, random.integer(360, 900), {
        account,
        with: counterpartyOf(supplier.party),
        side: 'debit',
        amountMinor: BigInt(random.integer(supplier.from, supplier.to)),
        category: supplier.category,
        reference: `${supplier.reference}${supplier.day === undefined ? ` ${1_000 + day}` : ''}`,
        initiatorId,
        isDirectDebit: supplier.isDirectDebit ?? false,
        vatRate: supplier.vatRate,
      })
    }
    if (dayOfMonth === 20) add(at, 920, ownTransfer(main, savings, 350_000n, 'TVA', owner))
  }
  const refused = DEMO_SUPPLIERS.find((supplier) => supplier.category === 'logistics') ?? DEMO_SUPPLIERS[0]
  if (refused) {
    add(daysBefore(now, 4), 800, {
      account: main,
      with: counterpartyOf(refused.party),
      side: 'debit',
      amountMinor: 18_400n,
      category: refused.category,
      reference: 'Expédition 999',
      note: 'The account of the payee is closed.',
      initiatorId: admin ?? null,
      isDeclined: true,
    })
  }
  return movements.sort((a, b) => a.at.getTime() - b.at.getTime())
}

function incomeOf(random: Random, main: PaymentAccount, hamburg: PaymentAccount, day: number): Omit<Movement, 'at'> {
  const customer = random.pick(DEMO_CUSTOMERS)
  return {
    account: customer.party.country === 'DE' ? hamburg : main,
    with: counterpartyOf(customer.party),
    side: 'credit',
    amountMinor: BigInt(random.integer(customer.from, customer.to)),
    category: 'sales',
    reference: `${customer.reference} ${100 + day}`,
    initiatorId: null,
    vatRate: customer.vatRate,
  }
}

/** One real order that is not due yet: its amount is held, and the worker sends it on its day. */
async function scheduleTransfer(tx: Tx, company: Company, now: Date): Promise<void> {
  const { party, amountMinor, reference, inDays } = DEMO_SCHEDULED
  const creditor = counterpartyOf(party)
  const ctx = { actor: systemActor('seed.demo', [company.id]), now }
  const [answer] = await initiateCreditTransfers(ctx, tx, {
    debtor: company.accounts[0],
    instructions: [
      {
        id: derivedId('credit_transfer', company.id, reference),
        creditorName: creditor.name,
        creditorIban: creditor.iban,
        creditorBic: creditor.bic,
        amount: money(EUR, amountMinor),
        endToEndId: reference.replace(' ', '-').toUpperCase(),
        instructionId: null,
        remittanceInformation: reference,
        creditorReference: null,
        purpose: null,
        requestedExecutionDate: addDays(localDateOf(now), inDays),
        paymentInformationId: null,
      },
    ],
    paymentFileId: null,
  })
  assert(answer?.ok, 'the demo company cannot pay what it has ordered')
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

/** Labels as a bookkeeper would put them: customers by project, bills by cost centre. */
async function labelHistory(
  tx: Tx,
  organizationId: Id<'organization'>,
  movements: readonly Movement[],
  ids: readonly Id<'transaction'>[],
  now: Date,
): Promise<void> {
  const byName = new Map<string, Id<'label'>>()
  for (const [list, names] of Object.entries(DEMO_LABELS)) {
    const parentId = await createLabel(tx, { organizationId, name: list, parentId: null, now })
    for (const name of names) byName.set(name, await createLabel(tx, { organizationId, name, parentId, now }))
  }
  const labelOf = (movement: Movement): string | undefined => {
    if (movement.category === 'sales')
      return movement.with.name === 'Hafenlicht GmbH' ? 'Hafenlicht Hamburg' : 'Musée des Lumières'
    if (movement.category === 'salary' || movement.category === 'manufacturing') return 'Studio'
    return movement.side === 'debit' && movement.category !== 'treasury_and_interco' ? 'Administration' : undefined
  }
  const links = movements.flatMap((movement, index) => {
    const labelId = byName.get(labelOf(movement) ?? '')
    const transactionId = ids[index]
    return labelId && transactionId ? [{ transactionId, labelId }] : []
  })
  await linkLabels(tx, organizationId, links)
}

const daysBefore = (now: Date, days: number): Date => new Date(`${addDays(localDateOf(now), -days)}T00:00:00.000Z`)

/**
 * Makes companies for load: each with two accounts and `transactionsEach` payments, in one transaction per company. Those that are
 * there already, from an earlier or an interrupted run, are left as they are.
 * @returns what is needed to call the API as each of them.
 */
export async function seedCompanies(
  database: Database,
  clock: Clock,
  options: SeedOptions & {
    readonly count: number
    readonly transactionsEach: number
    /** The API key's secret that the caller keeps for a company, as `seedDemo` takes it; without, each new company gets one at random. */
    readonly secretOf?: (slug: string) => string
    readonly onProgress?: (done: number) => void
  },
): Promise<SeededCompany[]> {
  const companies: SeededCompany[] = []
  const seed = options.seed ?? 1
  const now = clock.now()
  for (let index = 1; index <= options.count; index++) {
    const slug = `load-${seed}-${index}`
    const secret = options.secretOf?.(slug)
    companies.push(
      await database.transaction('system', async (tx) => {
        const existing = await findOrganizationBySlug(tx, slug)
        if (existing) return existingCompany(tx, { id: existing, slug }, secret, now)
        const id = derivedId('organization', slug)
        const as = { id, slug, secret, bank: options.bank, now, openedAt: now, name: `Load ${index}`, accounts: 2 }
        const company = await foundCompany(tx, as)
        // A stream of its own, so that a company is the same whether those before it were made now or earlier.
        const random = randomFrom(seed + index * 1_000_003)
        await bookHistory(tx, slug, loadHistory(company.accounts[0], options.transactionsEach, random, now), now)
        return summaryOf(tx, { id, slug }, company.secret, true)
      }),
    )
    options.onProgress?.(index)
  }
  return companies
}

/** One large credit, then payments out and in, a minute apart, ending now. */
function loadHistory(account: PaymentAccount, count: number, random: Random, now: Date): Movement[] {
  return Array.from({ length: count }, (_, index): Movement => {
    const at = new Date(now.getTime() - (count - index) * 60_000)
    const isCredit = index === 0 || random.chance(50)
    const party = counterpartyOf(
      isCredit ? random.pick(DEMO_CUSTOMERS).party : (DEMO_SUPPLIERS[index % DEMO_SUPPLIERS.length] ?? DEMO_CUSTOMERS[0]).party,
    )
    return {
      at,
      account,
      with: party,
      side: isCredit ? 'credit' : 'debit',
      amountMinor: index === 0 ? 1_000_000_000n : BigInt(random.integer(1, 10_000)),
      category: isCredit ? 'sales' : 'other_expense',
      reference: `LOAD ${index}`,
      initiatorId: null,
    }
  })
}
