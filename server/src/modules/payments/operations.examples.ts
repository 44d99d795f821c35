import type { OperationExamples } from '../../platform/http/operation-example.ts'

const internalTransfer = (reference: string, amount: string) => ({
  internal_transfer: { debit_iban: '{iban}', credit_iban: '{otherIban}', reference, amount, currency: 'EUR' },
})

export const examples: OperationExamples = {
  createInternalTransfer: {
    path: '/v2/internal_transfers',
    headers: { 'x-qonto-idempotency-key': '5b0f2f5e-0d0a-4f0e-9d4e-5d8f6f3c1a01' },
    body: internalTransfer('TVA mars', '12.50'),
    named: true,
    cases: { insufficient_funds: { path: '/v2/internal_transfers', body: internalTransfer('Too much', '9999999.00') } },
  },
  simulateIncomingTransfer: {
    path: '/simulation/incoming_transfers',
    body: { creditor_iban: '{iban}', amount: '1.00' },
    unrecorded: 'asks the rails simulator, which is a process of its own: tested in simulation.db.test.ts',
  },
  getClock: { path: '/simulation/clock' },
  moveClock: { path: '/simulation/clock', body: { advance_seconds: 86_400 } },
}
