/**
 * Kakao's IAM as far as service accounts need it: Keystone v3 tokens for application credentials. A token carries its own
 * contents, signed, so it outlives a restart of the sandbox; only early revocation is remembered.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { SandboxRequest, SandboxResponse } from './harness.ts'
import { SUCCESS } from './kakao-knobs.ts'
import { ACCESS_KEYS, DOMAIN, PROJECT_NAME, USER_ID } from './kakao-seed.ts'
import type { AccessKey } from './kakao-seed.ts'
import { tokenKey } from './kakao-state.ts'
import type { KakaoState } from './kakao-state.ts'
import { keystoneError, parseBody, SchemaRefusal } from './kakao-wire.ts'
import { KAKAO } from './settings.ts'

const TOKENS_PATH = '/iam/identity/v3/auth/tokens'
const DEFAULT_TTL_MS = 12 * 3_600_000
/** What Keystone's own tokens begin with. */
const TOKEN_START = 'gAAAAA'

const ApplicationCredential = z.union([
  z.object({ id: z.string(), secret: z.string() }),
  z.object({ name: z.string(), secret: z.string(), user: z.object({ id: z.string() }) }),
])
const AuthRequest = z.object({
  auth: z.object({
    identity: z.object({
      methods: z.array(z.string()).min(1),
      application_credential: ApplicationCredential.optional(),
    }),
  }),
})

/** What a token says. */
interface Grant {
  readonly id: string
  readonly keyId: string
  readonly issuedAt: number
  readonly expiresAt: number
}

const UNAUTHENTICATED = 'The request you have made requires authentication.'

export function answerIdentity(state: KakaoState, request: SandboxRequest): SandboxResponse {
  const { method, path } = request
  if (path === TOKENS_PATH && method === 'POST') return issue(state, request)
  const caller = grantOf(state, header(request, 'x-auth-token'))
  if (caller === null) return keystoneError(401, UNAUTHENTICATED)
  if (path === TOKENS_PATH && (method === 'GET' || method === 'DELETE')) {
    const subject = header(request, 'x-subject-token')
    const grant = grantOf(state, subject)
    if (grant === null || subject === null) return keystoneError(404, 'Could not find token.')
    if (method === 'GET') return shown(grant, subject, SUCCESS.other)
    state.revokedTokens.set(grant.id, grant.expiresAt)
    return { status: SUCCESS.remove }
  }
  if (path === `/iam/identity/v3/users/${USER_ID}/projects` && method === 'GET')
    return { status: SUCCESS.other, body: { projects: [projectView()], links: { next: null, previous: null } } }
  return keystoneError(404, 'The resource could not be found.')
}

/** The access key that a service call's token stands for; null where it is missing, forged, expired or revoked. */
export function authenticated(state: KakaoState, request: SandboxRequest): AccessKey | null {
  const grant = grantOf(state, header(request, 'x-auth-token'))
  return ACCESS_KEYS.find(({ id }) => id === grant?.keyId) ?? null
}

function issue(state: KakaoState, { body }: SandboxRequest): SandboxResponse {
  let asked: z.infer<typeof AuthRequest>
  try {
    asked = parseBody(body, AuthRequest)
  } catch (error) {
    if (error instanceof SchemaRefusal)
      return keystoneError(400, `Expecting to find a valid auth request: ${error.message}`)
    throw error
  }
  const { methods, application_credential: credential } = asked.auth.identity
  const key = methods.length === 1 && methods[0] === 'application_credential' ? keyOf(credential) : null
  if (key === null) return keystoneError(401, UNAUTHENTICATED)
  const now = state.context.now()
  const grant: Grant = {
    id: randomBytes(16).toString('base64url'),
    keyId: key.id,
    issuedAt: now,
    expiresAt: now + (state.context.behaviour.tokenTtlMs ?? DEFAULT_TTL_MS),
  }
  return shown(grant, signed(state, grant), SUCCESS.token)
}

function keyOf(credential: z.infer<typeof ApplicationCredential> | undefined): AccessKey | null {
  if (credential === undefined) return null
  const named = ACCESS_KEYS.find((key) =>
    'id' in credential ? key.id === credential.id : key.name === credential.name && credential.user.id === USER_ID,
  )
  return named !== undefined && equal(named.secret, credential.secret) ? named : null
}

function signed(state: KakaoState, grant: Grant): string {
  const contents = Buffer.from(JSON.stringify(grant)).toString('base64url')
  return `${TOKEN_START}${contents}.${signature(state, contents)}`
}

const signature = (state: KakaoState, contents: string): string =>
  createHmac('sha256', tokenKey(state)).update(contents).digest('base64url')

function grantOf(state: KakaoState, token: string | null): Grant | null {
  if (token === null || !token.startsWith(TOKEN_START)) return null
  const [contents = '', mark = ''] = token.slice(TOKEN_START.length).split('.')
  if (!equal(signature(state, contents), mark)) return null
  const grant = JSON.parse(Buffer.from(contents, 'base64url').toString('utf8')) as Grant // signed by this file
  return state.context.now() < grant.expiresAt && !state.revokedTokens.has(grant.id) ? grant : null
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function header({ headers }: SandboxRequest, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}

function shown(grant: Grant, token: string, status: number): SandboxResponse {
  const key = ACCESS_KEYS.find(({ id }) => id === grant.keyId)
  return {
    status,
    headers: { 'x-subject-token': token, vary: 'X-Auth-Token' },
    body: {
      token: {
        methods: ['application_credential'],
        expires_at: microseconds(grant.expiresAt),
        issued_at: microseconds(grant.issuedAt),
        audit_ids: [grant.id],
        is_domain: false,
        user: { id: USER_ID, name: 'sandbox-service-account', domain: DOMAIN, password_expires_at: null },
        project: projectView(),
        roles: [{ id: '0f0e0d0c0b0a09080706050403020100', name: key?.role, domain_id: null }],
        catalog: [],
        application_credential: { id: grant.keyId, name: key?.name, restricted: true, access_rules: [] },
      },
    },
  }
}

const projectView = (): object => ({ id: KAKAO.projectId, name: PROJECT_NAME, domain: DOMAIN })

/** Keystone writes six digits of a second. */
const microseconds = (at: number): string => new Date(at).toISOString().replace('Z', '000Z')
