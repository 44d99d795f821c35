import { expect, test } from 'vitest'
import { blot, createLogger, type LogFields } from './logging.ts'

function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  write(createLogger({ level: 'debug', service: 'test', destination: { write: (line) => lines.push(line) } }))
  return lines.map((line) => JSON.parse(line))
}

test('a line is ECS', () => {
  const [line] = logged((log) => log.info('request', { 'http.response.status_code': 200, 'trace.id': 'abc' }))
  expect(line).toMatchObject({ 'log.level': 'info', message: 'request', 'http.response.status_code': 200, 'trace.id': 'abc' })
  expect(line).toHaveProperty(['@timestamp'])
  expect(line).toHaveProperty(['ecs.version'])
})

test('a field that is not listed does not get out, nor does an object under a listed name', () => {
  const fields = {
    'http.request.body': 'CANARY',
    authorization: 'CANARY',
    'client.ip': { secret: 'CANARY' },
  } as unknown as LogFields
  expect(JSON.stringify(logged((log) => log.info('request', fields)))).not.toContain('CANARY')
})

test('an error tells its type, code and place, and no text that came from outside', () => {
  const error = Object.assign(new Error('invalid input syntax for type uuid: "atelier-9:0a1b2c3d4e5f60718293a4b5c6d7e8f9"'), {
    code: '22P02',
  })
  const [line] = logged((log) => log.error('a request failed', error))
  expect(line).toMatchObject({ 'error.type': 'Error', 'error.code': '22P02' })
  expect(JSON.stringify(line)).not.toContain('0a1b2c3d')
  expect(line?.['error.stack_trace']).toContain('logging.test.ts')
})

test.each([
  ['Unexpected token x in "{\\"iban\\":\\"FR7616798"', 'FR7616798'],
  ['account FR76 1679 8000 0100 0000 1234 567 is closed', '1679'],
  ['no such key sk_live_51H8xYzAbCdEfGhIjKlMnOp', '51H8xYz'],
  ['card 4111111111111111 refused', '4111111'],
])('%s is blotted', (message, secret) => {
  expect(blot(message)).not.toContain(secret)
})

test('a message without foreign text stays readable', () => {
  expect(blot('no database connection within 1000 ms')).toBe('no database connection within 1000 ms')
})
