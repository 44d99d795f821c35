import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'
import { feedHttp } from './http.ts'
import { verifyFeed } from './queries/verify-feed.ts'

export default defineModule({
  name: 'feed',
  migrations: join(import.meta.dirname, 'migrations'),
  checks: [{ name: 'feed', prove: verifyFeed }],
  create: ({ database }) => ({ routes: (app) => feedHttp(app, { database }) }),
})
