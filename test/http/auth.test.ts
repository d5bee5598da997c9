import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { after, before, beforeEach, describe, it } from 'mocha'
import { type Authenticate, createAuthenticator } from '../../broker/http/auth.ts'
import { secretOf } from '../../deploy/sandbox/identity-clients.ts'
import { type RunningIdentity, startIdentity } from '../../deploy/sandbox/identity.ts'
import { type ForgingIssuer, startForgingIssuer } from '../support/forging-issuer.ts'
import { freePort } from '../support/free-port.ts'
import { refusalFrom } from '../support/refusal-of.ts'

const TOKEN_TTL_SECONDS = 600
const AUDIENCE = 'gpu-broker'

describe('tokens of a real OpenID provider', () => {
  let identity: RunningIdentity
  let nowMs: number
  let failures: unknown[]
  before(async () => {
    identity = await startIdentity({ dir: null, port: 0, tokenTtlSeconds: TOKEN_TTL_SECONDS })
  })
  after(() => identity.close())
  beforeEach(() => {
    nowMs = Date.now()
    failures = []
  })

  const authenticator = (options: Partial<Parameters<typeof createAuthenticator>[0]> = {}): Authenticate =>
    createAuthenticator({
      issuer: identity.url,
      audience: AUDIENCE,
      introspection: { clientId: 'gpu-broker', clientSecret: secretOf('gpu-broker') },
      allowInsecureLoopback: true,
      now: () => nowMs,
      onFailure: (cause) => void failures.push(cause),
      ...options,
    })

  async function tokenOf(clientId: string): Promise<string> {
    const response = await fetch(`${identity.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secretOf(clientId)}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token: token } = (await response.json()) as { access_token: string }
    return token
  }

  async function refused(authenticate: Authenticate, header: string | undefined): Promise<string> {
    const refusal = await refusalFrom(authenticate(header))
    return `${refusal.code}: ${refusal.message}`
  }

  it('name the client, its scopes and what it is bound to', async () => {
    const authenticate = authenticator()
    const kaist = await authenticate(`Bearer ${await tokenOf('kaist')}`)
    expect(kaist).to.include({ clientId: 'kaist', organizationId: 'kaist', providerId: null })
    expect([...kaist.scopes]).to.have.members(['catalog:read', 'allocations:read', 'allocations:write', 'usage:read'])
    const staff = await authenticate(`bearer  ${await tokenOf('nhn-staff')}`)
    expect(staff).to.include({ clientId: 'nhn-staff', organizationId: null, providerId: 'nhn' })
  })

  it('may be opaque', async () => {
    const caller = await authenticator()(`Bearer ${await tokenOf('opaque')}`)
    expect(caller).to.include({ clientId: 'opaque', organizationId: null })
    expect(caller.scopes.has('operations:write')).to.equal(true)
  })

  it('that are opaque are refused without introspection', async () => {
    const authenticate = authenticator({ introspection: null })
    expect(await refused(authenticate, `Bearer ${await tokenOf('opaque')}`)).to.match(/^unauthorized: .*not a JWT/)
  })

  it('that nobody issued are refused', async () => {
    expect(await refused(authenticator(), 'Bearer made-up')).to.equal('unauthorized: The token is not active.')
  })

  it('are asked about so many at a time, so that made-up ones cannot take all there is', async () => {
    const authenticate = authenticator()
    await authenticate(`Bearer ${await tokenOf('opaque')}`) // the issuer is known from here on
    const answers = await Promise.all(
      Array.from({ length: 66 }, (_, nth) => refused(authenticate, `Bearer made-up-${nth}`)),
    )
    const ofKind = (code: string): number => answers.filter((answer) => answer.startsWith(code)).length
    expect([ofKind('unauthorized'), ofKind('unavailable')]).to.deep.equal([64, 2])
    expect(await refused(authenticate, 'Bearer made-up-again')).to.match(/^unauthorized/)
  })

  it('expire, whether JWT or opaque', async () => {
    const authenticate = authenticator()
    for (const client of ['platform', 'opaque']) {
      const header = `Bearer ${await tokenOf(client)}`
      await authenticate(header)
      nowMs += (TOKEN_TTL_SECONDS + 60) * 1_000
      expect(await refused(authenticate, header)).to.equal('unauthorized: The token has expired.')
      nowMs = Date.now()
    }
  })

  for (const [client, kind, ms] of [
    ['opaque', 'that are opaque', 60_000],
    ['platform', 'that are JWTs', 30_000],
  ] as const) {
    it(`${kind} are remembered for ${ms / 1_000} s, and no longer`, async () => {
      const authenticate = authenticator()
      const header = `Bearer ${await tokenOf(client)}`
      const first = await authenticate(header)
      nowMs += ms - 1_000
      expect(await authenticate(header)).to.equal(first)
      nowMs += 2_000
      expect(await authenticate(header)).not.to.equal(first)
    })
  }

  it('that were revoked are refused after a minute at most', async () => {
    const authenticate = authenticator()
    const token = await tokenOf('opaque')
    await authenticate(`Bearer ${token}`)
    await fetch(`${identity.url}/token/revocation`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`opaque:${secretOf('opaque')}`).toString('base64')}` },
      body: new URLSearchParams({ token }),
    })
    nowMs += 61_000
    expect(await refused(authenticate, `Bearer ${token}`)).to.equal('unauthorized: The token is not active.')
  })

  it('are for another audience unless they say otherwise', async () => {
    const authenticate = authenticator({ audience: 'somebody-else' })
    for (const client of ['platform', 'opaque']) {
      expect(await refused(authenticate, `Bearer ${await tokenOf(client)}`)).to.match(/^unauthorized: .*aud/)
    }
  })

  it('verify as soon as the issuer has changed its keys', async () => {
    const authenticate = authenticator()
    await authenticate(`Bearer ${await tokenOf('platform')}`)
    identity.rotateKeys()
    expect(await authenticate(`Bearer ${await tokenOf('platform')}`)).to.include({ clientId: 'platform' })
  })

  it('are taken for a minute at most after their key was withdrawn, were they seen before or not', async () => {
    const authenticate = authenticator()
    const [seen, late, never] = [await tokenOf('platform'), await tokenOf('sre'), await tokenOf('kaist')]
    await authenticate(`Bearer ${seen}`)
    identity.rotateKeys({ withdraw: true })
    nowMs += 29_000
    expect(await authenticate(`Bearer ${late}`), 'the keys are half a minute old at most').to.include({
      clientId: 'sre',
    })
    nowMs += 2_000
    for (const token of [seen, never]) expect(await refused(authenticate, `Bearer ${token}`)).to.match(/^unauthorized/)
    nowMs += 29_000
    expect(await refused(authenticate, `Bearer ${late}`)).to.equal(
      'unauthorized: The token’s signature cannot be verified.',
    )
  })

  it('answer 503, not 401, when introspection itself is refused', async () => {
    const authenticate = authenticator({ introspection: { clientId: 'gpu-broker', clientSecret: 'wrong' } })
    expect(await refused(authenticate, `Bearer ${await tokenOf('opaque')}`)).to.match(/^unavailable/)
    expect(failures).to.have.length(1)
  })

  const headers: readonly [string, string | undefined, RegExp][] = [
    ['that are missing', undefined, /^unauthorized: This needs an access token/],
    ['of another scheme', 'Basic cGxhdGZvcm06eA==', /^unauthorized: This needs an access token/],
    ['that are empty', 'Bearer ', /^unauthorized: The Authorization header holds no bearer token/],
    ['that are two', 'Bearer a b', /^unauthorized: The Authorization header holds no bearer token/],
    ['that are too long', `Bearer ${'x'.repeat(16 * 1024)}`, /^unauthorized: The token is too long/],
  ]
  for (const [rule, header, sentence] of headers) {
    it(`are refused ${rule}`, async () => expect(await refused(authenticator(), header)).to.match(sentence))
  }

  describe('when the issuer does not answer', () => {
    it('are refused as unavailable at first, and verified once it answers', async () => {
      const port = await freePort()
      const authenticate = authenticator({ issuer: `http://127.0.0.1:${port}` })
      expect(await refused(authenticate, `Bearer ${await tokenOf('platform')}`)).to.match(/^unavailable/)
      expect(failures).not.to.be.empty
      const late = await startIdentity({ dir: null, port })
      try {
        nowMs += 2_000
        const here = identity
        identity = late
        const token = await tokenOf('platform').finally(() => {
          identity = here
        })
        expect(await authenticate(`Bearer ${token}`)).to.include({ clientId: 'platform' })
      } finally {
        await late.close()
      }
    })

    it('go on being verified with known keys for a day; opaque ones are unavailable', async () => {
      const here = identity
      const other = await startIdentity({ dir: null, port: 0, tokenTtlSeconds: 200_000 })
      identity = other
      try {
        const authenticate = authenticator()
        const [first, second, opaque] = await Promise.all([tokenOf('platform'), tokenOf('sre'), tokenOf('opaque')])
        await authenticate(`Bearer ${first}`)
        await other.close()
        nowMs += 20 * 3_600_000
        expect(await authenticate(`Bearer ${second}`)).to.include({ clientId: 'sre' })
        expect(await refused(authenticate, `Bearer ${opaque}`)).to.match(/^unavailable/)
        nowMs += 5 * 3_600_000
        expect(await refused(authenticate, `Bearer ${first}`)).to.match(/^unavailable/)
      } finally {
        identity = here
      }
    })
  })
})

