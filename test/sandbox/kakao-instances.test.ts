import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { KAKAO } from '../../deploy/sandbox/settings.ts'
import {
  aGpuMachine,
  aNode,
  GPU_FLAVOR_ID,
  GPU_IMAGE_ID,
  INSTANCES,
  made,
  startKakao,
  withKakao,
} from './kakao-client.ts'
import type { KakaoClient } from './kakao-client.ts'

const without = (member: string): object => {
  const { instance } = aNode()
  const { [member]: _, ...rest } = instance
  return { instance: rest }
}

describe('sandbox kakao: making and listing instances', () => {
  let kakao: KakaoClient
  beforeEach(async () => {
    kakao = await startKakao()
  })
  afterEach(() => kakao.close())

  const list = async (query = '') => kakao.call(`GET ${INSTANCES}?${query}`)
  const names = async (query = ''): Promise<unknown[]> => (await list(query)).each('instances', 'name')

  it('accepts a node with 202 and tells its id, but neither name nor status', async () => {
    const answer = await kakao.call(`POST ${INSTANCES}`, aNode())
    expect(answer.status).to.equal(202)
    expect(answer.get('instance')).to.have.all.keys('id', 'security_groups', 'admin_pass', 'disk_config')
    expect(answer.get('instance.security_groups')).to.deep.equal([{ name: 'default' }])
  })

  it('shows a node in the same shape in the list and in detail', async () => {
    const id = await made(kakao)
    const detail = await kakao.call(`GET ${INSTANCES}/${id}`)
    expect(detail.get('instance')).to.deep.equal((await list()).get('instances.0'))
    expect(detail.get('instance')).to.include({
      name: 'gb-k3v9q2m7xa4c-n00',
      description: 'alloc k3v9q2m7xa4c node 0',
      instance_type: 'bm',
      availability_zone: KAKAO.zone,
      key_name: KAKAO.keyName,
      project_id: KAKAO.projectId,
      is_hyper_threading: true,
      is_k8se: false,
    })
    expect(detail.get('instance.flavor')).to.include({ name: KAKAO.flavorName, hw_type: 'GPU', hw_count: 8 })
    expect(detail.get('instance.flavor')).not.to.have.property('hw_name')
    expect(detail.get('instance')).not.to.have.any.keys('fault', 'metadata')
    expect(detail.get('instance.created_at')).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  })

  it('makes two nodes of one name when asked twice', async () => {
    expect(await made(kakao)).not.to.equal(await made(kakao))
    expect(await names()).to.deep.equal(['gb-k3v9q2m7xa4c-n00', 'gb-k3v9q2m7xa4c-n00'])
  })

  it('suffixes the names of several made at once, and tells one id only', async () => {
    const id = await made(kakao, aNode({ name: 'many', count: 3 }))
    expect(await names()).to.deep.equal(['many-3', 'many-2', 'many-1'])
    expect((await list('name=many-1')).get('instances.0.id')).to.equal(id)
  })

  for (const [rule, body] of [
    ['a name too short', aNode({ name: 'abc' })],
    ['a name with two symbols together', aNode({ name: 'node--one' })],
    ['a name that ends in a symbol', aNode({ name: 'node-one-' })],
    ['a description with a line break', aNode({ description: 'one\ntwo' })],
    ['a description with a middle dot', aNode({ description: 'one · two' })],
    ['a description over 100 characters', aNode({ description: 'x'.repeat(101) })],
    ['an unknown flavor', aNode({ flavor_id: '00000000-0000-4000-8000-000000000000' })],
    ['a flavor by name', aNode({ flavor_id: KAKAO.flavorName })],
    ['an unknown image', aNode({ image_id: '00000000-0000-4000-8000-000000000000' })],
    ['an image for virtual machines on bare metal', aNode({ image_id: GPU_IMAGE_ID })],
    ['a zone that is not the subnet’s', aNode({ availability_zone: 'kr-central-2-b' })],
    ['a zone that does not exist', aNode({ availability_zone: 'kr-central-9-z' })],
    [
      'a subnet where the flavor is not',
      aNode({ availability_zone: null, subnets: [{ id: '6b000000-0000-4000-8000-000000000002' }] }),
    ],
    ['no subnet', aNode({ subnets: [] })],
    ['an address outside the subnet', aNode({ subnets: [{ id: KAKAO.subnetId, private_ip: '192.168.0.9' }] })],
    ['volumes on bare metal', aNode({ volumes: [{ size: 50 }] })],
    ['an empty list of volumes on bare metal', aNode({ volumes: [] })],
    ['no volumes member', without('volumes')],
    ['no security_groups member', without('security_groups')],
    ['no name', without('name')],
    ['an unknown security group', aNode({ security_groups: [{ name: 'nothing' }] })],
    ['an unknown keypair', aNode({ key_name: 'nothing' })],
    ['user data that is not base64', aNode({ user_data: '#!/bin/sh' })],
    ['user data over 16 KB', aNode({ user_data: Buffer.alloc(16 * 1024 + 1).toString('base64') })],
    ['a count of none', aNode({ count: 0 })],
    ['a virtual machine without a root volume', aGpuMachine({ volumes: null })],
    ['a root volume under the image’s minimum', aGpuMachine({ volumes: [{ size: 20 }] })],
    ['an image without the driver on a gpu', aGpuMachine({ image_id: '2a000000-0000-4000-8000-000000000004' })],
    ['bonding on a virtual machine', aGpuMachine({ is_bonding: true })],
  ] as const) {
    it(`refuses ${rule} with 400 and makes nothing`, async () => {
      const answer = await kakao.call(`POST ${INSTANCES}`, body)
      expect(answer.status, answer.text).to.equal(400)
      expect(answer.get('error.code')).to.equal('BadRequest')
      expect((await kakao.ledger()).nodes).to.deep.equal([])
    })
  }

  it('takes the zone from the subnet where none is given, and null for security groups', async () => {
    await made(kakao, aNode({ availability_zone: null, security_groups: null }))
    expect((await list()).get('instances.0.availability_zone')).to.equal(KAKAO.zone)
  })

  it('answers a schema error as FastAPI does where that is switched on', async () => {
    await withKakao({ schemaErrors: 422 }, async (strict) => {
      const answer = await strict.call(`POST ${INSTANCES}`, without('volumes'))
      expect(answer.status).to.equal(422)
      expect(answer.get('detail.0.loc')).to.deep.equal(['body', 'instance', 'volumes'])
    })
  })

  it('pages by limit and offset, newest first, with the total of all pages', async () => {
    for (const number of [1, 2, 3, 4, 5]) await made(kakao, aNode({ name: `node-${number}` }))
    const page = await list('limit=2&offset=1')
    expect(page.each('instances', 'name')).to.deep.equal(['node-4', 'node-3'])
    expect(page.get('pagination')).to.deep.equal({ total: 5, offset: 1, limit: 2 })
    expect(await names('limit=2&offset=4')).to.deep.equal(['node-1'])
    expect(await names('limit=2&offset=9')).to.deep.equal([])
    expect(await names('sort_keys=created_at&sort_dirs=asc&limit=1')).to.deep.equal(['node-1'])
    expect(await names('sort_keys=name&sort_dirs=desc&limit=1')).to.deep.equal(['node-5'])
  })

  it('gives twenty rows where no limit is asked, and a thousand at most', async () => {
    await made(kakao, aNode({ name: 'many', count: 25 }))
    expect(await names()).to.have.length(20)
    expect((await list('limit=5000')).get('pagination.limit')).to.equal(1_000)
  })

  for (const query of ['limit=0', 'limit=many', 'offset=-1', 'sort_dirs=up', 'sort_keys=colour']) {
    it(`refuses a list with ${query}`, async () => {
      await made(kakao)
      expect((await list(query)).status).to.equal(400)
    })
  }

  it('finds names by any part, and other members by their whole', async () => {
    await made(kakao, aNode({ name: 'gb-first-n00' }))
    await made(kakao, aNode({ name: 'gb-second-n00' }))
    expect(await names('name=first')).to.deep.equal(['gb-first-n00'])
    expect(await names('name=n00')).to.have.length(2)
    expect(await names('instance_type=bm&vm_state=building')).to.have.length(2)
    expect(await names('instance_type=b')).to.deep.equal([])
  })

  it('hides a new node from list and detail for as long as lists lag', async () => {
    await kakao.control('behaviour', { listLagMs: 10_000 })
    const id = await made(kakao)
    expect([(await list()).get('pagination.total'), (await kakao.call(`GET ${INSTANCES}/${id}`)).status]).to.deep.equal(
      [0, 404],
    )
    await kakao.at(10_000)
    expect([(await list()).get('pagination.total'), (await kakao.call(`GET ${INSTANCES}/${id}`)).status]).to.deep.equal(
      [1, 200],
    )
  })

  it('renames, and answers the change in another shape than reads', async () => {
    const id = await made(kakao)
    const answer = await kakao.call(`PUT ${INSTANCES}/${id}`, { instance: { name: 'renamed', description: null } })
    expect(answer.status).to.equal(200)
    expect(answer.get('instance')).to.include.all.keys('metadata', 'terminated_at')
    expect(answer.get('instance')).not.to.have.property('status')
    expect((await list()).get('instances.0')).to.include({ name: 'renamed', description: null })
  })

  it('refuses more instances than the quota allows', async () => {
    await kakao.control('behaviour', { quotaNodes: 2 })
    await made(kakao)
    const answer = await kakao.call(`POST ${INSTANCES}`, aNode({ count: 2 }))
    expect([answer.status, answer.get('error.code')]).to.deep.equal([403, 'Forbidden'])
    expect(answer.get('error.message')).to.match(/quota exceeded/i)
    await made(kakao)
    expect((await list()).get('pagination.total')).to.equal(2)
  })

  it('answers too many calls with 429, with Retry-After only where that is switched on', async () => {
    await kakao.token()
    await kakao.control('behaviour', { ratePerSecond: 0.001 })
    const answers = [await list(), await list()]
    expect(answers.map(({ status }) => status)).to.include(429)
    const refused = answers.find(({ status }) => status === 429)
    expect(refused?.get('error.code')).to.equal('TooManyRequests')
    expect(refused?.headers.has('retry-after')).to.equal(false)

    const check = async (polite: KakaoClient): Promise<void> => {
      const both = [await polite.raw(`GET ${INSTANCES}`), await polite.raw(`GET ${INSTANCES}`)]
      expect(both.map(({ headers }) => headers.get('retry-after'))).to.include('2')
    }
    await withKakao({ retryAfterSeconds: 2 }, check, { ratePerSecond: 0.001 })
  })

  it('answers 404 to calls that it does not have', async () => {
    expect((await kakao.call('GET /bcs/api/v1/servers')).status).to.equal(404)
    expect((await kakao.call(`POST ${INSTANCES}/x/actions`, { action: 'stop' })).get('error.code')).to.equal('NotFound')
  })

  it('lets virtual machines start with volumes, and shows them', async () => {
    const id = await made(kakao, aGpuMachine({ flavor_id: GPU_FLAVOR_ID }))
    const detail = await kakao.call(`GET ${INSTANCES}/${id}`)
    expect(detail.get('instance.instance_type')).to.equal('gpu')
    expect(detail.get('instance.attached_volumes.0')).to.include({
      size: 50,
      is_root: true,
      is_delete_on_termination: true,
    })
  })
})
