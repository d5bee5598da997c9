import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { aServer, idsOf, startNhn } from './nhn-client.ts'
import type { NhnClient, Server } from './nhn-client.ts'

const TENANT = '0123456789abcdef0123456789abcdef'
const login = {
  tenantId: TENANT,
  passwordCredentials: { username: 'gpu-broker@sandbox.example', password: 'sandbox-nhn-password-not-a-secret' },
}

describe('simulated NHN Cloud', () => {
  let nhn: NhnClient
  beforeEach(async () => {
    nhn = await startNhn()
  })
  afterEach(() => nhn.close())

  const hours = async (count: number): Promise<void> => nhn.control('clock', { offsetMs: count * 3_600_000 })
  const create = async (change: Record<string, unknown> = {}) =>
    nhn.call('POST', '/compute/servers', { server: { ...aServer, ...change } })
  const servers = async (query = ''): Promise<Server[]> =>
    (await nhn.call('GET', `/compute/servers/detail${query}`)).body.servers

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

    it('are not issued for a body that Keystone cannot read', async () => {
      expect((await nhn.login({ tenantId: TENANT })).body.error.code).to.equal(400)
    })

    it('hold for twelve hours', async () => {
      await hours(11)
      expect((await nhn.call('GET', '/compute/servers')).status).to.equal(200)
      await hours(12)
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

  describe('a server', () => {
    it('is accepted with its id and nothing of its state', async () => {
      const { status, body, headers } = await create()
      expect(status).to.equal(202)
      expect(body.server).to.have.all.keys('id', 'links', 'security_groups', 'OS-DCF:diskConfig', 'adminPass')
      expect(headers.get('location')).to.equal(`${nhn.url}/compute/v2/${TENANT}/servers/${body.server.id}`)
    })

    it('is building without an address first, and active with one when its boot time is over', async () => {
      const { id } = (await create()).body.server
      const before = await nhn.server(id)
      expect([before.status, before['OS-EXT-STS:vm_state'], before.addresses]).to.deep.equal(['BUILD', 'building', {}])
      await hours(1)
      const after = await nhn.server(id)
      expect([after.status, after['OS-EXT-STS:power_state'], Object.keys(after.addresses)]).to.deep.equal([
        'ACTIVE',
        1,
        ['sandbox-vpc-1'],
      ])
      expect(after['OS-EXT-AZ:availability_zone']).to.equal('kr-pub-a')
    })

    it('mixes the image’s metadata with the caller’s, which wins', async () => {
      const { id } = (await create({ metadata: { owner: 'me', os_type: 'mine' } })).body.server
      expect((await nhn.server(id)).metadata).to.include({
        owner: 'me',
        os_type: 'mine',
        os_distro: 'ubuntu',
        login_username: 'ubuntu',
      })
    })

    it('shows its image as an object only where the request named one', async () => {
      const { imageRef: _, ...without } = aServer
      const named = (await create()).body.server.id
      const unnamed = (await nhn.call('POST', '/compute/servers', { server: without })).body.server.id
      expect((await nhn.server(named)).image).to.include({ id: aServer.imageRef })
      expect((await nhn.server(unnamed)).image).to.equal('')
    })

    it('has links that lead to an internal host', async () => {
      const { id } = (await create()).body.server
      for (const { href } of (await nhn.server(id)).links)
        expect(href).to.match(/^http:\/\/nova\.iaas\.sandbox\.internal:8774/)
    })

    it('is still there while it is being deleted, and 404 afterwards', async () => {
      const { id } = (await create()).body.server
      expect((await nhn.call('DELETE', `/compute/servers/${id}`)).status).to.equal(204)
      expect((await nhn.server(id))['OS-EXT-STS:task_state']).to.equal('deleting')
      expect((await nhn.ledger()).nodes[0]?.deletedAt).to.equal(null)
      await hours(1)
      const gone = await nhn.call('GET', `/compute/servers/${id}`)
      expect([gone.status, gone.body.itemNotFound.message]).to.deep.equal([404, `Instance ${id} could not be found.`])
      expect((await nhn.call('DELETE', `/compute/servers/${id}`)).status).to.equal(404)
      expect((await nhn.ledger()).nodes[0]?.deletedAt).to.be.a('string')
    })

    it('stays when the deletion was a lie', async () => {
      await nhn.control('behaviour', { deleteLies: 1 })
      const { id } = (await create()).body.server
      expect((await nhn.call('DELETE', `/compute/servers/${id}`)).status).to.equal(204)
      await hours(1)
      expect((await nhn.server(id)).status).to.equal('ACTIVE')
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await hours(2)
      expect(await servers()).to.deep.equal([])
    })

    it('stops and starts, and refuses what its state does not allow', async () => {
      const { id } = (await create()).body.server
      const act = async (action: object) => nhn.call('POST', `/compute/servers/${id}/action`, action)
      expect((await act({ 'os-stop': null })).status).to.equal(409)
      await hours(1)
      const refused = await act({ 'os-start': null })
      expect(refused.body.conflictingRequest.message).to.equal(
        `Cannot 'os-start' instance ${id} while it is in vm_state active`,
      )
      expect((await act({ 'os-stop': null })).status).to.equal(202)
      expect((await nhn.server(id))['OS-EXT-STS:task_state']).to.equal('powering-off')
      await hours(2)
      expect((await nhn.server(id)).status).to.equal('SHUTOFF')
      expect((await act({ 'os-start': null })).status).to.equal(202)
      await hours(3)
      expect((await nhn.server(id)).status).to.equal('ACTIVE')
      expect((await act({ shelve: null })).status).to.equal(400)
    })

    it('has metadata that can be read, set and removed key by key', async () => {
      const { id } = (await create()).body.server
      const path = `/compute/servers/${id}/metadata/colour`
      expect((await nhn.call('GET', path)).status).to.equal(404)
      expect((await nhn.call('PUT', path, { meta: { colour: 'blue' } })).body).to.deep.equal({
        meta: { colour: 'blue' },
      })
      expect((await nhn.call('GET', path)).body).to.deep.equal({ meta: { colour: 'blue' } })
      expect((await nhn.call('PUT', path, { meta: { other: 'x' } })).status).to.equal(400)
      expect((await nhn.call('DELETE', path)).status).to.equal(204)
      expect((await nhn.server(id)).metadata).not.to.have.property('colour')
    })

    it('surfaces in lists and detail only after the lag', async () => {
      await nhn.control('behaviour', { listLagMs: 60_000 })
      const { id } = (await create()).body.server
      expect([await servers(), (await nhn.call('GET', `/compute/servers/${id}`)).status]).to.deep.equal([[], 404])
      await hours(1)
      expect(idsOf(await servers())).to.deep.equal([id])
    })
  })

  describe('a batch', () => {
    it('answers its first member only, and numbers the names from 1', async () => {
      const first = (await create({ min_count: 3, max_count: 3 })).body.server.id
      const found = await servers()
      expect(found.map(({ name }) => name).toSorted()).to.deep.equal(['node-1', 'node-2', 'node-3'])
      expect(found.find(({ id }) => id === first)?.name).to.equal('node-1')
    })

    it('of one keeps the plain name', async () => {
      await create({ min_count: 1, max_count: 1 })
      expect((await servers()).map(({ name }) => name)).to.deep.equal(['node'])
    })

    it('can number its names without a dash', async () => {
      await nhn.control('behaviour', { batchSuffix: 'plain' })
      await create({ max_count: 2 })
      expect((await servers()).map(({ name }) => name).toSorted()).to.deep.equal(['node1', 'node2'])
    })

    it('is found by its reservation when asked for that', async () => {
      await create()
      const { body } = await create({ max_count: 2, return_reservation_id: true })
      expect(body).to.have.all.keys('reservation_id')
      expect(await servers(`?reservation_id=${body.reservation_id}`)).to.have.length(2)
    })

    it('has at most ten members', async () => {
      expect((await create({ max_count: 11 })).status).to.equal(400)
    })

    it('fails as a whole, later, when there are not hosts for all', async () => {
      await nhn.control('behaviour', { freeNodes: 2 })
      expect((await create({ min_count: 3, max_count: 3 })).status).to.equal(202)
      await hours(1)
      for (const server of await servers()) {
        expect([server.status, server.fault?.message]).to.deep.equal([
          'ERROR',
          'No valid host was found. There are not enough hosts available.',
        ])
      }
      await create({ name: 'fits', min_count: 2, max_count: 2 })
      await hours(2)
      expect(await servers('?name=^fits&status=ACTIVE')).to.have.length(2)
    })

    it('is refused beyond the quota, in either form, and a failed server counts', async () => {
      await nhn.control('behaviour', { quotaNodes: 2, buildFails: 1 })
      await create()
      await hours(1)
      expect((await servers())[0]?.status).to.equal('ERROR')
      const refused = await create({ min_count: 2, max_count: 2 })
      expect([refused.status, refused.body.forbidden.message]).to.deep.equal([
        403,
        'Quota exceeded for instances: Requested 2, but already used 1 of 2 instances',
      ])
      await nhn.control('behaviour', { quotaStatus: 413 })
      const old = await create({ min_count: 2, max_count: 2 })
      expect([old.status, old.body.overLimit.retryAfter, old.headers.get('retry-after')]).to.deep.equal([413, '0', '0'])
    })

    it('shrinks to what the quota has room for, not below min_count', async () => {
      await nhn.control('behaviour', { quotaNodes: 2 })
      expect((await create({ min_count: 1, max_count: 5 })).status).to.equal(202)
      expect(await servers()).to.have.length(2)
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
        const answer = await create(change)
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

  describe('a list', () => {
    it('goes page by page after the last id, newest first, each once', async () => {
      for (let batch = 0; batch < 3; batch += 1) await create({ name: `b${batch}`, max_count: 5 })
      const all = idsOf(await servers())
      const pages: string[] = []
      let marker = ''
      for (let page = 0; page < 4; page += 1) {
        const { body } = await nhn.call('GET', `/compute/servers/detail?limit=4${marker}`)
        pages.push(...idsOf(body.servers))
        expect('servers_links' in body).to.equal(page < 3)
        marker = `&marker=${pages.at(-1)}`
      }
      expect(pages).to.deep.equal(all).and.to.have.length(15)
    })

    it('has 100 items unless told, and at most 1,000', async () => {
      for (let batch = 0; batch < 11; batch += 1) await create({ max_count: 10 })
      expect(await servers()).to.have.length(100)
      expect(await servers('?limit=5000')).to.have.length(110)
    })

    it('goes on after a marker that was deleted meanwhile', async () => {
      await create({ max_count: 3 })
      const [first, second, third] = idsOf(await servers())
      await nhn.call('DELETE', `/compute/servers/${second}`)
      await hours(1)
      expect(idsOf(await servers(`?marker=${second}`))).to.deep.equal([third])
      expect(idsOf(await servers())).to.deep.equal([first, third])
    })

    it('refuses an unknown marker and a limit that is no number', async () => {
      expect((await nhn.call('GET', '/compute/servers?marker=x')).body.badRequest.message).to.equal(
        'marker [x] not found',
      )
      expect((await nhn.call('GET', '/compute/servers?limit=x')).status).to.equal(400)
    })

    it('finds names by an unanchored expression and ignores filters that it does not know', async () => {
      await create({ name: 'gb-a', max_count: 2 })
      await create({ name: 'other' })
      expect(await servers(`?name=${encodeURIComponent('^gb-a(-[0-9]+)?$')}`)).to.have.length(2)
      expect(await servers('?name=b-')).to.have.length(2)
      expect(await servers('?metadata=x')).to.have.length(3)
      expect(await servers('?status=NONSENSE')).to.have.length(0)
    })

    it('shows what is gone only to those who ask for changes', async () => {
      const { id } = (await create()).body.server
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await hours(1)
      const since = new Date(Date.now() - 60_000).toISOString().slice(0, 19)
      expect(await servers()).to.deep.equal([])
      expect((await servers(`?changes-since=${since}`)).map(({ status }) => status)).to.deep.equal(['DELETED'])
    })
  })

  describe('what is left behind', () => {
    const root = (goes: unknown) => ({
      block_device_mapping_v2: [{ ...aServer.block_device_mapping_v2[0], delete_on_termination: goes }],
    })
    const volumes = async () => (await nhn.call('GET', '/volume/volumes/detail')).body.volumes

    it('is the root volume, unless it was to go with its server', async () => {
      const stays = (await create(root(undefined))).body.server.id
      const goes = (await create(root(1))).body.server.id
      await hours(1)
      expect((await volumes()).map(({ status }) => status)).to.deep.equal(['in-use', 'in-use'])
      for (const id of [stays, goes]) await nhn.call('DELETE', `/compute/servers/${id}`)
      await hours(2)
      const [left, ...others] = await volumes()
      expect([left?.status, left?.attachments, others]).to.deep.equal(['available', [], []])
      expect(
        (await nhn.ledger()).others.filter(({ deletedAt }) => deletedAt === null).map(({ id }) => id),
      ).to.deep.equal([left?.id])
    })

    it('can be deleted once nothing uses it', async () => {
      const { id } = (await create(root(false))).body.server
      await hours(1)
      const [volume] = await volumes()
      const busy = await nhn.call('DELETE', `/volume/volumes/${volume?.id}`)
      expect([busy.status, Object.keys(busy.body)]).to.deep.equal([400, ['badRequest']])
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await hours(2)
      expect((await nhn.call('DELETE', `/volume/volumes/${volume?.id}`)).status).to.equal(202)
      await hours(3)
      expect(await volumes()).to.deep.equal([])
    })

    it('is a port made on its own, while a server’s own port goes with it', async () => {
      const { port } = (
        await nhn.raw('POST', '/network/v2.0/ports', { port: { network_id: aServer.networks[0]?.uuid, name: 'p' } })
      ).body
      const { id } = (await create({ networks: [{ port: port.id }, aServer.networks[0]] })).body.server
      expect((await nhn.raw('GET', `/network/v2.0/ports?device_id=${id}`)).body.ports).to.have.length(2)
      const busy = await nhn.raw('DELETE', `/network/v2.0/ports/${port.id}`)
      expect([busy.status, busy.body.NeutronError.type]).to.deep.equal([409, 'PortInUse'])
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await hours(1)
      expect(idsOf((await nhn.raw('GET', '/network/v2.0/ports')).body.ports)).to.deep.equal([port.id])
      expect((await nhn.raw('DELETE', `/network/v2.0/ports/${port.id}`)).status).to.equal(204)
    })

    it('is a floating IP, which then stands on nothing', async () => {
      const { id } = (await create()).body.server
      const [port] = (await nhn.raw('GET', `/network/v2.0/ports?device_id=${id}`)).body.ports
      const [external] = (await nhn.raw('GET', '/network/v2.0/networks?router:external=True')).body.networks
      const asked = { floatingip: { floating_network_id: external?.id, port_id: port?.id } }
      const { floatingip } = (await nhn.raw('POST', '/network/v2.0/floatingips', asked)).body
      await hours(1)
      expect((await nhn.server(id)).addresses['sandbox-vpc-1']?.map((entry) => entry['OS-EXT-IPS:type'])).to.deep.equal(
        ['fixed', 'floating'],
      )
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await hours(2)
      expect((await nhn.raw('GET', `/network/v2.0/floatingips/${floatingip.id}`)).body.floatingip).to.include({
        port_id: null,
        status: 'DOWN',
      })
      expect((await nhn.raw('DELETE', `/network/v2.0/floatingips/${floatingip.id}`)).status).to.equal(204)
    })
  })

  describe('the catalogue', () => {
    it('has the flavor without a disk of its own', async () => {
      const { flavors } = (await nhn.call('GET', '/compute/flavors/detail')).body
      expect(flavors.find(({ name }) => name === 'sim.b200x8')).to.include({
        id: aServer.flavorRef,
        disk: 0,
        vcpus: 224,
      })
    })

    it('finds images by their flat properties', async () => {
      const images = async (query: string) => (await nhn.raw('GET', `/image/v2/images?${query}`)).body.images
      expect(await images('nhncloud_allow_gpu_flavor=true&visibility=public')).to.have.length(2)
      expect(await images('os_version=24.04')).to.have.length(1)
      expect(await images('nhncloud_allow_gpu_flavor=false')).to.have.length(0)
      expect((await nhn.raw('GET', '/image/v2/images/x')).status).to.equal(404)
    })

    it('has two zones, two networks with a subnet each, and a security group', async () => {
      const { availabilityZoneInfo: zones } = (await nhn.call('GET', '/compute/os-availability-zone')).body
      expect(zones.map(({ zoneName }) => zoneName)).to.deep.equal(['kr-pub-a', 'kr-pub-b'])
      expect((await nhn.raw('GET', '/network/v2.0/vpcs')).body.vpcs).to.have.length(2)
      expect((await nhn.raw('GET', '/network/v2.0/vpcsubnets')).body.vpcsubnets).to.have.length(2)
      expect((await nhn.raw('GET', '/network/v2.0/security-groups')).body.security_groups).to.have.length(1)
    })

    it('keeps key pairs by unique name', async () => {
      const make = async () => nhn.call('POST', '/compute/os-keypairs', { keypair: { name: 'k' } })
      expect((await make()).body.keypair.private_key).to.include('PRIVATE KEY')
      expect((await make()).status).to.equal(409)
      const { keypairs } = (await nhn.call('GET', '/compute/os-keypairs')).body
      expect(keypairs.map(({ keypair }) => keypair.name)).to.deep.equal(['sandbox-key', 'k'])
      expect((await nhn.call('DELETE', '/compute/os-keypairs/k')).status).to.equal(202)
    })

    it('shows the limits with what is used of them', async () => {
      await nhn.control('behaviour', { quotaNodes: 7 })
      await create({ max_count: 3 })
      const { absolute } = (await nhn.call('GET', '/compute/limits')).body.limits
      expect(absolute).to.include({ maxTotalInstances: 7, totalInstancesUsed: 3, totalCoresUsed: 672 })
    })
  })
})