describe('JWTs that somebody made up or meant for another use', () => {
  let issuer: ForgingIssuer
  before(async () => {
    issuer = await startForgingIssuer()
  })
  after(() => issuer.close())

  const authenticate = (token: string) =>
    createAuthenticator({
      issuer: issuer.url,
      audience: AUDIENCE,
      introspection: null,
      allowInsecureLoopback: true,
      now: Date.now,
      onFailure: () => {},
    })(`Bearer ${token}`)

  it('are not refused when nothing is wrong with them', async () => {
    expect(await authenticate(await issuer.sign())).to.include({ clientId: 'someone', organizationId: null })
    expect(await authenticate(await issuer.sign({}, { typ: 'JWT' }))).to.include({ clientId: 'someone' })
  })

  it('may name the client and the scopes as other issuers do', async () => {
    const claims = { client_id: undefined, azp: 'portal', scope: undefined, scp: ['catalog:read'] }
    const caller = await authenticate(await issuer.sign(claims))
    expect([caller.clientId, ...caller.scopes]).to.deep.equal(['portal', 'catalog:read'])
  })

  const nowSeconds = Math.floor(Date.now() / 1_000)
  const wrongClaims: readonly [string, Readonly<Record<string, unknown>>][] = [
    ['of another audience', { aud: 'else' }],
    ['without an audience', { aud: undefined }],
    ['of another issuer', { iss: 'http://127.0.0.1:1' }],
    ['that have expired', { exp: nowSeconds - 60 }],
    ['that never expire', { exp: undefined }],
    ['that are not valid yet', { nbf: nowSeconds + 3_600 }],
    ['that name no client', { client_id: undefined, sub: undefined }],
    ['whose client could break a log line', { client_id: 'a\nb' }],
    ['that are ID tokens by their nonce', { nonce: 'x' }],
    ['that are ID tokens by their name', { token_use: 'id' }],
    ['that are refresh tokens', { typ: 'Refresh' }],
    ['that are bound to a key', { cnf: { jkt: 'x' } }],
    ['whose organisation is empty', { organization_id: '' }],
    ['whose organisation is null', { organization_id: null }],
    ['whose provider is a list', { provider_id: ['nhn'] }],
    ['whose scopes are no texts', { scope: undefined, scp: [1] }],
  ]
  for (const [rule, claims] of wrongClaims) {
    it(`are refused ${rule}`, async () => {
      expect(await refusalFrom(authenticate(await issuer.sign(claims)))).to.have.property('code', 'unauthorized')
    })
  }

  it('are refused with another type in the header', async () => {
    const token = await issuer.sign({}, { typ: 'logout+jwt' })
    expect(await refusalFrom(authenticate(token))).to.have.property('code', 'unauthorized')
  })

  it('are refused unsigned', async () => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    for (const alg of ['none', 'None', 'NONE']) {
      const token = `${encode({ alg, typ: 'at+jwt' })}.${encode(issuer.claims())}.`
      expect(await refusalFrom(authenticate(token))).to.have.property('code', 'unauthorized')
    }
  })

  it('are refused when signed with the public key as a secret', async () => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: issuer.kid })}.${encode(issuer.claims())}`
    for (const secret of [JSON.stringify(issuer.publicKey), String(issuer.publicKey['x'])]) {
      const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      expect(await refusalFrom(authenticate(token))).to.have.property('code', 'unauthorized')
    }
  })

  it('are refused when signed with a key of their own, whatever they say where it is', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = await exportJWK(publicKey)
    const own = await new SignJWT(issuer.claims())
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: issuer.kid, jwk, jku: 'http://127.0.0.1:1/keys' })
      .sign(privateKey)
    expect(await refusalFrom(authenticate(own))).to.have.property('code', 'unauthorized')
  })

  it('are refused when a claim was changed after signing', async () => {
    const [header, , signature] = (await issuer.sign()).split('.')
    const payload = Buffer.from(JSON.stringify({ ...issuer.claims(), scope: 'operations:write' })).toString('base64url')
    expect(await refusalFrom(authenticate(`${header}.${payload}.${signature}`))).to.have.property(
      'code',
      'unauthorized',
    )
  })
})
