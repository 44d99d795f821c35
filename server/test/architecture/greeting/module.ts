import { join } from 'node:path'
import { Type } from 'typebox'
import { consumer } from '../../../src/platform/events/consumer.ts'
import { defineEvent, Text, Uuid } from '../../../src/platform/events/definition.ts'
import { publish } from '../../../src/platform/events/outbox.ts'
import { exempt, inOwnTransaction, operation } from '../../../src/platform/http/operation.ts'
import { newId } from '../../../src/platform/ids.ts'
import { defineModule } from '../../../src/platform/module.ts'
import { pass } from '../../../src/platform/passes/pass.ts'
import { ok } from '../../../src/platform/result.ts'
import { setting, settings, text } from '../../../src/platform/settings.ts'
import { ref } from '../../../src/platform/subject.ts'

// A module as small as one can be that still brings one of everything. It stands here and in no list: the test adds its line.

const greetingSettings = settings({
  answer: setting('PARTITA_GREETING', 'hello', 'a word', 'what guests hear', text(/^[a-z]+$/, 'a word')),
})

const greeted = defineEvent(
  'greeting.guest_greeted.v1',
  Type.Object({ id: Uuid('The greeting.'), words: Text('What was said.') }),
  {
    aggregate: 'id',
    describe: 'A guest said something.',
  },
)

const greet = operation({
  id: 'greet',
  route: 'POST /v2/greetings',
  tag: 'Greetings',
  summary: 'Say something.',
  access: { credentials: ['api_key'], scope: 'organization.read', permission: 'greetings.say' },
  sca: exempt('no money, no personal data'),
  idempotency: 'contract',
  body: Type.Object({ words: Type.String() }),
  answer: Type.Object({ id: Type.String() }),
  refusals: {},
  read: ({ body }) => ok({ id: newId<'greeting'>(), words: body.words }),
  run: (ctx, greeting) =>
    inOwnTransaction(ctx, async (tx) => {
      await tx.run`
        insert into greeting.greeting (id, organization_id, words) values (${greeting.id}, ${ctx.actor.organizationId}, ${greeting.words})`
      await publish(tx, [greeted.of(greeting, { organizationId: ctx.actor.organizationId, occurredAt: ctx.now })])
      return ok(greeting)
    }),
  write: ({ id }) => ({ id }),
  audit: ({ id }) => ref('greeting', id),
})

const listeners = consumer('greeting.listen', {
  on: [greeted],
  describe: 'Hears what guests said',
  handle: async (_, tx, event) =>
    void (await tx.run`update greeting.greeting set is_heard = true where id = ${event.payload.id}`),
})

const answers = (word: string) =>
  pass<{ id: string }>({
    name: 'greeting.answer',
    describe: 'Answers guests',
    everyMs: 20,
    batch: 10,
    take: (tx, { limit }) => tx.rows`
      select id from greeting.greeting where not is_answered order by id limit ${limit} for update skip locked`,
    key: ({ id }) => id,
    subject: ({ id }) => ref('greeting', id as never),
    one: async (_, tx, { id }) =>
      void (await tx.run`update greeting.greeting set is_answered = true, words = words || ' ' || ${word} where id = ${id}`),
  })

export default defineModule({
  name: 'greeting',
  migrations: join(import.meta.dirname, 'migrations'),
  settings: greetingSettings,
  permissions: { 'greetings.say': { describe: 'Say something.', roles: ['owner'] } },
  events: [greeted],
  checks: [
    {
      name: 'greeting',
      prove: async (tx) => {
        const { rude } = await tx.one<{
          rude: number
        }>`select count(*)::int as rude from greeting.greeting where words like '%damn%'`
        return [{ name: 'guests_are_polite', violations: rude, examples: [] }]
      },
    },
  ],
  create: ({ config }) => ({
    operations: [greet],
    consumers: [listeners],
    passes: [answers(config.of(greetingSettings).answer)],
    gauges: [
      { name: 'partita_greetings_words', help: 'Letters of the answer.', read: () => config.of(greetingSettings).answer.length },
    ],
  }),
})
