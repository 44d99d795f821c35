import { list } from '../../../platform/http/list.ts'
import { defineQuery, paging } from '../../../platform/http/query.ts'
import { ok } from '../../../platform/result.ts'
import { pageOfLabels } from '../queries/labels.ts'
import { LabelSchema, labelToWire } from '../wire.ts'
import { reader } from './permissions.ts'

export const listLabels = list({
  id: 'listLabels',
  route: 'GET /v2/labels',
  tag: 'Labels',
  summary: 'List the organization’s labels, oldest first.',
  description: 'Labels form lists: a label’s parent is the list that it belongs to.',
  access: reader('labels.read'),
  rows: 'labels',
  row: LabelSchema,
  query: defineQuery(paging),
  page: async (tx, { actor }, _query, range) => ok(await pageOfLabels(tx, actor.organizationId, range)),
  toWire: labelToWire,
  refusals: {},
})
