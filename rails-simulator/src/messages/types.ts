/** A party with its account and bank, in the words of pacs.008. `bic` undefined: the message names no bank by BIC. */
export type Party = Readonly<{ name: string; iban: string; bic?: string | undefined }>

/** One credit transfer as the clearing system remembers it. Amounts are decimals in EUR, dates `YYYY-MM-DD`. */
export type CreditTransfer = Readonly<{
  instructionId?: string | undefined
  endToEndId: string
  txId: string
  uetr?: string | undefined
  amount: string
  currency: string
  debtor: Party
  creditor: Party
  remittance?: string | undefined
}>

/** pacs.008.001.08, as read or as written. */
export type CreditTransferMessage = Readonly<{
  type: 'pacs.008.001.08'
  msgId: string
  createdAt: string
  instructingAgent?: string | undefined
  instructedAgent?: string | undefined
  settlementDate: string
  transactions: readonly CreditTransfer[]
}>

/** One line of a pacs.002. */
export type TransactionStatus = Readonly<{
  statusId: string
  instructionId?: string | undefined
  endToEndId?: string | undefined
  txId?: string | undefined
  uetr?: string | undefined
  status: 'ACSP' | 'ACSC' | 'RJCT'
  reason?: string | undefined
  information?: string | undefined
  /** ACSC only: the date that counts. */
  effectiveSettlementDate?: string | undefined
}>

/** pacs.002.001.10. Either a group status alone or one line per transaction. */
export type StatusReport = Readonly<{
  type: 'pacs.002.001.10'
  msgId: string
  createdAt: string
  instructedAgent?: string | undefined
  originalMsgId: string
  originalMessageName: string
  group?:
    | Readonly<{ status: 'ACSP' | 'ACSC' | 'RJCT'; reason?: string | undefined; information?: string | undefined }>
    | undefined
  transactions: readonly TransactionStatus[]
}>

/** pacs.004.001.09 with one return, as written. */
export type ReturnMessage = Readonly<{
  type: 'pacs.004.001.09'
  msgId: string
  createdAt: string
  instructedAgent?: string | undefined
  settlementDate: string
  returnId: string
  originalMsgId: string
  originalSettlementDate: string
  reason: string
  original: CreditTransfer
}>

/** Bytes that are no message at all. */
export type Garbage = Readonly<{ type: 'unreadable'; text: string }>

export type OutgoingMessage = CreditTransferMessage | StatusReport | ReturnMessage | Garbage

/** pacs.004.001.09 as the bank sends it. */
export type ReceivedReturns = Readonly<{
  type: 'pacs.004.001.09'
  msgId: string
  createdAt: string
  instructingAgent?: string | undefined
  settlementDate?: string | undefined
  returns: readonly Readonly<{
    returnId: string
    originalMsgId?: string | undefined
    originalEndToEndId?: string | undefined
    originalTxId: string
    amount: string
    currency: string
    reason?: string | undefined
  }>[]
}>

/** pacs.028.001.03 as the bank sends it. */
export type StatusRequest = Readonly<{
  type: 'pacs.028.001.03'
  msgId: string
  instructingAgent?: string | undefined
  requests: readonly Readonly<{
    requestId?: string | undefined
    originalMsgId: string
    originalMessageName: string
    originalInstructionId?: string | undefined
    originalEndToEndId?: string | undefined
    originalTxId: string
    originalUetr?: string | undefined
  }>[]
}>

export type ReceivedMessage = CreditTransferMessage | ReceivedReturns | StatusRequest
