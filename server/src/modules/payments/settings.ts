import { isLoopback, setting, settings, url } from '../../platform/settings.ts'

/** Where payments leave the bank. */
export const paymentSettings = settings(
  {
    railsUrl: setting('RAILS_URL', 'http://127.0.0.1:4101', 'URL', 'where `npm start` puts the rails simulator', url('http:', 'https:')),
  },
  ({ railsUrl }, { isProduction, isGiven }) => {
    if (!isProduction) return []
    if (!isGiven('RAILS_URL')) return ['RAILS_URL is missing: production has no rails simulator']
    const { protocol, hostname } = new URL(railsUrl)
    return protocol === 'https:' || isLoopback(hostname) ? [] : ['RAILS_URL must be https: in production']
  },
) // biome-ignore format: a table, one setting a line
