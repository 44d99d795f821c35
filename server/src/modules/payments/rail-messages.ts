import type { Result } from '../../platform/result.ts'
import type { RailEvent } from './domain/rail-event.ts'
export type Bank = { readonly name: string; readonly bic: string }
export const messageIdOf = (id: string) => id.replaceAll('-', '')
type Written = { messageName: string; xml: string }
const later = (): Written => { throw new Error('later') }
export const writeTransfer = (_b: Bank, _t: unknown, _m: string, _n: Date) => later()
export const writeStatusRequest = writeTransfer
export const writeReturn = writeTransfer
export const readRailMessage = (_n: string, _x: string): Result<RailEvent[], string> => { throw new Error('later') }
