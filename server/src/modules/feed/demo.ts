import type { CommandContext } from '../../platform/actor.ts'
import type { DemoCompany } from '../../platform/module.ts'
import type { Tx } from '../../platform/postgres/database.ts'
import { createLabel } from './commands/labels.ts'

/** Labels by list. */
const DEMO_LABELS: Readonly<Record<string, readonly string[]>> = {
  Projects: ['Musée des Lumières', 'Hafenlicht Hamburg', 'Showroom'],
  'Cost centres': ['Studio', 'Administration'],
}

/** Makes the lists of labels that the demo company's bookkeeper works with. */
export async function createDemoLabels({ now }: CommandContext, tx: Tx, { organizationId }: DemoCompany): Promise<void> {
  for (const [list, names] of Object.entries(DEMO_LABELS)) {
    const parentId = await createLabel(tx, { organizationId, name: list, parentId: null, now })
    for (const name of names) await createLabel(tx, { organizationId, name, parentId, now })
  }
}
