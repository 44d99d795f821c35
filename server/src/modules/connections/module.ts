import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { rowSubject } from '../feed/index.ts'
import { listChildTransactionLinks } from './operations/list-child-transaction-links.ts'

export default defineModule({
  name: 'connections',
  migrations: join(import.meta.dirname, 'migrations'),
  subjects: [rowSubject('statement_entry', 'Entry of a bank statement')],
  create: () => ({ operations: [listChildTransactionLinks] }),
})
