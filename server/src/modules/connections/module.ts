import { join } from 'node:path'
import { defineModule } from '../../platform/module.ts'

export default defineModule({
  name: 'connections',
  migrations: join(import.meta.dirname, 'migrations'),
})
