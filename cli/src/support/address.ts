import { isIPv6 } from 'node:net'

/** Where this machine reaches what listens on `host`. */
export function addressOf(host: string, port: number): string {
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${isIPv6(near) ? `[${near}]` : near}:${port}`
}
