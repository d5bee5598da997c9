import { expect } from 'chai'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { errorOf } from '../rejection.ts'
import {
  COMPUTE,
  FLAVOR_ID,
  IMAGE,
  IMAGE_ID,
  NETWORK,
  type ProviderOptions,
  TENANT,
  VPC_ID,
  aCall,
  aProvider,
  flavorsAnswer,
  forgetAnswers,
  grantTokens,
  switchNetworkOff,
  switchNetworkOn,
} from './support.ts'

interface World {
  readonly zones?: readonly object[]
  readonly keyPair?: number
  readonly image?: object | null
  readonly vpcs?: readonly object[]
  readonly groups?: readonly object[]
}

/** The operator as configuration expects it, or with the differences given. */
function answerAll(world: World = {}): void {
  flavorsAnswer()
  nock(COMPUTE)
    .get(`/v2/${TENANT}/os-availability-zone`)
    .reply(200, { availabilityZoneInfo: world.zones ?? [{ zoneName: 'kr-pub-a', zoneState: { available: true } }] })
  nock(COMPUTE)
    .get(`/v2/${TENANT}/os-keypairs/broker-key`)
    .optionally()
    .reply(world.keyPair ?? 200, { keypair: { id: 7, name: 'broker-key', public_key: 'ssh-rsa A', fingerprint: 'f' } })
  const image = world.image === undefined ? { id: IMAGE_ID, name: 'Ubuntu', status: 'active' } : world.image
  nock(IMAGE)
    .get(`/v2/images/${IMAGE_ID}`)
    .optionally()
    .reply(image === null ? 404 : 200, image ?? '<html>404</html>')
  nock(NETWORK)
    .get('/v2.0/vpcs')
    .optionally()
    .reply(200, { vpcs: world.vpcs ?? [{ id: VPC_ID, name: 'Default Network', state: 'available' }] })
  nock(NETWORK)
    .get('/v2.0/security-groups')
    .optionally()
    .reply(200, { security_groups: world.groups ?? [{ id: 'sg-1', name: 'default' }] })
}

