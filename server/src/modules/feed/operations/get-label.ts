import { show } from '../../../platform/http/show.ts'
import { findLabels } from '../queries/labels.ts'
import { LabelSchema, labelToWire } from '../wire.ts'
import { reader } from './permissions.ts'

export const getLabel = show({
  id: 'getLabel',
  route: 'GET /v2/labels/:id',
  tag: 'Labels',
  summary: 'One label.',
  access: reader('labels.read'),
  name: 'label',
  called: 'Label',
  schema: LabelSchema,
  find: async (tx, { actor }, id) => (await findLabels(tx, actor.organizationId, [id])).get(id),
  toWire: labelToWire,
})
