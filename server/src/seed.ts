import { partita } from './bank.ts'
import { allBankAccounts, bankSettings } from './modules/accounts/index.ts'
import { isLiveApiKey, issueApiKey } from './modules/identity/index.ts'
import { tellLoad } from './modules/payments/index.ts'
import { findOrganizationBySlug, ownerOf } from './modules/team/index.ts'
import { type CommandContext, systemActor } from './platform/actor.ts'
import { assert } from './platform/assert.ts'
import { addDays, localDateOf } from './platform/clock.ts'
import { derivedId, type Id } from './platform/ids.ts'
import type { DemoCompany, World } from './platform/module.ts'
import type { Tx } from './platform/postgres/database.ts'
import { makeCompany } from './seed/make-company.ts'

export type SeededCompany = {
  readonly organizationSlug: string
  /** The API key's secret; undefined when the company was there already and nobody kept it. */
  readonly secretKey: string | undefined
  readonly accounts: readonly { readonly id: string; readonly iban: string; readonly name: string; readonly main: boolean }[]
  /** Whether this call made it. */
  readonly created: boolean
}

export type SeedOptions = {
  /** The same seed makes the same company and the same history, relative to today. */
  readonly seed?: number
}

const DEMO_SLUG = 'atelier-lumen-4821'
const DEMO_DAYS = 42

/**
 * Makes the demo company once: every module tells its chapter (`demo` in its manifest), in the order of the list of modules. People, labels,
 * three accounts, six weeks of payments that went through the ledger, and one that is ordered and not due.
 *
 * @param options.secretKey the API key's secret that the caller keeps. Of a company that is there already it becomes the live key, if it
 *   is not: a lost key is replaced by handing in a new one of 64 hexadecimal digits. The caller keeps the secret that is returned, which
 *   is another when the one handed in had been revoked.
 */
export async function seedDemo(
  world: World,
  options: SeedOptions & { readonly secretKey?: string | undefined } = {},
): Promise<SeededCompany> {
  const organizationId = derivedId('organization', DEMO_SLUG)
  const named = { id: organizationId, slug: DEMO_SLUG }
  const actor = systemActor('seed.demo')
  return world.database.transaction(actor, async (tx) => {
    await tx.run`select pg_advisory_xact_lock(hashtext('partita seed demo'))`
    const now = world.clock.now()
    const existing = await findOrganizationBySlug(tx, DEMO_SLUG)
    if (existing) return existingCompany({ actor, now }, tx, { ...named, id: existing }, options.secretKey)
    const company: DemoCompany = {
      organizationId,
      slug: DEMO_SLUG,
      since: new Date(`${addDays(localDateOf(now), -DEMO_DAYS)}T00:00:00.000Z`),
      seed: options.seed ?? 1,
      secretKey: options.secretKey,
      members: [],
    }
    for (const { demo } of partita.parts(world)) await demo?.({ actor, now }, tx, company)
    return summaryOf(tx, named, company.secretKey, true)
  })
}

type Named = { readonly id: Id<'organization'>; readonly slug: string }

async function existingCompany(ctx: CommandContext, tx: Tx, company: Named, secret: string | undefined): Promise<SeededCompany> {
  if (secret === undefined || (await isLiveApiKey(tx, company.id, secret))) return summaryOf(tx, company, secret, false)
  const membershipId = await ownerOf(tx, company.id)
  assert(membershipId, 'a seeded company has no owner')
  const issued = await issueApiKey(ctx, tx, { organizationId: company.id, membershipId, login: company.slug, secret })
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

const LOAD_ACCOUNTS = [
  { name: 'Main account', country: 'FR' },
  { name: 'Taxes and savings', country: 'FR' },
] as const

/**
 * Makes companies for load: each with two accounts and `transactionsEach` payments, in one transaction per company. Those that are
 * there already, from an earlier or an interrupted run, are left as they are.
 * @returns what is needed to call the API as each of them.
 */
export async function seedCompanies(
  world: World,
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
  const ctx = { actor: systemActor('seed.companies'), now: world.clock.now() }
  const bank = world.config.of(bankSettings)
  for (let index = 1; index <= options.count; index++) {
    const slug = `load-${seed}-${index}`
    const secret = options.secretOf?.(slug)
    companies.push(
      await world.database.transaction(ctx.actor, async (tx) => {
        const existing = await findOrganizationBySlug(tx, slug)
        if (existing) return existingCompany(ctx, tx, { id: existing, slug }, secret)
        const id = derivedId('organization', slug)
        const company = await makeCompany(ctx, tx, { id, slug, secret, bank, name: `Load ${index}`, accounts: LOAD_ACCOUNTS })
        const [account] = company.accounts
        // A stream of its own, so that a company is the same whether those before it were made now or earlier.
        await tellLoad(ctx, tx, { slug, account, count: options.transactionsEach, seed: seed + index * 1_000_003 })
        return summaryOf(tx, { id, slug }, company.secret, true)
      }),
    )
    options.onProgress?.(index)
  }
  return companies
}
