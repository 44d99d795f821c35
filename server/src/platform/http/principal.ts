import type { Id } from '../ids.ts'

/** Who is calling: proven by a credential before a handler runs. */
export type Principal = {
  readonly organizationId: Id<'organization'>
  /** The member the credential acts for. */
  readonly membershipId: Id<'membership'>
  readonly credentialId: Id<'api_key'>
  /** The part of the credential that logs may name. */
  readonly credentialPrefix: string
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route inside the authenticated scope. */
    principal: Principal
  }
  interface FastifyContextConfig {
    /** Which requests are turned away first under load; by default reads are GET and writes everything else. */
    shed?: 'reads' | 'writes' | 'never'
  }
}
