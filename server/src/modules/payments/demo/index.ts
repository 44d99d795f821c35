import type { CommandContext } from '../../../platform/actor.ts'
import { assert } from '../../../platform/assert.ts'
import { addDays, localDateOf } from '../../../platform/clock.ts'
import { derivedId, type Id } from '../../../platform/ids.ts'
import type { DemoCompany } from '../../../platform/module.ts'
import { EUR, money } from '../../../platform/money.ts'
import type { Tx } from '../../../platform/postgres/database.ts'
import { randomFrom } from '../../../platform/random.ts'
import { ref } from '../../../platform/subject.ts'
import { allBankAccounts, findAccountsByIban, type PaymentAccount } from '../../accounts/index.ts'
import * as feed from '../../feed/index.ts'
import { type OperationKey, post } from '../../ledger/index.ts'
import { initiateCreditTransfers } from '../commands/initiate-credit-transfers.ts'
import { type PastPayment, recordPast } from '../commands/record-past.ts'
import { settlementAccounts } from '../settlement-accounts.ts'
import { demoHistory, loadHistory, type Movement } from './history.ts'
import { DEMO_SCHEDULED, type DemoParty } from './parties.ts'

/** The demo company's six weeks, with VAT and labels, and one order that is not due yet. */
export async function tellDemoPayments(ctx: CommandContext, tx: Tx, company: DemoCompany): Promise<void> {
  const accounts = await accountsOf(tx, company.organizationId)
  const movements = demoHistory({ ...company, accounts }, randomFrom(company.seed), ctx.now)
  await tell(ctx, tx, `demo/${company.slug}`, movements)
  await label(tx, company, movements)
  await scheduleTransfer(ctx, tx, company.organizationId, accounts[0])
}

/** A company's payments for load: one large credit, then payments out and in, a minute apart, ending now. */
export function tellLoad(
  ctx: CommandContext,
  tx: Tx,
  load: { readonly slug: string; readonly account: PaymentAccount; readonly count: number; readonly seed: number },
): Promise<void> {
  return tell(ctx, tx, load.slug, loadHistory(load.account, load.count, randomFrom(load.seed), ctx.now))
}

async function accountsOf(tx: Tx, organizationId: Id<'organization'>): Promise<readonly [PaymentAccount, ...PaymentAccount[]]> {
  const ibans = (await allBankAccounts(tx, organizationId, false)).flatMap(({ iban }) => iban ?? [])
  const found = await findAccountsByIban(tx, ibans)
  const [main, ...others] = ibans.flatMap((iban) => found.get(iban) ?? [])
  assert(main, 'the demo company has no account')
  return [main, ...others]
}

const feedIdOf = (name: string, index: number): Id<'transaction'> => derivedId('transaction', name, index)

/**
 * Tells a history in the order of its dates: payments by the payments' own command, and what has no module yet by the feed's door.
 *
 * @param name makes the ids: the same name tells the same history.
 */
async function tell(ctx: CommandContext, tx: Tx, name: string, movements: readonly Movement[]): Promise<void> {
  let payments: PastPayment[] = []
  for (const [index, movement] of movements.entries()) {
    if (!movement.isDirectDebit) {
      payments.push(pastPayment(movement, name, index))
      continue
    }
    await recordPast(ctx, tx, payments)
    payments = []
    await tellDirectDebit(ctx, tx, movement, feedIdOf(name, index))
  }
  await recordPast(ctx, tx, payments)
  const vat = movements.flatMap(({ vatRate: rate, amountMinor, at: assignedAt }, index) =>
    rate === undefined ? [] : { transactionId: feedIdOf(name, index), amount: money(EUR, amountMinor), rate, assignedAt },
  )
  const [first] = movements
  if (first) await feed.assignVat(tx, first.account.organizationId, vat)
}

const isOwn = (party: DemoParty | PaymentAccount): party is PaymentAccount => 'ledgerAccountId' in party

