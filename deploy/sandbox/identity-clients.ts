/**
 * Who can get a token from the sandbox's identity provider, and what it then says. The secret of every client is its id
 * and `-secret`.
 */

export const SCOPES = [
  'catalog:read',
  'approvals:write',
  'allocations:read',
  'allocations:write',
  'operations:write',
  'usage:read',
  'audit:read',
  'webhooks:write',
] as const

export interface IdentityClient {
  readonly id: string
  /** All that it may have; empty: it gets no token for the broker. */
  readonly scopes: readonly (typeof SCOPES)[number][]
  readonly tokenFormat: 'jwt' | 'opaque'
  /** Claims beside those that every access token has. */
  readonly claims: Readonly<Record<string, string>>
  /** Whether it may ask about tokens of others. */
  readonly introspects: boolean
}

const plain = { tokenFormat: 'jwt', claims: {}, introspects: false } as const

export const IDENTITY_CLIENTS: readonly IdentityClient[] = [
  { ...plain, id: 'platform', scopes: SCOPES },
  { ...plain, id: 'opaque', scopes: SCOPES, tokenFormat: 'opaque' },
  { ...plain, id: 'sre', scopes: ['catalog:read', 'allocations:read', 'operations:write'] },
  { ...plain, id: 'auditor', scopes: ['catalog:read', 'usage:read', 'audit:read'] },
  {
    ...plain,
    id: 'kaist',
    scopes: ['catalog:read', 'allocations:read', 'allocations:write', 'usage:read'],
    claims: { organization_id: 'kaist' },
  },
  {
    ...plain,
    id: 'nhn-staff',
    scopes: ['catalog:read', 'allocations:read', 'operations:write'],
    claims: { provider_id: 'nhn' },
  },
  { ...plain, id: 'gpu-broker', scopes: [], introspects: true },
]

export const secretOf = (clientId: string): string => `${clientId}-secret`
