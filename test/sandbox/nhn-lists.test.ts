import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { aServer, idsOf, startNhn } from './nhn-client.ts'
import type { NhnClient } from './nhn-client.ts'

describe('simulated NHN Cloud: lists and what is beside servers', () => {
  let nhn: NhnClient
  beforeEach(async () => {
    nhn = await startNhn()
  })
  afterEach(() => nhn.close())

  describe('a list', () => {
    it('goes page by page after the last id, newest first, each once', async () => {
      for (let batch = 0; batch < 3; batch += 1) await nhn.create({ name: `b${batch}`, max_count: 5 })
      const all = idsOf(await nhn.servers())
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
      for (let batch = 0; batch < 11; batch += 1) await nhn.create({ max_count: 10 })
      expect(await nhn.servers()).to.have.length(100)
      expect(await nhn.servers('?limit=5000')).to.have.length(110)
    })

    it('goes on after a marker that was deleted meanwhile', async () => {
      await nhn.create({ max_count: 3 })
      const [first, second, third] = idsOf(await nhn.servers())
      await nhn.call('DELETE', `/compute/servers/${second}`)
      await nhn.hours(1)
      expect(idsOf(await nhn.servers(`?marker=${second}`))).to.deep.equal([third])
      expect(idsOf(await nhn.servers())).to.deep.equal([first, third])
    })

    it('refuses an unknown marker and a limit that is no number', async () => {
      expect((await nhn.call('GET', '/compute/servers?marker=x')).body.badRequest.message).to.equal(
        'marker [x] not found',
      )
      expect((await nhn.call('GET', '/compute/servers?limit=x')).status).to.equal(400)
    })

    it('finds names by an unanchored expression and ignores filters that it does not know', async () => {
      await nhn.create({ name: 'gb-a', max_count: 2 })
      await nhn.create({ name: 'other' })
      expect(await nhn.servers(`?name=${encodeURIComponent('^gb-a(-[0-9]+)?$')}`)).to.have.length(2)
      expect(await nhn.servers('?name=b-')).to.have.length(2)
      expect(await nhn.servers('?metadata=x')).to.have.length(3)
      expect(await nhn.servers('?status=NONSENSE')).to.have.length(0)
    })

    it('shows what is gone only to those who ask for changes', async () => {
      const { id } = (await nhn.create()).body.server
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await nhn.hours(1)
      const since = new Date(Date.now() - 60_000).toISOString().slice(0, 19)
      expect(await nhn.servers()).to.deep.equal([])
      expect((await nhn.servers(`?changes-since=${since}`)).map(({ status }) => status)).to.deep.equal(['DELETED'])
    })
  })

  describe('what is left behind', () => {
    const root = (goes: unknown) => ({
      block_device_mapping_v2: [{ ...aServer.block_device_mapping_v2[0], delete_on_termination: goes }],
    })
    const volumes = async () => (await nhn.call('GET', '/volume/volumes/detail')).body.volumes

    it('is the root volume, unless it was to go with its server', async () => {
      const stays = (await nhn.create(root(undefined))).body.server.id
      const goes = (await nhn.create(root(1))).body.server.id
      await nhn.hours(1)
      expect((await volumes()).map(({ status }) => status)).to.deep.equal(['in-use', 'in-use'])
      for (const id of [stays, goes]) await nhn.call('DELETE', `/compute/servers/${id}`)
      await nhn.hours(2)
      const [left, ...others] = await volumes()
      expect([left?.status, left?.attachments, others]).to.deep.equal(['available', [], []])
      expect(
        (await nhn.ledger()).others.filter(({ deletedAt }) => deletedAt === null).map(({ id }) => id),
      ).to.deep.equal([left?.id])
    })

    it('can be deleted once nothing uses it', async () => {
      const { id } = (await nhn.create(root(false))).body.server
      await nhn.hours(1)
      const [volume] = await volumes()
      const busy = await nhn.call('DELETE', `/volume/volumes/${volume?.id}`)
      expect([busy.status, Object.keys(busy.body)]).to.deep.equal([400, ['badRequest']])
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await nhn.hours(2)
      expect((await nhn.call('DELETE', `/volume/volumes/${volume?.id}`)).status).to.equal(202)
      await nhn.hours(3)
      expect(await volumes()).to.deep.equal([])
    })

    it('is a port made on its own, while a server’s own port goes with it', async () => {
      const { port } = (
        await nhn.raw('POST', '/network/v2.0/ports', { port: { network_id: aServer.networks[0]?.uuid, name: 'p' } })
      ).body
      const { id } = (await nhn.create({ networks: [{ port: port.id }, aServer.networks[0]] })).body.server
      expect((await nhn.raw('GET', `/network/v2.0/ports?device_id=${id}`)).body.ports).to.have.length(2)
      const busy = await nhn.raw('DELETE', `/network/v2.0/ports/${port.id}`)
      expect([busy.status, busy.body.NeutronError.type]).to.deep.equal([409, 'PortInUse'])
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await nhn.hours(1)
      expect(idsOf((await nhn.raw('GET', '/network/v2.0/ports')).body.ports)).to.deep.equal([port.id])
      expect((await nhn.raw('DELETE', `/network/v2.0/ports/${port.id}`)).status).to.equal(204)
    })

    it('is a floating IP, which then stands on nothing', async () => {
      const { id } = (await nhn.create()).body.server
      const [port] = (await nhn.raw('GET', `/network/v2.0/ports?device_id=${id}`)).body.ports
      const [external] = (await nhn.raw('GET', '/network/v2.0/networks?router:external=True')).body.networks
      const asked = { floatingip: { floating_network_id: external?.id, port_id: port?.id } }
      const { floatingip } = (await nhn.raw('POST', '/network/v2.0/floatingips', asked)).body
      await nhn.hours(1)
      expect((await nhn.server(id)).addresses['sandbox-vpc-1']?.map((entry) => entry['OS-EXT-IPS:type'])).to.deep.equal(
        ['fixed', 'floating'],
      )
      await nhn.call('DELETE', `/compute/servers/${id}`)
      await nhn.hours(2)
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

    it('keeps placement policies, anti-affinity only, with the servers that were made under them', async () => {
      const make = async (policy: string) =>
        nhn.call('POST', '/compute/os-server-groups', { server_group: { name: 'apart', policies: [policy] } })
      expect((await make('affinity')).status).to.equal(400)
      const { id } = (await make('anti-affinity')).body.server_group
      const createIn = async (group: string) =>
        nhn.call('POST', '/compute/servers', { server: aServer, 'os:scheduler_hints': { group } })
      expect((await createIn('unheard-of')).body.badRequest.message).to.include('could not be found')
      const made = (await createIn(id)).body.server.id
      const group = (await nhn.call('GET', `/compute/os-server-groups/${id}`)).body.server_group
      expect(group)
        .to.include({ id, name: 'apart' })
        .and.deep.include({ policies: ['anti-affinity'], members: [made] })
      expect(idsOf((await nhn.call('GET', '/compute/os-server-groups')).body.server_groups)).to.deep.equal([id])
      expect((await nhn.call('DELETE', `/compute/os-server-groups/${id}`)).status).to.equal(204)
      expect((await nhn.call('GET', `/compute/os-server-groups/${id}`)).status).to.equal(404)
      expect((await nhn.server(made)).status).to.equal('BUILD')
    })

    it('shows the limits with what is used of them', async () => {
      await nhn.control('behaviour', { quotaNodes: 7 })
      await nhn.create({ max_count: 3 })
      const { absolute } = (await nhn.call('GET', '/compute/limits')).body.limits
      expect(absolute).to.include({ maxTotalInstances: 7, totalInstancesUsed: 3, totalCoresUsed: 672 })
    })
  })
})
