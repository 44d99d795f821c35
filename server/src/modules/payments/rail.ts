import type { Clock } from '../../platform/clock.ts'
import { Failure, PlatformUnavailable } from '../../platform/errors.ts'
import { formatDecimal, type Money } from '../../platform/money.ts'
import { ok, type Result, refuse } from '../../platform/result.ts'

/** A message that waits for us in the rail's outbox. `sequence` rises without end; the same `id` may be handed out more than once. */
export type RailMessage = { readonly sequence: bigint; readonly id: string; readonly messageName: string; readonly xml: string }

/** What happened to a message we sent. `unknown`: the connection broke after it may have been read, so nobody knows. */
export type Delivery =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'not_sent' }
  | { readonly kind: 'unknown' }

/** The clearing system, as the bank sees it: it takes ISO 20022 messages, and its answers are fetched. */
export interface Rail {
  /** Hands over one message. Never throws: what is not known is said. */
  send(xml: string): Promise<Delivery>
  /** Messages after `sequence`, in order. @throws Failure when the rail is away. */
  fetchAfter(sequence: bigint, limit: number): Promise<RailMessage[]>
}

const TIMEOUT_MS = 5_000

// The connection was never made, so the rail cannot have read anything: the message may be sent again.
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** The rail over HTTP. Each request carries the bank's time, which is the only clock that the simulated rail has. */
export function httpRail(baseUrl: string, clock: Clock): Rail {
  const headers = () => ({ 'bank-time': clock.now().toISOString() })
  return {
    async send(xml) {
      try {
        const response = await fetch(new URL('/messages', baseUrl), {
          method: 'POST',
          headers: { ...headers(), 'content-type': 'application/xml' },
          body: xml,
          signal: AbortSignal.timeout(TIMEOUT_MS),
        })
        const text = await response.text()
        if (response.status === 202) return { kind: 'delivered' }
        return response.status >= 400 && response.status < 500
          ? { kind: 'refused', reason: text.slice(0, 500) }
          : { kind: 'unknown' }
      } catch (error) {
        return NOT_CONNECTED.has(causeCodeOf(error)) ? { kind: 'not_sent' } : { kind: 'unknown' }
      }
    },

    async fetchAfter(sequence, limit) {
      try {
        const url = new URL(`/messages?after=${sequence}&limit=${limit}`, baseUrl)
        const response = await fetch(url, { headers: headers(), signal: AbortSignal.timeout(TIMEOUT_MS) })
        if (!response.ok) throw new Error(`the rail answered ${response.status}`)
        return readOutbox(await response.json())
      } catch (error) {
        throw new Failure('the rail cannot be reached', { cause: error, retryable: true })
      }
    },
  }
}

/** @throws Error when the rail's outbox is not what it should be: reading on would lose messages. */
function readOutbox(page: unknown): RailMessage[] {
  if (!Array.isArray(page)) throw new Error('the rail answered no list of messages')
  return page.map((entry: Readonly<Record<string, unknown>> | null) => {
    const { sequence, id, message_type: name, xml } = entry ?? {}
    const isMessage =
      /^\d{1,18}$/.test(String(sequence)) && typeof id === 'string' && id.length <= ID_LENGTH_MAX && typeof xml === 'string'
    if (!isMessage) throw new Error('the rail handed out something that is no message')
    return { sequence: BigInt(String(sequence)), id: storable(id), messageName: storable(String(name)), xml }
  })
}

const ID_LENGTH_MAX = 200

/** PostgreSQL's text has no NUL. */
export const storable = (text: string): string => text.replaceAll('\0', '\ufffd')

function causeCodeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

export type IncomingOrder = {
  readonly amount: Money
  readonly creditorIban: string
  readonly debtorName: string
  readonly debtorIban: string
  readonly remittanceInformation: string | undefined
  readonly endToEndId: string | undefined
  readonly copies: number | undefined
}

/** What only a simulated rail can do: have somebody outside pay us. */
export interface RailSandbox {
  /** @returns what the rail will send, or its complaints, each beginning with the field's name. @throws PlatformUnavailable when the rail is away. */
  sendIncoming(order: IncomingOrder): Promise<Result<Record<string, unknown>, readonly string[]>>
}

export function httpRailSandbox(baseUrl: string, clock: Clock): RailSandbox {
  return {
    async sendIncoming(order) {
      const body = {
        amount: formatDecimal(order.amount),
        currency: order.amount.currency,
        creditor_iban: order.creditorIban,
        creditor_name: 'Account holder',
        debtor_name: order.debtorName,
        debtor_iban: order.debtorIban,
        remittance_information: order.remittanceInformation ?? '',
        ...(order.endToEndId === undefined ? {} : { end_to_end_id: order.endToEndId }),
        ...(order.copies === undefined ? {} : { copies: order.copies }),
      }
      try {
        const response = await fetch(new URL('/simulate/incoming', baseUrl), {
          method: 'POST',
          headers: { 'bank-time': clock.now().toISOString(), 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(TIMEOUT_MS),
        })
        const text = await response.text()
        const answer = JSON.parse(text) as Record<string, unknown> & { error?: { message: string } }
        if (response.ok) return ok(answer)
        if (response.status !== 400 || answer.error === undefined) throw new Error(`the rail answered ${response.status}`)
        return refuse(answer.error.message.split('; '))
      } catch (error) {
        throw new PlatformUnavailable('the rails simulator cannot be reached', error)
      }
    },
  }
}
