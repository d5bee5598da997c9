import { expect } from 'chai'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import type { JWTPayload } from 'jose'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'mocha'
import { startIdentity } from '../../deploy/sandbox/identity.ts'
import type { RunningIdentity } from '../../deploy/sandbox/identity.ts'
import { IDENTITY_CLIENTS } from '../../deploy/sandbox/identity-clients.ts'

interface TokenAnswer {
  readonly access_token: string
  readonly scope?: string
  readonly error?: string
}

const basic = (client: string, secret = `${client}-secret`): string =>
  `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`

const post = async (url: string, client: string, form: Record<string, string>, secret?: string): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { authorization: basic(client, secret), connection: 'close' },
    body: new URLSearchParams(form),
  })

async function askToken(
  identity: RunningIdentity,
  client: string,
  form: Record<string, string> = {},
): Promise<TokenAnswer> {
  const answer = await post(`${identity.url}/token`, client, { grant_type: 'client_credentials', ...form })
  return (await answer.json()) as TokenAnswer
}

async function verify(identity: RunningIdentity, token: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`${identity.url}/jwks`))
  const options = { issuer: identity.url, audience: 'gpu-broker', algorithms: ['ES256'], typ: 'at+jwt' }
  return (await jwtVerify(token, keys, options)).payload
}

async function introspect(
  identity: RunningIdentity,
  token: string,
  client = 'gpu-broker',
): Promise<Record<string, unknown>> {
  const answer = await post(`${identity.url}/token/introspection`, client, { token })
  return (await answer.json()) as Record<string, unknown>
}

describe('sandbox identity provider', () => {
  let identity: RunningIdentity
  before(async () => {
    identity = await startIdentity({ dir: null, port: 0 })
  })
  after(() => identity.close())

  it('describes itself under its own address', async () => {
    const answer = await fetch(`${identity.url}/.well-known/openid-configuration`)
    expect(await answer.json()).to.include({ issuer: identity.url, token_endpoint: `${identity.url}/token` })
  })

  for (const client of IDENTITY_CLIENTS.filter(
    ({ tokenFormat, scopes }) => tokenFormat === 'jwt' && scopes.length > 0,
  )) {
    it(`gives ${client.id} a JWT with all its scopes and its claims when it names none`, async () => {
      const payload = await verify(identity, (await askToken(identity, client.id)).access_token)
      expect(payload).to.deep.include({ client_id: client.id, scope: client.scopes.join(' '), ...client.claims })
      expect('organization_id' in payload).to.equal(client.id === 'kaist')
      expect('provider_id' in payload).to.equal(client.id === 'nhn-staff')
    })
  }

  it('gives only the scope that was asked for', async () => {
    const asked = { scope: 'catalog:read', resource: 'urn:gpu-broker' }
    const payload = await verify(identity, (await askToken(identity, 'platform', asked)).access_token)
    expect(payload['scope']).to.equal('catalog:read')
  })

  it('gives all scopes when only the resource is named', async () => {
    const payload = await verify(
      identity,
      (await askToken(identity, 'auditor', { resource: 'urn:gpu-broker' })).access_token,
    )
    expect(payload['scope']).to.equal('catalog:read usage:read audit:read')
  })

  it('refuses a scope that the client may not have', async () => {
    expect(await askToken(identity, 'auditor', { scope: 'operations:write' })).to.include({ error: 'invalid_scope' })
  })

  it('refuses a wrong secret', async () => {
    const answer = await post(`${identity.url}/token`, 'platform', { grant_type: 'client_credentials' }, 'wrong')
    expect(answer.status).to.equal(401)
  })

  it('takes the secret in the form as well as in the header', async () => {
    const form = { grant_type: 'client_credentials', client_id: 'sre', client_secret: 'sre-secret' }
    const answer = await fetch(`${identity.url}/token`, { method: 'POST', body: new URLSearchParams(form) })
    expect(answer.status).to.equal(200)
  })

  it('gives an opaque token that only introspection can read', async () => {
    const { access_token: token } = await askToken(identity, 'opaque')
    expect(token).not.to.include('.')
    expect(await introspect(identity, token)).to.include({
      active: true,
      client_id: 'opaque',
      aud: 'gpu-broker',
      iss: identity.url,
    })
    expect(await introspect(identity, token, 'sre')).to.deep.equal({ active: false })
  })

  it('reports a revoked opaque token as inactive', async () => {
    const { access_token: token } = await askToken(identity, 'opaque')
    await post(`${identity.url}/token/revocation`, 'opaque', { token })
    expect(await introspect(identity, token)).to.deep.equal({ active: false })
  })

  it('signs with a new key after a rotation, and the old tokens still verify', async () => {
    const { access_token: old } = await askToken(identity, 'platform')
    expect((await fetch(`${identity.url}/_sandbox/rotate-keys`, { method: 'POST' })).status).to.equal(204)
    const { access_token: fresh } = await askToken(identity, 'platform')
    expect(decodeProtectedHeader(fresh).kid).not.to.equal(decodeProtectedHeader(old).kid)
    await verify(identity, old)
    await verify(identity, fresh)
  })

  it('no longer vouches for tokens of a withdrawn key', async () => {
    const { access_token: old } = await askToken(identity, 'platform')
    identity.rotateKeys({ withdraw: true })
    const failure = await verify(identity, old).catch((error: { code: string }) => error.code)
    expect(failure).to.equal('ERR_JWKS_NO_MATCHING_KEY')
  })
})

describe('sandbox identity provider, started again', () => {
  it('still vouches for JWTs and opaque tokens issued before', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sandbox-'))
    try {
      const first = await startIdentity({ dir, port: 0 })
      const jwt = await askToken(first, 'platform')
      const opaque = await askToken(first, 'opaque')
      await first.close()
      const second = await startIdentity({ dir, port: first.port })
      expect(await verify(second, jwt.access_token)).to.include({ client_id: 'platform' })
      expect(await introspect(second, opaque.access_token)).to.include({ active: true })
      await second.close()
    } finally {
      await rm(dir, { recursive: true })
    }
  })
})
