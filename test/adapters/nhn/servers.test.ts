import { expect } from 'chai'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { errorOf } from '../rejection.ts'
import {
  ALLOCATION,
  COMPUTE,
  FLAVOR_ID,
  GROUP,
  IMAGE,
  IMAGE_ID,
  INSTALLATION,
  SERVERS,
  TAG,
  VPC_ID,
  aCall,
  aGroup,
  aProvider,
  aServer,
  acceptCreates,
  flavorsAnswer,
  forgetAnswers,
  grantTokens,
  listAnswers,
  switchNetworkOff,
  switchNetworkOn,
} from './support.ts'

const idOf = (n: number): string => `11111111-0000-4000-8000-${String(n).padStart(12, '0')}`

describe('creating NHN servers', () => {
  before(switchNetworkOff)
  after(switchNetworkOn)
  beforeEach(() => {
    grantTokens()
  })
  afterEach(forgetAnswers)

  it('asks for the whole group in one call, whose members the operator numbers', async () => {
    listAnswers([])
    flavorsAnswer()
    const posted = acceptCreates()
    await aProvider().createNodes(aGroup(), aCall())
    expect(posted).to.deep.equal([
      {
        server: {
          name: GROUP,
          flavorRef: FLAVOR_ID,
          imageRef: IMAGE_ID,
          availability_zone: 'kr-pub-a',
          key_name: 'broker-key',
          networks: [{ uuid: VPC_ID }],
          security_groups: [{ name: 'default' }],
          block_device_mapping_v2: [
            {
              source_type: 'image',
              uuid: IMAGE_ID,
              boot_index: 0,
              destination_type: 'volume',
              volume_type: 'General SSD',
              volume_size: 100,
              delete_on_termination: true,
            },
          ],
          metadata: { 'gpu-broker': TAG, 'gpu-broker-cluster': 'nhn-b200-510', 'gpu-broker-operation': 'op-1' },
          min_count: 3,
          max_count: 3,
        },
      },
    ])
  })

  it('sends what is configured: disk, interfaces as they stand, security groups, placement policy', async () => {
    listAnswers([])
    flavorsAnswer()
    const posted = acceptCreates()
    const interfaces = [{ subnet: 'subnet-1' }, { uuid: VPC_ID, fixed_ip: '10.0.0.9' }]
    const provider = aProvider({
      cluster: {
        networks: [{ name: 'main', interfaces, securityGroups: ['default', 'gpu'] }],
        rootDisk: { destinationType: 'local', sizeGb: 200, sendImageRef: false },
        serverGroupId: 'policy-1',
        keyName: undefined,
      },
    })
    await provider.createNodes(aGroup(), aCall())
    expect(posted[0]?.['os:scheduler_hints']).to.deep.equal({ group: 'policy-1' })
    const server = posted[0]?.server
    expect(server).to.not.have.any.keys('imageRef', 'key_name')
    expect(server?.['networks']).to.deep.equal(interfaces)
    expect(server?.['security_groups']).to.deep.equal([{ name: 'default' }, { name: 'gpu' }])
    expect(server?.['block_device_mapping_v2']).to.deep.equal([
      {
        source_type: 'image',
        uuid: IMAGE_ID,
        boot_index: 0,
        destination_type: 'local',
        volume_size: 200,
        delete_on_termination: true,
      },
    ])
  })

  it('sends no boot script without SSH keys, and one that adds each key once with them', async () => {
    listAnswers([], 2)
    flavorsAnswer()
    const posted = acceptCreates(2)
    const provider = aProvider({ cluster: { loginUser: 'centos' } })
    await provider.createNodes(aGroup(), aCall())
    await provider.createNodes(aGroup({ sshPublicKeys: ["ssh-ed25519 AAAA o'hara@x", 'ssh-rsa BBBB y'] }), aCall())
    expect(posted[0]?.server).to.not.have.property('user_data')
    const script = Buffer.from(posted[1]?.server.user_data ?? '', 'base64').toString()
    expect(script).to.match(/^#!\/bin\/sh\n/)
    expect(script).to.include("user='centos'").and.to.include("\nssh-ed25519 AAAA o'hara@x\nssh-rsa BBBB y\n")
  })

  it('refuses keys that are more than one line, without a call', async () => {
    const group = aGroup({ sshPublicKeys: ['ssh-rsa AAAA', 'ssh-rsa BBBB\nreboot'] })
    const error = await errorOf(aProvider().createNodes(group, aCall()))
    expect(error).to.include({ kind: 'refused', effect: 'none' })
    expect(error.message).to.include('SSH key 2').and.to.not.include('BBBB')
  })

  for (const { what, overrides } of [
    { what: 'cluster', overrides: { clusterId: 'elsewhere' } },
    { what: 'image', overrides: { imageAlias: 'constructor' } },
    { what: 'network', overrides: { network: 'other' } },
    { what: 'size', overrides: { size: 11 } },
  ])
    it(`refuses a group whose ${what} is not configured, without a call`, async () => {
      const error = await errorOf(aProvider().createNodes(aGroup(overrides), aCall()))
      expect(error).to.include({ kind: 'refused', effect: 'none' })
    })

  it('asks for nothing when all members exist, failed ones among them', async () => {
    listAnswers([
      aServer({ id: idOf(1), name: `${GROUP}-1` }),
      aServer({ id: idOf(2), name: `${GROUP}-2`, status: 'ERROR' }),
      aServer({ id: idOf(3), name: `${GROUP}-3`, status: 'BUILD', addresses: {} }),
    ])
    const nodes = await aProvider().createNodes(aGroup(), aCall())
    expect(nodes.map(({ name }) => name)).to.deep.equal([`${GROUP}-1`, `${GROUP}-2`, `${GROUP}-3`])
  })

  it('asks for missing members one by one under their own names', async () => {
    listAnswers([aServer({ id: idOf(2), name: `${GROUP}-2` })])
    flavorsAnswer()
    const posted = acceptCreates(2)
    await aProvider().createNodes(aGroup(), aCall())
    expect(posted.map(({ server }) => [server.name, server.min_count, server.max_count])).to.deep.equal([
      [`${GROUP}-1`, 1, 1],
      [`${GROUP}-3`, 1, 1],
    ])
  })

  it('never asks for more than the group, however strangely its members are numbered', async () => {
    listAnswers([
      aServer({ id: idOf(1), name: `${GROUP}-7` }),
      aServer({ id: idOf(2), name: `${GROUP}-7` }),
      aServer({ id: idOf(3), name: `${GROUP}-one` }),
    ])
    expect(await aProvider().createNodes(aGroup(), aCall())).to.have.length(3)
  })

  it('takes servers of that name without our tag for strangers', async () => {
    listAnswers([aServer({ owner: null }), aServer({ owner: TAG.replace('ins_a', 'ins_b') })])
    flavorsAnswer()
    const posted = acceptCreates()
    await aProvider().createNodes(aGroup(), aCall())
    expect(posted[0]?.server.min_count).to.equal(3)
  })

  it('says maybe when a later member is refused after an earlier one was accepted', async () => {
    listAnswers([aServer({ id: idOf(1) })])
    flavorsAnswer()
    acceptCreates()
    nock(COMPUTE)
      .post(SERVERS)
      .reply(403, { forbidden: { message: 'Quota exceeded for cores: Requested 192, but already used 96', code: 403 } })
    const error = await errorOf(aProvider().createNodes(aGroup(), aCall()))
    expect(error).to.include({ kind: 'quota-exceeded', effect: 'maybe', code: 'forbidden' })
  })

  it('looks a flavor up once, and again after a create was refused', async () => {
    listAnswers([], 3)
    const flavors = flavorsAnswer()
    acceptCreates()
    const provider = aProvider()
    await provider.createNodes(aGroup(), aCall())
    expect(flavors.isDone()).to.equal(true)
    nock(COMPUTE)
      .post(SERVERS)
      .reply(400, { badRequest: { message: 'Invalid flavorRef provided.', code: 400 } })
    expect(await errorOf(provider.createNodes(aGroup(), aCall()))).to.include({ kind: 'refused', effect: 'none' })
    const again = flavorsAnswer()
    acceptCreates()
    await provider.createNodes(aGroup(), aCall())
    expect(again.isDone()).to.equal(true)
  })

  it('looks once, and for the flavor once, for all groups that are asked for at the same time', async () => {
    const lists = listAnswers([])
    flavorsAnswer()
    const posted = acceptCreates(8)
    const provider = aProvider()
    const names = Array.from({ length: 8 }, (_, n) => `${GROUP.slice(0, -1)}${n}`)
    await Promise.all(
      names.map((name) => provider.createNodes(aGroup({ name, owner: { ...aGroup().owner, group: name } }), aCall())),
    )
    expect(lists.isDone()).to.equal(true)
    expect(posted.map(({ server }) => server.name).toSorted()).to.deep.equal(names)
  })

  it('is busy with a group that is being asked for, because both would see nothing and ask', async () => {
    listAnswers([])
    flavorsAnswer()
    const posted = acceptCreates()
    const provider = aProvider()
    const first = provider.createNodes(aGroup(), aCall())
    expect(await errorOf(provider.createNodes(aGroup(), aCall()))).to.include({ kind: 'busy', effect: 'none' })
    await first
    expect(posted).to.have.length(1)
  })

  it('finds an image by its name when only one has it', async () => {
    listAnswers([], 2)
    flavorsAnswer()
    const posted = acceptCreates()
    const named = { id: IMAGE_ID, name: 'Ubuntu Server 22.04 with NVIDIA', status: 'active' }
    nock(IMAGE)
      .get('/v2/images')
      .query({ name: named.name })
      .reply(200, { images: [named], first: '/v2/images' })
    const cluster = { images: { 'ubuntu-22.04': named.name } }
    const provider = aProvider({ cluster })
    await provider.createNodes(aGroup(), aCall())
    expect(posted[0]?.server['imageRef']).to.equal(IMAGE_ID)
    nock(IMAGE)
      .get('/v2/images')
      .query(true)
      .reply(200, { images: [named, { ...named, id: 'another' }] })
    flavorsAnswer()
    const error = await errorOf(aProvider({ cluster }).createNodes(aGroup(), aCall()))
    expect(error).to.include({ kind: 'refused', effect: 'none' })
  })

  for (const body of ['', 'null', '{"reservation_id":"r-abcdefgh"}'])
    it(`takes a 2xx with ${JSON.stringify(body)} for accepted`, async () => {
      listAnswers([])
      flavorsAnswer()
      nock(COMPUTE).post(SERVERS).reply(200, body)
      expect(await aProvider().createNodes(aGroup(), aCall())).to.deep.equal([])
    })

  it('makes groups of one where interfaces are ports, because a port fits one server', async () => {
    const networks = [{ name: 'main', interfaces: [{ uuid: VPC_ID }, { port: 'port-1' }] }]
    const provider = aProvider({ cluster: { networks } })
    expect(provider.capabilities.maxBatch).to.equal(1)
    const error = await errorOf(provider.createNodes(aGroup({ size: 2 }), aCall()))
    expect(error).to.include({ kind: 'refused', effect: 'none' })
  })
})

describe('listing NHN servers', () => {
  before(switchNetworkOff)
  after(switchNetworkOn)
  beforeEach(() => {
    grantTokens()
  })
  afterEach(forgetAnswers)

  it('returns what carries our tag, whatever the name filter let through', async () => {
    listAnswers([
      aServer({ id: idOf(1) }),
      aServer({ id: idOf(2), owner: null }),
      aServer({ id: idOf(3), owner: TAG.replace('ins_a', 'ins_b') }),
      aServer({ id: idOf(4), owner: TAG.replaceAll('abcdefgh', 'zzzzzzzz') }),
      aServer({ id: idOf(5), status: 'DELETED' }),
    ])
    const filter = { installationId: INSTALLATION, allocationId: ALLOCATION }
    const nodes = await aProvider().listNodes(filter, aCall())
    expect(nodes.map(({ providerInstanceId }) => providerInstanceId)).to.deep.equal([idOf(1)])
  })

  it('filters by name for one allocation only, so that a renamed node still shows in the whole list', async () => {
    const byName = nock(COMPUTE)
      .get(`${SERVERS}/detail`)
      .query({ name: 'gbabcdefgh23456777-', limit: '1000' })
      .reply(200, { servers: [] })
    const whole = nock(COMPUTE)
      .get(`${SERVERS}/detail`)
      .query({ limit: '1000' })
      .reply(200, { servers: [aServer({ name: 'renamed' })] })
    const provider = aProvider()
    await provider.listNodes({ installationId: INSTALLATION, allocationId: ALLOCATION }, aCall())
    const nodes = await provider.listNodes({ installationId: INSTALLATION }, aCall())
    expect(nodes.map(({ name }) => name)).to.deep.equal(['renamed'])
    expect([byName.isDone(), whole.isDone()]).to.deep.equal([true, true])
  })

  const page = (marker: string | null, servers: readonly object[], hasNext: boolean): nock.Scope =>
    nock(COMPUTE)
      .get(`${SERVERS}/detail`)
      .query(marker === null ? { limit: '2' } : { limit: '2', marker })
      .reply(200, {
        servers,
        // As recorded: a host inside NHN, which must never be followed.
        ...(hasNext
          ? { servers_links: [{ rel: 'next', href: 'http://nova.iaas.tcc1.cloud.toastoven.net:8774/v2.1/servers' }] }
          : {}),
      })
  const ids = async (settings: object): Promise<string[]> => {
    const nodes = await aProvider({ settings }).listNodes({ installationId: INSTALLATION }, aCall())
    return nodes.map(({ providerInstanceId }) => providerInstanceId)
  }
  const of = (...numbers: readonly number[]): object[] =>
    numbers.map((n) => aServer({ id: idOf(n), name: `${GROUP}-${n}` }))

  it('tells what others made by flavor and zone, and of nothing with our tag', async () => {
    flavorsAnswer()
    const foreign = TAG.replace(INSTALLATION, 'ins_otherinstallatio')
    const gpu = { flavor: { id: FLAVOR_ID } }
    listAnswers([
      aServer({ id: idOf(1), more: gpu }),
      aServer({ id: idOf(2), owner: foreign, more: gpu }),
      aServer({ id: idOf(3), owner: null, name: 'by-hand', more: gpu }),
      aServer({ id: idOf(4), owner: null, more: { flavor: { id: 'a-machine-without-gpus' } } }),
      aServer({ id: idOf(5), owner: null, more: { flavor: null } }),
      aServer({ id: idOf(6), owner: null, more: { ...gpu, 'OS-EXT-AZ:availability_zone': 'kr-pub-b' } }),
      aServer({ id: idOf(7), owner: null, status: 'DELETED', more: gpu }),
      // As Nova tells flavors from microversion 2.47 on.
      aServer({
        id: idOf(8),
        owner: null,
        name: 'newer',
        more: { flavor: { original_name: 'sim.b200x8', vcpus: 192 } },
      }),
      aServer({ id: idOf(9), owner: null, more: { flavor: { original_name: 'm2.c2m4', vcpus: 2 } } }),
    ])
    const others = await aProvider().listOthers?.({ installationId: INSTALLATION }, aCall())
    const createdAt = Date.parse('2026-11-23T05:00:00Z')
    expect(others).to.deep.equal([
      { providerInstanceId: idOf(2), name: `${GROUP}-1`, clusterId: 'nhn-b200-510', createdAt },
      { providerInstanceId: idOf(3), name: 'by-hand', clusterId: 'nhn-b200-510', createdAt },
      { providerInstanceId: idOf(8), name: 'newer', clusterId: 'nhn-b200-510', createdAt },
    ])
  })

  it('asks for pages by the last id, never by a link, and shows each server once', async () => {
    page(null, of(1, 2), true)
    page(idOf(2), of(2, 3), true)
    page(idOf(3), of(4), false)
    expect(await ids({ pageSize: 2 })).to.deep.equal([1, 2, 3, 4].map(idOf))
  })

  it('goes on after a full page even without a link, until a page is empty', async () => {
    page(null, of(1, 2), false)
    page(idOf(2), [], false)
    expect(await ids({ pageSize: 2 })).to.deep.equal([1, 2].map(idOf))
  })

  it('goes on after a page that is shorter than asked for when the operator cut it to its own size', async () => {
    nock(COMPUTE)
      .get(`${SERVERS}/detail`)
      .query({ limit: '1000' })
      .reply(200, { servers: of(...Array.from({ length: 100 }, (_, index) => index + 1)) })
    nock(COMPUTE)
      .get(`${SERVERS}/detail`)
      .query({ limit: '1' })
      .reply(200, { servers: of(1) })
    nock(COMPUTE)
      .get(`${SERVERS}/detail`)
      .query({ limit: '1000', marker: idOf(100) })
      .reply(200, { servers: of(101) })
    expect(await ids({})).to.have.length(101)
  })

  it('takes a page without a link for the last once it has seen that the operator links to next pages', async () => {
    const all = of(...Array.from({ length: 101 }, (_, index) => index + 1))
    const servers_links = [{ rel: 'next', href: 'http://nova.iaas.tcc1.cloud.toastoven.net:8774/v2.1/servers' }]
    nock(COMPUTE)
      .get(`${SERVERS}/detail`)
      .query({ limit: '1' })
      .reply(200, { servers: of(1), servers_links })
    const provider = aProvider()
    for (let time = 1; time <= 3; time += 1) {
      nock(COMPUTE).get(`${SERVERS}/detail`).query({ limit: '1000' }).reply(200, { servers: all })
      expect(await provider.listNodes({ installationId: INSTALLATION }, aCall())).to.have.length(101)
    }
  })

  it('begins again when the marker was deleted meanwhile', async () => {
    page(null, of(1, 2), true)
    nock(COMPUTE)
      .get(`${SERVERS}/detail`)
      .query({ limit: '2', marker: idOf(2) })
      .reply(400, { badRequest: { message: `marker [${idOf(2)}] not found`, code: 400 } })
    page(null, of(1), false)
    expect(await ids({ pageSize: 2 })).to.deep.equal([idOf(1)])
  })

  it('gives no list rather than a short one when pages repeat', async () => {
    page(null, of(1, 2), true)
    page(idOf(2), of(1, 2), true)
    const list = aProvider({ settings: { pageSize: 2 } }).listNodes({ installationId: INSTALLATION }, aCall())
    expect(await errorOf(list)).to.include({ kind: 'malformed', effect: 'none' })
  })

  it('gives no list rather than a short one when a server cannot be read', async () => {
    listAnswers([aServer(), { id: idOf(2) }])
    const list = aProvider().listNodes({ installationId: INSTALLATION }, aCall())
    expect(await errorOf(list)).to.include({ kind: 'malformed', effect: 'none' })
  })
})

describe('deleting NHN servers', () => {
  before(switchNetworkOff)
  after(switchNetworkOn)
  beforeEach(() => {
    grantTokens()
  })
  afterEach(forgetAnswers)

  const remove = (...numbers: readonly number[]): Promise<void> =>
    aProvider().deleteNodes({ clusterId: 'nhn-b200-510', providerInstanceIds: numbers.map(idOf) }, aCall())
  const answer = (n: number, status: number, body?: object | string): nock.Scope =>
    nock(COMPUTE)
      .delete(`${SERVERS}/${idOf(n)}`)
      .reply(status, body)

  it('takes accepted and already gone for success', async () => {
    answer(1, 204)
    answer(2, 404, { itemNotFound: { message: `Instance ${idOf(2)} could not be found.`, code: 404 } })
    await remove(1, 2)
  })

  it('asks for all of them although one is busy, and then says so', async () => {
    answer(1, 409, { conflictingRequest: { message: 'Cannot delete while it is in vm_state building', code: 409 } })
    const second = answer(2, 204)
    const error = await errorOf(remove(1, 2))
    expect(error).to.include({ kind: 'busy', effect: 'maybe', code: 'conflictingRequest' })
    expect(error.retryAfterMs).to.be.greaterThan(0)
    expect(second.isDone()).to.equal(true)
  })

  it('tells the worst of several errors', async () => {
    answer(1, 409, { conflictingRequest: { message: 'locked', code: 409 } })
    answer(2, 403, { forbidden: { message: 'The instance is protected', code: 403 } })
    expect(await errorOf(remove(1, 2))).to.include({ kind: 'refused', effect: 'none' })
  })

  it('asks once for a node that is named twice', async () => {
    answer(1, 204)
    await remove(1, 1)
  })
})
