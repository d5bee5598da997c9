import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { aServer, startNhn } from './nhn-client.ts'
import type { NhnClient } from './nhn-client.ts'

const TENANT = '0123456789abcdef0123456789abcdef'
const login = {
  tenantId: TENANT,
  passwordCredentials: { username: 'gpu-broker@sandbox.example', password: 'sandbox-nhn-password-not-a-secret' },
}

describe('simulated NHN Cloud: who may ask, and what', () => {
  let nhn: NhnClient
  beforeEach(async () => {
    nhn = await startNhn()
  })
  afterEach(() => nhn.close())

  describe('tokens', () => {
    it('come with a catalogue whose addresses are this operator’s own', async () => {
      const { status, body } = await nhn.login(login)
      const compute = body.access.serviceCatalog.find(({ type }) => type === 'compute')
      expect(status).to.equal(200)
      expect(compute?.endpoints).to.deep.equal([{ region: 'KR1', publicURL: `${nhn.url}/compute/v2/${TENANT}` }])
    })

    it('tell when they were issued without a zone, and when they expire with one', async () => {
      const { token } = (await nhn.login(login)).body.access
      expect(token.issued_at).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
      expect(token.expires).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    })

    for (const [what, wrong] of [
      ['a wrong password', { ...login, passwordCredentials: { ...login.passwordCredentials, password: 'x' } }],
      ['an unknown user', { ...login, passwordCredentials: { ...login.passwordCredentials, username: 'x' } }],
      ['another tenant', { ...login, tenantId: 'f'.repeat(32) }],
    ] as const) {
      it(`are not issued for ${what}`, async () => {
        const { status, body } = await nhn.login(wrong)
        expect([status, body.error.code, body.error.title]).to.deep.equal([401, 401, 'Unauthorized'])
      })
    }

    it('are issued for the name of a tenant as well, and for none without one', async () => {
      const { passwordCredentials } = login
      expect((await nhn.login({ tenantName: TENANT, passwordCredentials })).status).to.equal(200)
      expect((await nhn.login({ passwordCredentials })).status).to.equal(401)
    })

    it('are not issued for a body that Keystone cannot read', async () => {
      expect((await nhn.login({ tenantId: TENANT })).body.error.code).to.equal(400)
    })

    it('hold for twelve hours', async () => {
      await nhn.hours(11)
      expect((await nhn.call('GET', '/compute/servers')).status).to.equal(200)
      await nhn.hours(12)
      const late = await nhn.call('GET', '/compute/servers')
      expect([late.status, late.body.error.message]).to.deep.equal([
        401,
        'The request you have made requires authentication.',
      ])
      expect(late.headers.get('www-authenticate')).to.include('Keystone uri=')
    })

    it('hold as long as told, and a refusal can be plain text', async () => {
      await nhn.control('behaviour', { tokenTtlMs: 0, unauthorizedForm: 'text' })
      await nhn.signIn()
      const answer = await fetch(`${nhn.url}/image/v2/images`, { headers: { 'x-auth-token': nhn.token() } })
      expect([answer.status, await answer.text()]).to.deep.equal([401, 'Authentication required'])
    })

    it('are asked for by every service', async () => {
      for (const path of [
        `/compute/v2/${TENANT}/servers`,
        `/volume/v2/${TENANT}/volumes`,
        '/image/v2/images',
        '/network/v2.0/vpcs',
      ]) {
        expect((await fetch(`${nhn.url}${path}`)).status, path).to.equal(401)
      }
    })

    it('open one tenant only', async () => {
      const answer = await nhn.raw('GET', `/compute/v2/${'e'.repeat(32)}/servers`)
      expect([answer.status, Object.keys(answer.body)]).to.deep.equal([400, ['badRequest']])
    })
  })

  describe('a request', () => {
    for (const [what, change, status, words] of [
      [
        'without a block device mapping',
        { block_device_mapping_v2: undefined },
        400,
        'Missing Block Device Mapping attribute',
      ],
      [
        'with a local root disk',
        { block_device_mapping_v2: [{ ...aServer.block_device_mapping_v2[0], destination_type: 'local' }] },
        403,
        'zero disk',
      ],
      ['with an unknown flavor', { flavorRef: 'x' }, 400, 'Invalid flavorRef'],
      ['with an unknown image', { imageRef: 'x' }, 400, 'Can not find requested image'],
      ['with an unknown key pair', { key_name: 'x' }, 400, 'Invalid key_name'],
      ['with an unknown zone', { availability_zone: 'kr1-pub-a' }, 400, 'availability zone is not available'],
      ['with an unknown network', { networks: [{ uuid: 'x' }] }, 400, 'Network x could not be found.'],
      ['with an unknown security group', { security_groups: [{ name: 'x' }] }, 400, 'Unable to find security_group'],
      ['with user data that is not base64', { user_data: '#!/bin/sh' }, 400, 'valid base 64'],
      ['with too much user data', { user_data: 'A'.repeat(65_536) }, 400, 'User data too large'],
      ['with too long metadata', { metadata: { a: 'x'.repeat(256) } }, 400, 'Invalid input for field/attribute a'],
      ['without a name', { name: undefined }, 400, 'Invalid input for field/attribute name'],
      [
        'with a volume too small for the image',
        { block_device_mapping_v2: [{ ...aServer.block_device_mapping_v2[0], volume_size: 10 }] },
        400,
        'minDisk size 20GB',
      ],
    ] as const) {
      it(`${what} is refused and makes nothing`, async () => {
        const answer = await nhn.create(change)
        const [fault] = Object.values(answer.body) as unknown as [{ code: number; message: string }]
        expect([answer.status, fault.code]).to.deep.equal([status, status])
        expect(fault.message).to.include(words)
        expect(await nhn.ledger()).to.deep.equal({ nodes: [], others: [] })
      })
    }

    it('to an unknown path gets Nova’s 404, and a wrong method its 405', async () => {
      expect((await nhn.call('GET', '/compute/nothing')).body).to.have.property('itemNotFound')
      expect((await nhn.call('PATCH', '/compute/servers')).body).to.have.property('badMethod')
    })

    it('beyond the rate gets overLimit and is told when to come back', async () => {
      await nhn.control('behaviour', { ratePerSecond: 1 })
      const answers = await Promise.all([1, 2, 3].map(async () => nhn.call('GET', '/compute/servers')))
      const refused = answers.find(({ status }) => status === 429)
      expect([refused?.body.overLimit.code, refused?.headers.get('retry-after')]).to.deep.equal([429, '1'])
    })

    it('for the unversioned address gets the version documents', async () => {
      expect(await (await fetch(`${nhn.url}/identity/`)).json()).to.have.nested.property(
        'versions.values[0].id',
        'v2.0',
      )
      expect(await (await fetch(`${nhn.url}/network`)).json()).to.have.nested.property(
        'versions[0].links[0].href',
        `${nhn.url}/network/v2.0/`,
      )
      expect((await fetch(nhn.url)).status).to.equal(200)
    })
  })
})