describe('describing NHN clusters', () => {
  before(switchNetworkOff)
  after(switchNetworkOn)
  beforeEach(() => {
    grantTokens()
  })
  afterEach(forgetAnswers)

  const described = async (options: ProviderOptions = {}) => (await aProvider(options).describe(aCall()))[0]

  it('lists images and networks and finds nothing wrong where all is there', async () => {
    answerAll()
    expect(await described()).to.deep.equal({
      clusterId: 'nhn-b200-510',
      images: ['ubuntu-22.04'],
      networks: ['main'],
      problems: [],
    })
  })

  for (const { what, world, problem } of [
    {
      what: 'zone',
      world: { zones: [{ zoneName: 'kr-pub-b', zoneState: { available: true } }] },
      problem: /zone kr-pub-a/,
    },
    {
      what: 'open zone',
      world: { zones: [{ zoneName: 'kr-pub-a', zoneState: { available: false } }] },
      problem: /zone/,
    },
    { what: 'key pair', world: { keyPair: 404 }, problem: /key pair broker-key/ },
    { what: 'image', world: { image: null }, problem: /ubuntu-22.04: there is no image/ },
    { what: 'active image', world: { image: { id: IMAGE_ID, status: 'deactivated' } }, problem: /deactivated/ },
    {
      what: 'image for GPU flavors',
      world: { image: { id: IMAGE_ID, status: 'active', nhncloud_allow_gpu_flavor: 'false' } },
      problem: /not for GPU/,
    },
    { what: 'VPC', world: { vpcs: [] }, problem: /network main: there is no VPC/ },
    { what: 'security group', world: { groups: [] }, problem: /security group default/ },
  ])
    it(`tells in words that there is no ${what}`, async () => {
      answerAll(world)
      const cluster = await described()
      expect(cluster?.problems).to.have.length(1)
      expect(cluster?.problems[0]).to.match(problem)
    })

  it('leaves out an image and a network that are not there', async () => {
    answerAll({ image: null, vpcs: [] })
    expect(await described()).to.deep.include({ images: [], networks: [] })
  })

  it('tells that a flavor is missing, or that several have its name', async () => {
    answerAll()
    const missing = await described({ cluster: { flavor: 'g9.unheard.of' } })
    expect(missing?.problems).to.deep.equal(['there is no flavor g9.unheard.of in KR1'])
    forgetAnswers()
    grantTokens()
    nock(COMPUTE)
      .get(`/v2/${TENANT}/flavors/detail`)
      .query(true)
      .reply(200, {
        flavors: [
          { id: 'a', name: 'sim.b200x8' },
          { id: 'b', name: 'sim.b200x8' },
        ],
      })
    answerAll()
    expect((await described())?.problems).to.deep.equal(['there are 2 of flavor sim.b200x8 in KR1: use the id'])
  })

  it('takes a flavor by its id', async () => {
    answerAll()
    expect((await described({ cluster: { flavor: FLAVOR_ID } }))?.problems).to.deep.equal([])
  })

  it('asks a plain Neutron in its own words where there are no VPC calls', async () => {
    nock(NETWORK).get('/v2.0/vpcs').reply(404, 'The resource could not be found.')
    nock(NETWORK)
      .get('/v2.0/networks')
      .reply(200, { networks: [{ id: VPC_ID, name: 'private' }] })
    answerAll()
    expect((await described())?.problems).to.deep.equal([])
  })

  it('tells that subnets and ports are missing, and what could not be looked up', async () => {
    answerAll()
    nock(NETWORK)
      .get('/v2.0/vpcsubnets')
      .reply(200, { vpcsubnets: [{ id: 'subnet-1' }] })
    nock(NETWORK)
      .get('/v2.0/ports')
      .reply(403, { NeutronError: { type: 'Forbidden', message: 'no', detail: '' } })
    const interfaces = [{ subnet: 'subnet-1' }, { subnet: 'subnet-2' }, { port: 'port-1' }]
    const cluster = await described({ cluster: { networks: [{ name: 'main', interfaces }] } })
    expect(cluster?.problems).to.deep.equal([
      'network main: there is no subnet subnet-2',
      'ports could not be looked up: the network service has none',
    ])
  })

  it('checks only what it has a URL for', async () => {
    answerAll({ image: null, vpcs: [] })
    const settings = { imageUrl: undefined, networkUrl: undefined }
    expect(await described({ settings })).to.deep.include({ images: ['ubuntu-22.04'], problems: [] })
  })

  it('is an error, not a problem, when the operator cannot be asked', async () => {
    answerAll()
    nock.removeInterceptor({ hostname: new URL(IMAGE).hostname, proto: 'https', path: `/v2/images/${IMAGE_ID}` })
    nock(IMAGE).get(`/v2/images/${IMAGE_ID}`).reply(503, 'down')
    expect(await errorOf(aProvider().describe(aCall()))).to.include({ kind: 'unreachable', effect: 'none' })
  })
})

describe('free capacity at NHN', () => {
  before(switchNetworkOff)
  after(switchNetworkOn)
  beforeEach(() => {
    grantTokens()
  })
  afterEach(forgetAnswers)

  const limits = (status: number, absolute: object): nock.Scope =>
    nock(COMPUTE)
      .get(`/v2/${TENANT}/limits`)
      .reply(status, { limits: { absolute, rate: [] } })
  const free = (settings: object): Promise<number | null> =>
    aProvider({ settings }).freeCapacity('nhn-b200-510', aCall())

  it('is unknown, without a call, unless it is configured to be worked out from limits', async () => {
    expect(await free({})).to.equal(null)
    expect(aProvider().capabilities.reportsFreeCapacity).to.equal(false)
  })

  it('is what the tightest quota leaves room for', async () => {
    flavorsAnswer()
    limits(200, {
      maxTotalInstances: 510,
      totalInstancesUsed: 100,
      maxTotalCores: 192 * 200,
      totalCoresUsed: 192 * 150 + 1,
      maxTotalRAMSize: -1,
      totalRAMUsed: 5,
    })
    expect(await free({ capacityFromLimits: true })).to.equal(49)
  })

  it('is unknown where the operator does not tell', async () => {
    flavorsAnswer()
    limits(404, {})
    expect(await free({ capacityFromLimits: true })).to.equal(null)
  })
})
