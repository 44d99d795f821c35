import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { teamHttp } from './http.ts'

export default defineModule({
  name: 'team',
  migrations: join(import.meta.dirname, 'migrations'),
  create: ({ database }) => ({ routes: (app) => teamHttp(app, { database }) }),
})
