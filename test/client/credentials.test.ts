import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { clientCredentials } from '../../broker/client/credentials.ts'
import { TokenError } from '../../broker/client/problem-error.ts'
import { type Loopback, startLoopback } from './loopback.ts'

const LIFE_SECONDS = 600
const JSON_TYPE = { 'content-type': 'application/json' }

describe('the token source', () => {
  let issuer: Loopback
  let refuses = false
  let nowMs = 0
  const now = (): number => nowMs
  const tokensAsked = (): number => issuer.received.filter(({ path }) => path === '/token').length
  const source = (clientSecret = 'platform-secret') =>
    clientCredentials({ issuer: issuer.url, clientId: 'platform', clientSecret, now })

  beforeEach(async () => {
    refuses = false
    nowMs = 0
    issuer = await startLoopback(({ path }) => {
      if (path === '/.well-known/openid-configuration') {
        return { json: { issuer: issuer.url, token_endpoint: `${issuer.url}/token` } }
      }
      if (refuses)
        return { status: 400, headers: JSON_TYPE, json: { error: 'invalid_scope', error_description: 'no such scope' } }
      return { json: { access_token: `token-${tokensAsked()}`, token_type: 'bearer', expires_in: LIFE_SECONDS } }
    }, readText)
  })
  afterEach(() => issuer.close())

  it('uses a token again until shortly before it runs out', async () => {
    const tokens = source()
    expect(await tokens.token()).to.equal('token-1')
    nowMs = (LIFE_SECONDS - 31) * 1_000
    expect(await tokens.token()).to.equal('token-1')
    nowMs = (LIFE_SECONDS - 29) * 1_000
    expect(await tokens.token()).to.equal('token-2')
  })

  it('asks once for callers at the same time', async () => {
    const tokens = source()
    expect(await Promise.all([tokens.token(), tokens.token(), tokens.token()])).to.deep.equal([
      'token-1',
      'token-1',
      'token-1',
    ])
    expect(tokensAsked()).to.equal(1)
  })

  it('asks for another after one was refused, but not for an older one’s sake', async () => {
    const tokens = source()
    const first = await tokens.token()
    expect(tokens.forget(first)).to.be.true
    expect(await tokens.token()).to.equal('token-2')
    tokens.forget(first)
    expect(await tokens.token()).to.equal('token-2')
  })

  it('identifies itself with its id and secret, and asks for no scope unless told', async () => {
    await source('s3cret').token()
    const asked = issuer.received.find(({ path }) => path === '/token')
    const basic = Buffer.from('platform:s3cret').toString('base64')
    expect(asked?.headers.authorization).to.equal(`Basic ${basic}`)
    expect(asked?.body).to.equal('grant_type=client_credentials')
  })

  it('says from whom no token was to be had and why, and never the secret', async () => {
    refuses = true
    const tokens = source('s3cret')
    const error: unknown = await tokens.token().catch((cause: unknown) => cause)
    expect(error).to.be.instanceOf(TokenError)
    expect(error).to.have.property('message', `No token for platform from ${issuer.url}: no such scope.`)
  })

  it('does not keep a failure', async () => {
    refuses = true
    const tokens = source()
    await tokens.token().catch(() => null)
    refuses = false
    expect(await tokens.token()).to.match(/^token-/)
  })

  it('does not send a secret over plain http to another machine', async () => {
    const tokens = clientCredentials({ issuer: 'http://issuer.example', clientId: 'platform', clientSecret: 's' })
    const error: unknown = await tokens.token().catch((cause: unknown) => cause)
    expect(error)
      .to.be.instanceOf(TokenError)
      .with.property('message')
      .that.includes('only requests to HTTPS are allowed')
  })
})

const readText = (text: string): unknown => text
