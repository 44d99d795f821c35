import type { Scheme } from './core/scheme.ts'
import { creditTransfers } from './sct/index.ts'

/** What runs over these rails. Where two schemes take messages of one name, the earlier one is asked first. */
export const SCHEMES: readonly Scheme[] = [creditTransfers]
