import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { KAKAO } from '../../deploy/sandbox/settings.ts'
import { aGpuMachine, aNode, BOOT_MS, INSTANCES, made, startKakao, STOP_MS, withKakao } from './kakao-client.ts'
import type { Answer, KakaoClient } from './kakao-client.ts'

describe('sandbox kakao: what stands around instances', () => {
  let kakao: KakaoClient
  beforeEach(async () => {
    kakao = await startKakao()
  })
  afterEach(() => kakao.close())

  const flavor = async (): Promise<Answer> => kakao.call(`GET /bcs/api/v1/flavors/${KAKAO.flavorId}`)
  const interfaceOf = async (id: string): Promise<string> => {
    const answer = await kakao.call(`GET ${INSTANCES}/${id}/network-interfaces`)
    return String(answer.get('network_interfaces.0.id'))
  }
  const activeNode = async (body: object = aNode()): Promise<{ id: string; face: string }> => {
    const id = await made(kakao, body)
    await kakao.at(BOOT_MS)
    return { id, face: await interfaceOf(id) }
  }
  const leftover = async (kind: string) => (await kakao.ledger()).others.filter((other) => other.kind === kind)

  it('lists the fictitious node among bare-metal flavors, never among gpu ones', async () => {
    const metal = await kakao.call('GET /bcs/api/v1/flavors?instance_type=bm&limit=100')
    expect(metal.each('flavors', 'name')).to.include.members([KAKAO.flavorName, 'p2a.baremetal'])
    const gpu = await kakao.call('GET /bcs/api/v1/flavors?instance_type=gpu&limit=100')
    expect(gpu.each('flavors', 'name')).to.include.members(['p2i.6xlarge', 'gf1i.6xlarge'])
    expect(gpu.each('flavors', 'name')).not.to.include(KAKAO.flavorName)
    expect((await flavor()).get('flavor')).to.include({
      hw_type: 'GPU',
      hw_name: 'b200',
      hw_count: 8,
      instance_type: 'bm',
    })
  })

  it('counts free bare-metal nodes per zone down with each one built and up with each one gone', async () => {
    const available = async () => (await flavor()).get('flavor.available')
    expect(await available()).to.deep.equal({ kr_central_2_a: 255 })
    const id = await made(kakao)
    expect(await available()).to.deep.equal({ kr_central_2_a: 254 })
    await kakao.call(`DELETE ${INSTANCES}/${id}`)
    await kakao.at(STOP_MS)
    expect(await available()).to.deep.equal({ kr_central_2_a: 255 })
    await kakao.control('behaviour', { freeNodes: 7 })
    await made(kakao)
    expect(await available()).to.deep.equal({ kr_central_2_a: 6 })
  })

  it('spells zones in `available` with hyphens where that is switched on', async () => {
    await withKakao({ availableKeys: 'hyphen' }, async (other) => {
      const answer = await other.call(`GET /bcs/api/v1/flavors/${KAKAO.flavorId}`)
      expect(answer.get('flavor.available')).to.deep.equal({ 'kr-central-2-a': 255 })
    })
  })

  it('lists gpu images under vm, and tells min_ram there but min_memory in an instance', async () => {
    const vm = await kakao.call('GET /image/api/v1/images?instance_type=vm&image_type=basic')
    expect(vm.each('images', 'name')).to.include('sim-ubuntu-22.04-nvidia')
    const image = await kakao.call(`GET /image/api/v1/images/${KAKAO.gpuImageId}`)
    expect(image.get('image')).to.include({ instance_type: 'bm', status: 'active', min_ram: 0 })
    const instance = await kakao.call(`GET ${INSTANCES}/${await made(kakao)}`)
    expect(instance.get('instance.image')).to.include({ id: KAKAO.gpuImageId, min_memory: 0 })
  })

  it('lists subnets with their zone', async () => {
    const answer = await kakao.call(`GET /vpc/api/v1/subnets?id=${KAKAO.subnetId}`)
    expect(answer.get('subnets.0')).to.include({ availability_zone: KAKAO.zone, operating_status: 'ONLINE' })
    expect((await kakao.call('GET /vpc/api/v1/subnets/nothing')).status).to.equal(404)
  })

  it('makes and attaches a public IP once the instance is active, and only one', async () => {
    const early = await made(kakao)
    await kakao.at(BOOT_MS / 2)
    const path = `${INSTANCES}/${early}/network-interfaces/${await interfaceOf(early)}/public-ips`
    expect((await kakao.call(`POST ${path}`)).status).to.equal(409)
    expect(await leftover('public-ip')).to.deep.equal([])
    await kakao.at(BOOT_MS)
    const answer = await kakao.call(`POST ${path}`)
    expect([answer.status, answer.get('public_ip.status')]).to.deep.equal([200, 'attaching'])
    expect((await kakao.call(`POST ${path}`)).status).to.equal(409)
    await kakao.at(2 * BOOT_MS)
    const address = answer.get('public_ip.public_ip')
    expect((await kakao.call(`GET ${INSTANCES}/${early}`)).get('instance.addresses.0.public_ip')).to.equal(address)
    const listed = await kakao.call('GET /network/api/v1/public-ips?status=in_use')
    expect(listed.get('public_ips.0.related_resource')).to.include({ device_id: early, status: 'in_use' })
  })

  it('keeps a public IP when its instance is deleted, until it is deleted itself', async () => {
    const { id, face } = await activeNode()
    const attached = await kakao.call(`POST ${INSTANCES}/${id}/network-interfaces/${face}/public-ips`)
    const ip = String(attached.get('public_ip.id'))
    expect((await kakao.call(`DELETE /network/api/v1/public-ips/${ip}`)).status).to.equal(409)
    await kakao.call(`DELETE ${INSTANCES}/${id}`)
    await kakao.at(2 * BOOT_MS)
    const seen = await kakao.call(`GET /network/api/v1/public-ips/${ip}`)
    expect([seen.get('public_ip.status'), seen.get('public_ip.related_resource')]).to.deep.equal(['available', null])
    expect((await leftover('public-ip')).map(({ deletedAt }) => deletedAt)).to.deep.equal([null])
    expect((await kakao.call(`DELETE /network/api/v1/public-ips/${ip}`)).status).to.equal(204)
    expect((await kakao.call(`DELETE /network/api/v1/public-ips/${ip}`)).status).to.equal(404)
    expect((await leftover('public-ip'))[0]?.deletedAt).to.be.a('string')
  })

  it('detaches a public IP and keeps it, unless is_delete says otherwise', async () => {
    const { id, face } = await activeNode()
    const path = `${INSTANCES}/${id}/network-interfaces/${face}/public-ips`
    await kakao.call(`POST ${path}`)
    expect((await kakao.call(`DELETE ${path}`)).get('public_ip.status')).to.equal('available')
    const [kept] = (await kakao.call('GET /network/api/v1/public-ips')).each('public_ips', 'id')
    expect((await kakao.call(`PUT ${path}/${String(kept)}`)).status).to.equal(200)
    expect((await kakao.call(`DELETE ${path}?is_delete=true`)).status).to.equal(200)
    expect((await kakao.call('GET /network/api/v1/public-ips')).get('pagination.total')).to.equal(0)
    expect((await kakao.call(`DELETE ${path}`)).status).to.equal(404)
  })

  it('binds and unbinds a public IP from the network host too', async () => {
    const { face } = await activeNode()
    const ip = await kakao.call('POST /network/api/v1/public-ips', { public_ip: { description: 'mine' } })
    const path = `/network/api/v1/public-ips/${String(ip.get('public_ip.id'))}/network-interfaces`
    expect([ip.status, ip.get('public_ip.status')]).to.deep.equal([202, 'available'])
    expect((await kakao.call(`PUT ${path}/nothing`)).status).to.equal(404)
    expect((await kakao.call(`PUT ${path}/${face}`)).get('public_ip.related_resource.id')).to.equal(face)
    const found = await kakao.call(`GET /network/api/v1/public-ips?related_resource_id=${face}`)
    expect(found.each('public_ips', 'description')).to.deep.equal(['mine'])
    expect((await kakao.call(`DELETE ${path}/${face}`)).get('public_ip.status')).to.equal('available')
  })

  it('deletes a volume with its instance only where it is marked so', async () => {
    const volumes = [
      { size: 50, is_delete_on_termination: true },
      { size: 100, is_delete_on_termination: false },
    ]
    const { id } = await activeNode(aGpuMachine({ volumes }))
    expect((await kakao.call(`GET /volume/api/v1/volumes?instance_id=${id}`)).each('volumes', 'size')).to.have.members([
      50, 100,
    ])
    await kakao.call(`DELETE ${INSTANCES}/${id}`)
    await kakao.at(2 * BOOT_MS)
    const left = await kakao.call('GET /volume/api/v1/volumes')
    expect(left.get('pagination.total')).to.equal(1)
    expect(left.get('volumes.0')).to.include({ size: 100, status: 'available', instance_id: null })
    const standing = (await leftover('volume')).filter(({ deletedAt }) => deletedAt === null)
    expect(standing.map((volume) => volume.id)).to.deep.equal([left.get('volumes.0.id')])
    expect((await kakao.call(`DELETE /volume/api/v1/volumes/${String(left.get('volumes.0.id'))}`)).status).to.equal(204)
    expect((await leftover('volume')).filter(({ deletedAt }) => deletedAt === null)).to.deep.equal([])
  })

  it('attaches a volume of the same zone to a virtual machine, never to bare metal', async () => {
    const volume = async (zone: string): Promise<string> => {
      const body = { volume: { name: 'data', size: 10, availability_zone: zone } }
      return String((await kakao.call('POST /volume/api/v1/volumes', body)).get('volume.id'))
    }
    const [near, far] = [await volume(KAKAO.zone), await volume('kr-central-2-b')]
    const [metal, machine] = [await made(kakao), await made(kakao, aGpuMachine())]
    await kakao.at(BOOT_MS)
    const attach = async (instance: string, id: string): Promise<number> =>
      (await kakao.call(`POST ${INSTANCES}/${instance}/volumes/${id}`, { volume: {} })).status
    expect(await attach(metal, near)).to.equal(409)
    expect(await attach(machine, far)).to.equal(400)
    expect(await attach(machine, near)).to.equal(202)
    expect((await kakao.call(`DELETE /volume/api/v1/volumes/${near}`)).status).to.equal(409)
    expect((await kakao.call(`DELETE ${INSTANCES}/${machine}/volumes/${near}`)).status).to.equal(204)
  })

  it('names volume types without paging', async () => {
    const types = await kakao.call('GET /volume/api/v1/volumes/types')
    expect([types.each('volume_types', 'name'), types.get('pagination')]).to.deep.equal([['SSD'], undefined])
  })

  it('hands out a private key once, and only for a keypair that it made', async () => {
    const own = await kakao.call('POST /bcs/api/v1/keypairs', { keypair: { name: 'made-here' } })
    expect(own.status).to.equal(201)
    expect(own.get('keypair.private_key')).to.match(/^-----BEGIN PRIVATE KEY-----/)
    const shown = await kakao.call('GET /bcs/api/v1/keypairs/made-here')
    expect(shown.get('keypair')).to.include({ name: 'made-here', type: 'ssh' }).and.not.have.property('private_key')
    const given = { keypair: { name: 'brought', public_key: own.get('keypair.public_key') } }
    const brought = await kakao.call('POST /bcs/api/v1/keypairs', given)
    expect(brought.get('keypair')).not.to.have.property('private_key')
    expect(brought.get('keypair.fingerprint')).to.equal(own.get('keypair.fingerprint'))
    expect((await kakao.call('POST /bcs/api/v1/keypairs', given)).status).to.equal(409)
    expect(
      (await kakao.call('POST /bcs/api/v1/keypairs', { keypair: { name: 'bad', public_key: 'x' } })).status,
    ).to.equal(400)
    expect((await kakao.call('DELETE /bcs/api/v1/keypairs/brought')).status).to.equal(204)
    const standing = (await leftover('keypair')).filter(({ deletedAt }) => deletedAt === null)
    expect(standing.map(({ name }) => name)).to.deep.equal(['made-here'])
  })

  it('refuses a second security group of one name, and shows a new rule late, its ports as texts', async () => {
    const body = { security_group: { name: 'ssh-only' } }
    const group = await kakao.call('POST /network/api/v1/security-groups', body)
    expect((await kakao.call('POST /network/api/v1/security-groups', body)).status).to.equal(409)
    const path = `/network/api/v1/security-groups/${String(group.get('security_group.id'))}`
    const rule = {
      direction: 'ingress',
      protocol: 'TCP',
      port_range_min: 22,
      port_range_max: 22,
      remote_ip_prefix: '10.0.0.0/8',
    }
    expect((await kakao.call(`POST ${path}/rules`, { security_group_rule: rule })).status).to.equal(202)
    expect((await kakao.call(`GET ${path}`)).get('security_group.rules')).to.deep.equal([])
    await kakao.at(BOOT_MS)
    expect((await kakao.call(`GET ${path}`)).get('security_group.rules.0')).to.include({ port_range_min: '22' })
  })

  it('shows a bare-metal node’s security groups, and refuses to change its interfaces', async () => {
    const { id, face } = await activeNode()
    expect((await kakao.call(`GET ${INSTANCES}/${id}`)).each('instance.security_groups', 'name')).to.deep.equal([
      'default',
    ])
    expect((await kakao.call(`DELETE ${INSTANCES}/${id}/network-interfaces/${face}`)).status).to.equal(409)
  })

  it('gives every node an address of its own', async () => {
    await made(kakao, aNode({ name: 'many', count: 100 }))
    await kakao.at(BOOT_MS)
    const answer = await kakao.call('GET /vpc/api/v1/network-interfaces?limit=1000')
    expect(new Set(answer.each('network_interfaces', 'private_ip')).size).to.equal(100)
  })

  it('tells the console text under a key with a hyphen', async () => {
    const { id } = await activeNode()
    expect((await kakao.call(`GET ${INSTANCES}/${id}/console-logs`)).get('console-logs'))
      .to.be.a('string')
      .and.not.equal('')
  })
})
