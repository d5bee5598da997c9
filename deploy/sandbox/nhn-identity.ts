/** NHN Cloud's identity service: Keystone v2 tokens, and the check that every other service makes of them. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import type { NhnWorld, TokenRecord } from './nhn-records.ts'
import { answer, keystoneError, microseconds, NhnRefusal, route, secondsZ } from './nhn-wire.ts'
import type { Route } from './nhn-wire.ts'
import { NHN } from './settings.ts'

const TOKEN_TTL_MS = 12 * 3_600_000
const TOKEN_BYTES = 138
/** Above so many remembered tokens the expired ones are forgotten before another is issued. */
const PRUNE_FROM = 500
export const USER_ID = '0a1b2c3d4e5f60718293a4b5c6d7e8f9'

const TokenRequest = z.object({
  auth: z.object({
    tenantId: z.string().optional(),
    /** Keystone takes either. */
    tenantName: z.string().optional(),
    passwordCredentials: z.object({ username: z.string(), password: z.string() }),
  }),
})

export const identityRoutes = (world: NhnWorld): readonly Route[] => [
  route('POST', '/v2.0/tokens', (request) => issue(world, request)),
  route('GET', '/v2.0/tenants', (request) => {
    requireToken(world, request)
    return answer(200, { tenants: [TENANT], tenants_links: [] })
  }),
]

const TENANT = {
  id: NHN.tenantId,
  name: NHN.tenantId,
  groupId: 'sandbox',
  description: '',
  enabled: true,
  project_domain: 'NORMAL',
}

function issue(world: NhnWorld, request: SandboxRequest): SandboxResponse {
  const asked = TokenRequest.safeParse(parsed(request.body))
  if (!asked.success) {
    return keystoneError(
      400,
      'Bad Request',
      'Expecting to find auth in request body. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.',
    )
  }
  const { passwordCredentials, tenantName = '', tenantId = tenantName } = asked.data.auth
  if (passwordCredentials.username !== NHN.username)
    return refusedLogin(`Could not find user: ${passwordCredentials.username}`)
  if (passwordCredentials.password !== NHN.password) return refusedLogin('Invalid username or password')
  if (tenantId !== NHN.tenantId) return refusedLogin(`Could not find project: ${tenantId}`)
  return answer(200, accessOf(newToken(world), request.baseUrl))
}

const refusedLogin = (message: string): SandboxResponse => keystoneError(401, 'Unauthorized', message)

function newToken(world: NhnWorld): TokenRecord {
  const { tokens } = world
  const nowMs = world.now()
  if (tokens.size >= PRUNE_FROM)
    for (const token of tokens.values()) if (token.expiresAtMs <= nowMs) tokens.delete(token.id)
  const token = {
    id: `gAAAAA${randomBytes(TOKEN_BYTES).toString('base64url')}`,
    issuedAtMs: nowMs,
    expiresAtMs: nowMs + (world.behaviour.tokenTtlMs ?? TOKEN_TTL_MS),
  }
  tokens.set(token.id, token)
  return token
}

function accessOf(token: TokenRecord, baseUrl: string): object {
  const service = (type: string, name: string, path: string): object => ({
    type,
    name,
    endpoints: [{ region: NHN.region, publicURL: `${baseUrl}${path}` }],
  })
  return {
    access: {
      token: {
        id: token.id,
        issued_at: microseconds(token.issuedAtMs),
        expires: secondsZ(token.expiresAtMs),
        tenant: TENANT,
      },
      serviceCatalog: [
        service('compute', 'nova', `/compute/v2/${NHN.tenantId}`),
        service('image', 'glance', '/image'),
        service('volumev2', 'cinderv2', `/volume/v2/${NHN.tenantId}`),
        service('network', 'neutron', '/network'),
        service('identity', 'keystone', '/identity/v2.0'),
      ],
      user: { id: USER_ID, username: USER_ID, name: NHN.username, roles: [{ name: 'member' }], roles_links: [] },
      metadata: { roles: ['9fe2ff9ee4384b1894a90878d3e92bab'], is_admin: 0 },
    },
  }
}

/** What every service but identity asks first. */
export function requireToken(world: NhnWorld, request: SandboxRequest): void {
  const id = request.headers['x-auth-token']
  const token = typeof id === 'string' ? world.tokens.get(id) : undefined
  if (token !== undefined && token.expiresAtMs > world.now()) return
  const headers = { 'www-authenticate': `Keystone uri="${request.baseUrl}/identity"` }
  if (world.behaviour.unauthorizedForm === 'text') {
    throw new NhnRefusal({
      status: 401,
      headers: { ...headers, 'content-type': 'text/plain' },
      body: 'Authentication required',
    })
  }
  const refusal = keystoneError(401, 'Unauthorized', 'The request you have made requires authentication.')
  throw new NhnRefusal({ ...refusal, headers })
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
