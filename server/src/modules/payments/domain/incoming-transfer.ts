import { defineMoves } from '../../../platform/moves.ts'

export const INCOMING_STATUSES = ['credited', 'suspended', 'returning', 'returned', 'return_refused'] as const

export type IncomingStatus = (typeof INCOMING_STATUSES)[number]

/** A receipt is credited, which is its end, or waits in suspense until it has gone back. One whose return is refused waits for an operator. */
export const INCOMING_TRANSFER_MOVES = defineMoves({
  send_back: [['suspended'], 'returning'], // pacs.004
  ask_about_return: [['returning'], 'returning'],
  settle_return: [['returning'], 'returned'],
  forget_return: [['returning'], 'suspended'], // it never reached the rail
  refuse_return: [['returning'], 'return_refused'],
})
