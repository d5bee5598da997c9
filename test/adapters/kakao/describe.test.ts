import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import { type Changes, FLAVOR, HOST, IMAGE, SUBNET, ZONE, aCall, aPage, aProvider, iamAnswers } from './support.ts'

const aFlavor = {
  id: FLAVOR,
  name: 'sim',
  instance_type: 'bm',
  availability_zone: [ZONE],
  available: { kr_central_2_a: 7 },
}
const anImage = { id: IMAGE, name: 'ubuntu', status: 'active', instance_type: 'bm' }
const aSubnet = { id: SUBNET, availability_zone: ZONE, provisioning_status: 'ACTIVE' }

interface Stock {
  readonly flavor?: object | null
  readonly images?: readonly object[]
  readonly subnets?: readonly object[]
  readonly groups?: readonly object[]
  readonly keypair?: number
}

function stockAnswers({
  flavor = aFlavor,
  images = [anImage],
  subnets = [aSubnet],
  groups,
  keypair = 200,
}: Stock = {}) {
  const list = (host: string, path: string, noun: string, rows: readonly object[]): void => {
    nock(host).get(`/api/v1/${path}`).query(true).reply(200, aPage(noun, rows))
  }
  list(HOST.image, 'images', 'images', images)
  list(HOST.vpc, 'subnets', 'subnets', subnets)
  list(HOST.network, 'security-groups', 'security_groups', groups ?? [{ id: 'sg', name: 'default' }])
  nock(HOST.bcs)
    .get(`/api/v1/flavors/${FLAVOR}`)
    .reply(flavor === null ? 404 : 200, { flavor })
  nock(HOST.bcs)
    .get('/api/v1/keypairs/broker-key')
    .reply(keypair, { keypair: { name: 'broker-key' } })
}

const problemsWith = async (stock: Stock, changes: Changes = {}): Promise<readonly string[]> => {
  stockAnswers(stock)
  const [cluster] = await aProvider(changes).describe(aCall())
  return cluster?.problems ?? []
}

describe('describe of kakao', () => {
  onlyPreparedAnswers()
  beforeEach(() => {
    iamAnswers()
  })

  it('names images and networks, and no problem where all that is configured exists', async () => {
    stockAnswers()
    expect(await aProvider().describe(aCall())).to.deep.equal([
      { clusterId: 'kakao-b200-255', images: ['ubuntu'], networks: ['net-1'], problems: [] },
    ])
  })

  for (const [what, stock, said] of [
    ['a flavor that does not exist', { flavor: null }, /no flavor 2222/],
    ['a flavor of another type', { flavor: { ...aFlavor, instance_type: 'gpu' } }, /of type gpu/],
    ['a flavor of another zone', { flavor: { ...aFlavor, availability_zone: ['kr-central-2-b'] } }, /kr-central-2-b/],
    ['an image that does not exist', { images: [] }, /no image 1111.*ubuntu/],
    ['an image that is not active', { images: [{ ...anImage, status: 'queued' }] }, /is queued/],
    ['an image for virtual machines', { images: [{ ...anImage, instance_type: 'vm' }] }, /is for vm/],
    ['a subnet that does not exist', { subnets: [] }, /no subnet 3333/],
    [
      'a subnet of another zone',
      { subnets: [{ ...aSubnet, availability_zone: 'kr-central-2-c' }] },
      /lies in kr-c.*-c/,
    ],
    ['a security group that does not exist', { groups: [{ id: 'sg', name: 'Default' }] }, /no security group default/],
    ['a keypair that does not exist', { keypair: 404 }, /no keypair broker-key/],
  ] as const) {
    it(`tells of ${what} in words`, async () => {
      const problems = await problemsWith(stock)
      expect(problems).to.have.length(1)
      expect(problems[0]).to.match(said)
    })
  }

  it('does not offer an alias whose image does not exist', async () => {
    stockAnswers()
    const images = { missing: '99999999-9999-4999-8999-999999999999', ubuntu: IMAGE }
    const [cluster] = await aProvider({ cluster: { images } }).describe(aCall())
    expect(cluster?.images).to.deep.equal(['ubuntu'])
    expect(cluster?.problems).to.have.length(1)
  })

  it('takes vm images for GPU virtual machines', async () => {
    const stock = { flavor: { ...aFlavor, instance_type: 'gpu' }, images: [{ ...anImage, instance_type: 'vm' }] }
    expect(await problemsWith(stock, { cluster: { bareMetal: false } })).to.deep.equal([])
  })

  it('is no description at all where the operator cannot be asked', async () => {
    nock(HOST.image).get('/api/v1/images').query(true).reply(500, '')
    await rejectionOf('unreachable', aProvider().describe(aCall()))
  })
})

describe('freeCapacity of kakao', () => {
  onlyPreparedAnswers()
  beforeEach(() => {
    iamAnswers()
  })

  it('is what the flavor has available in the zone', async () => {
    stockAnswers()
    expect(await aProvider().freeCapacity('kakao-b200-255', aCall())).to.equal(7)
  })

  it('is unknown where the flavor does not say, or does not exist', async () => {
    stockAnswers({ flavor: { ...aFlavor, available: null } })
    stockAnswers({ flavor: null })
    const provider = aProvider()
    expect(await provider.freeCapacity('kakao-b200-255', aCall())).to.equal(null)
    expect(await provider.freeCapacity('kakao-b200-255', aCall())).to.equal(null)
  })

  it('is unknown for virtual machines, without a call', async () => {
    nock.cleanAll()
    const provider = aProvider({ cluster: { bareMetal: false } })
    expect(await provider.freeCapacity('kakao-b200-255', aCall())).to.equal(null)
    expect(provider.capabilities.reportsFreeCapacity).to.equal(false)
  })

  it('refuses a cluster that is not configured', async () => {
    await rejectionOf('refused', aProvider().freeCapacity('elsewhere', aCall()))
  })
})
