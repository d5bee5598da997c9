import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { USER_ID, VIEWER_KEY } from '../../deploy/sandbox/kakao-seed.ts'
import { KAKAO } from '../../deploy/sandbox/settings.ts'
import { aNode, credentials, INSTANCES, OWN_KEY, startKakao } from './kakao-client.ts'
import type { KakaoClient } from './kakao-client.ts'

const TOKENS = '/iam/identity/v3/auth/tokens'
const HOUR_MS = 3_600_000

describe('sandbox kakao: identity', () => {
  let kakao: KakaoClient
  beforeEach(async () => {
    kakao = await startKakao()
  })
  afterEach(() => kakao.close())

  const withToken = async (token: string, call = `GET ${INSTANCES}`) =>
    kakao.raw(call, { headers: { 'x-auth-token': token } })

  it('gives a token in a header and twelve hours of life in the body, for id and secret', async () => {
    const answer = await kakao.raw(`POST ${TOKENS}`, { body: OWN_KEY })
    expect(answer.status).to.equal(201)
    expect(answer.headers.get('x-subject-token')).to.match(/^gAAAA/)
    const life = Date.parse(String(answer.get('token.expires_at'))) - Date.parse(String(answer.get('token.issued_at')))
    expect(life).to.equal(12 * HOUR_MS)
    expect(answer.get('token.project.id')).to.equal(KAKAO.projectId)
    expect((await withToken(answer.headers.get('x-subject-token') ?? '')).status).to.equal(200)
  })

  it('gives a token for name, user and secret too', async () => {
    const body = credentials({ name: 'sandbox-broker', secret: KAKAO.accessKeySecret, user: { id: USER_ID } })
    expect((await kakao.raw(`POST ${TOKENS}`, { body })).status).to.equal(201)
  })

  for (const [what, body, status] of [
    ['a wrong secret', credentials({ id: KAKAO.accessKeyId, secret: 'wrong' }), 401],
    ['an unknown key', credentials({ id: 'nobody', secret: KAKAO.accessKeySecret }), 401],
    [
      'a name with another user',
      credentials({ name: 'sandbox-broker', secret: KAKAO.accessKeySecret, user: { id: 'x' } }),
      401,
    ],
    ['a password', { auth: { identity: { methods: ['password'] } } }, 401],
    ['something else', { hello: 'there' }, 400],
    ['what is not JSON', '{', 400],
  ] as const) {
    it(`refuses ${what} in Keystone's shape, with an integer for a code`, async () => {
      const answer = await kakao.raw(`POST ${TOKENS}`, { body })
      expect(answer.status).to.equal(status)
      expect(answer.get('error.code')).to.equal(status)
      expect(answer.get('error.title')).to.equal(status === 401 ? 'Unauthorized' : 'Bad Request')
      expect(answer.headers.has('x-subject-token')).to.equal(false)
    })
  }

  it('refuses services without a token, with a forged one and with an altered one, in their own shape', async () => {
    const good = await kakao.token()
    const [contents = '', mark = ''] = good.split('.')
    const altered = Buffer.from(contents.slice('gAAAAA'.length), 'base64url')
      .toString()
      .replace('expiresAt":1', 'expiresAt":9')
    const forged = [`${good}x`, 'gAAAAAnonsense', `gAAAAA${Buffer.from(altered).toString('base64url')}.${mark}`]
    const answers = await Promise.all([kakao.raw(`GET ${INSTANCES}`), ...forged.map((token) => withToken(token))])
    for (const answer of answers) {
      expect(answer.status).to.equal(401)
      expect(answer.get('error.code')).to.equal('Unauthorized')
      expect(answer.get('error.message')).to.be.a('string')
    }
  })

  it('refuses a token from the instant on which it expires', async () => {
    await kakao.control('behaviour', { tokenTtlMs: 60_000 })
    const token = await kakao.token()
    await kakao.at(30_000)
    expect((await withToken(token)).status).to.equal(200)
    await kakao.at(60_000)
    expect((await withToken(token)).status).to.equal(401)
  })

  it('tells what a token says to who holds one, and 404 of one that has expired', async () => {
    await kakao.control('behaviour', { tokenTtlMs: 60_000 })
    const old = await kakao.token()
    await kakao.control('behaviour', { tokenTtlMs: null })
    const fresh = (await kakao.raw(`POST ${TOKENS}`, { body: OWN_KEY })).headers.get('x-subject-token') ?? ''
    const check = async (subject: string) =>
      kakao.raw(`GET ${TOKENS}`, { headers: { 'x-auth-token': fresh, 'x-subject-token': subject } })
    expect((await check(old)).get('token.user.id')).to.equal(USER_ID)
    await kakao.at(60_000)
    const answer = await check(old)
    expect([answer.status, answer.get('error.code')]).to.deep.equal([404, 404])
  })

  it('refuses a token that was revoked early', async () => {
    const token = await kakao.token()
    const revoked = await kakao.raw(`DELETE ${TOKENS}`, {
      headers: { 'x-auth-token': token, 'x-subject-token': token },
    })
    expect(revoked.status).to.equal(204)
    expect((await withToken(token)).status).to.equal(401)
  })

  it('lets a viewer read and answers 403 to its writes', async () => {
    const body = credentials({ id: VIEWER_KEY.id, secret: VIEWER_KEY.secret })
    const token = (await kakao.raw(`POST ${TOKENS}`, { body })).headers.get('x-subject-token') ?? ''
    expect((await withToken(token)).status).to.equal(200)
    const answer = await kakao.raw(`POST ${INSTANCES}`, { body: aNode(), headers: { 'x-auth-token': token } })
    expect([answer.status, answer.get('error.code')]).to.deep.equal([403, 'Forbidden'])
    expect((await kakao.ledger()).nodes).to.deep.equal([])
  })

  it('forgets every token with a reset', async () => {
    const token = await kakao.token()
    expect((await kakao.raw('POST /_sandbox/reset')).status).to.equal(204)
    expect((await withToken(token)).status).to.equal(401)
  })

  it('resolves where each service is, in an envelope of its own, for holders of a token', async () => {
    expect((await kakao.raw('GET /heimdall/api/v1/client-endpoints/resolve')).status).to.equal(401)
    const endpoints = await kakao.call('GET /heimdall/api/v1/client-endpoints/resolve')
    expect(endpoints.get('success')).to.equal(true)
    expect(endpoints.get('data.service_endpoints')).to.include({ bcs: `${kakao.url}/bcs`, iam: `${kakao.url}/iam` })
    const zones = await kakao.call('GET /heimdall/api/v1/az-policies/resolve')
    expect(zones.get('data.services.bcs')).to.include(KAKAO.zone)
  })
})