function pastPayment(movement: Movement, name: string, index: number): PastPayment {
  const { account, with: other, amountMinor, side, ...told } = movement
  const feedId = feedIdOf(name, index)
  const common = { ...told, amount: money(EUR, amountMinor), feedId }
  if (isOwn(other)) {
    const ids = { id: derivedId('internal_transfer', name, index), creditFeedId: derivedId('transaction', feedId, 'credit') }
    return { ...common, ...ids, kind: 'internal_transfer', debtor: account, creditor: other }
  }
  return side === 'credit'
    ? { ...common, kind: 'incoming_transfer', id: derivedId('incoming_transfer', name, index), debtor: other, creditor: account }
    : { ...common, kind: 'credit_transfer', id: derivedId('credit_transfer', name, index), debtor: account, creditor: other }
}

/** No module collects direct debits yet: a balanced entry straight to the nostro, marked as the demo's in ledger and feed. */
async function tellDirectDebit(ctx: CommandContext, tx: Tx, movement: Movement, feedId: Id<'transaction'>): Promise<void> {
  const { account, with: other, at } = movement
  const ledgerKey: OperationKey = derivedId('ledger_operation', feedId, 'direct_debit')
  const entry = {
    kind: 'transfer',
    key: ledgerKey,
    code: 'demo.direct_debit',
    debit: account.ledgerAccountId,
    credit: settlementAccounts(account.bookId).nostro,
    amount: money(EUR, movement.amountMinor),
    effectiveAt: at,
  } as const
  const [outcome] = await post(tx, account.bookId, [entry], ctx.now)
  assert(outcome?.ok && !isOwn(other), 'the demo company cannot pay a direct debit')
  await feed.completed(ctx, tx, [
    {
      id: feedId,
      subject: ref('demo_movement', feedId as string as Id<'demo_movement'>),
      account,
      kind: 'direct_debit',
      amount: entry.amount,
      counterparty: {
        name: other.name,
        ...(other.cleanName !== undefined && { cleanName: other.cleanName }),
        account: feed.sepaAccount(other.iban, other.bic),
      },
      reference: movement.reference,
      category: movement.category,
      ledgerKey,
      balanceMinor: outcome.value.debitBalance,
      at,
    },
  ])
}

/** Labels as a bookkeeper would put them: customers by project, bills by cost centre. */
async function label(tx: Tx, { organizationId, slug }: DemoCompany, movements: readonly Movement[]): Promise<void> {
  const byName = await feed.labelsByName(tx, organizationId)
  const links = movements.flatMap((movement, index) => {
    const labelId = byName.get(labelNameOf(movement) ?? '')
    return labelId === undefined ? [] : [{ transactionId: feedIdOf(`demo/${slug}`, index), labelId }]
  })
  await feed.linkLabels(tx, organizationId, links)
}

function labelNameOf({ category, side, with: other }: Movement): string | undefined {
  if (category === 'sales') return other.name === 'Hafenlicht GmbH' ? 'Hafenlicht Hamburg' : 'Musée des Lumières'
  if (category === 'salary' || category === 'manufacturing') return 'Studio'
  return side === 'debit' && category !== 'treasury_and_interco' ? 'Administration' : undefined
}

/** One real order: its amount is held, and the worker sends it on its day. */
async function scheduleTransfer(
  ctx: CommandContext,
  tx: Tx,
  organizationId: Id<'organization'>,
  debtor: PaymentAccount,
): Promise<void> {
  const { party, amountMinor, reference, inDays } = DEMO_SCHEDULED
  const instruction = {
    id: derivedId('credit_transfer', organizationId, reference),
    creditorName: party.name,
    creditorIban: party.iban,
    creditorBic: party.bic,
    amount: money(EUR, amountMinor),
    endToEndId: reference.replace(' ', '-').toUpperCase(),
    instructionId: null,
    remittanceInformation: reference,
    creditorReference: null,
    purpose: null,
    requestedExecutionDate: addDays(localDateOf(ctx.now), inDays),
    paymentInformationId: null,
  }
  const [answer] = await initiateCreditTransfers(ctx, tx, { debtor, instructions: [instruction], paymentFileId: null })
  assert(answer?.ok, 'the demo company cannot pay what it has ordered')
}
