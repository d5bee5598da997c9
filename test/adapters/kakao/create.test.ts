import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { namePrefixOf } from '../../../shared/ids.ts'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import {
  type Clock,
  FLAVOR,
  HOST,
  IMAGE,
  NODE,
  NOW,
  OWNER,
  SUBNET,
  TAG,
  ZONE,
  aCall,
  aGroup,
  aProvider,
  anInstance,
  iamAnswers,
  listAnswers,
  listPath,
} from './support.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 someone@"example\'s"'

type Sent = { readonly instance: Readonly<Record<string, unknown>> }

/** Takes every create. @returns what was sent, in order */
function createAnswers(): Sent[] {
  const sent: Sent[] = []
  nock(HOST.bcs)
    .persist()
    .post(listPath)
    .reply((_uri, body) => {
      sent.push(body as unknown as Sent) // nock has parsed what we sent
      return [202, { instance: { id: NODE(sent.length), security_groups: [], admin_pass: null, disk_config: 'AUTO' } }]
    })
  return sent
}

const names = (sent: readonly Sent[]): unknown[] => sent.map(({ instance }) => instance['name'])

describe('createNodes of kakao', () => {
  onlyPreparedAnswers()
  beforeEach(() => {
    iamAnswers()
  })

  it('looks for the group by name, then asks for its members one by one', async () => {
    const look = nock(HOST.bcs)
      .get(listPath)
      .query((query) => query['name'] === OWNER.group && query['limit'] === '1000' && query['offset'] === '0')
      .reply(200, { instances: [], pagination: { total: 0, offset: 0, limit: 1_000 } })
    const sent = createAnswers()
    const nodes = await aProvider().createNodes(aGroup(), aCall())
    look.done()
    expect(names(sent)).to.deep.equal([`${OWNER.group}-1`, `${OWNER.group}-2`])
    expect(nodes.map(({ providerInstanceId }) => providerInstanceId)).to.deep.equal([NODE(1), NODE(2)])
    expect(nodes[0]).to.include({ state: 'building', clusterId: 'kakao-b200-255', name: `${OWNER.group}-1` })
  })

  it('looks once, at the whole allocation, for all groups that are asked for at the same time', async () => {
    const look = nock(HOST.bcs)
      .get(listPath)
      .query((query) => query['name'] === namePrefixOf(OWNER.allocationId))
      .reply(200, { instances: [], pagination: { total: 0, offset: 0, limit: 1_000 } })
    const sent = createAnswers()
    const provider = aProvider()
    const groups = Array.from({ length: 6 }, (_, n) => `${OWNER.group.slice(0, -1)}${n}`)
    await Promise.all(
      groups.map((group) => provider.createNodes(aGroup({ name: group, owner: { ...OWNER, group } }), aCall())),
    )
    look.done()
    expect(names(sent)).to.have.members(groups.flatMap((group) => [`${group}-1`, `${group}-2`]))
  })

  it('says everything explicitly for bare metal: no volumes, bonding, hyper-threading, zone', async () => {
    listAnswers([])
    const sent = createAnswers()
    await aProvider().createNodes(aGroup({ size: 1 }), aCall())
    expect(sent[0]?.instance).to.deep.equal({
      name: `${OWNER.group}-1`,
      description: TAG,
      count: 1,
      image_id: IMAGE,
      flavor_id: FLAVOR,
      availability_zone: ZONE,
      subnets: [{ id: SUBNET }],
      volumes: null,
      security_groups: [{ name: 'default' }],
      is_disable_hyper_threading: false,
      key_name: 'broker-key',
      is_bonding: true,
    })
  })

  it('asks for a root disk that goes with the node where it is no bare metal', async () => {
    listAnswers([])
    const sent = createAnswers()
    const cluster = { bareMetal: false, rootVolumeGb: 200, keyName: null }
    await aProvider({ cluster }).createNodes(aGroup({ size: 1 }), aCall())
    expect(sent[0]?.instance['volumes']).to.deep.equal([
      { size: 200, source_type: 'image', uuid: IMAGE, is_delete_on_termination: true },
    ])
    expect(sent[0]?.instance).to.not.have.any.keys('is_bonding', 'key_name', 'user_data')
  })

  it('places SSH keys by cloud-config, quoted so that no key can say anything else', async () => {
    listAnswers([])
    const sent = createAnswers()
    await aProvider().createNodes(aGroup({ size: 1, sshPublicKeys: [KEY] }), aCall())
    const script = Buffer.from(String(sent[0]?.instance['user_data']), 'base64').toString()
    const [header, ...rest] = script.split('\n')
    expect(header).to.equal('#cloud-config')
    expect(JSON.parse(rest.join('\n'))).to.deep.equal({ ssh_authorized_keys: [KEY] })
  })

  it('asks only for the members that are missing, whatever state the others are in', async () => {
    listAnswers([
      anInstance(1, { status: 'error', vm_state: 'error' }),
      anInstance(3, { description: null }), // no readable tag, but a member's name
      anInstance(7, { name: `${OWNER.group}-20` }), // a substring only
    ])
    const sent = createAnswers()
    await aProvider().createNodes(aGroup({ size: 3 }), aCall())
    expect(names(sent)).to.deep.equal([`${OWNER.group}-2`])
  })

  it('asks for nothing when the whole group is there, even twice under one name', async () => {
    listAnswers([anInstance(1), anInstance(2), anInstance(9, { name: `${OWNER.group}-1` })])
    const nodes = await aProvider().createNodes(aGroup(), aCall())
    expect(nodes.map(({ providerInstanceId }) => providerInstanceId)).to.deep.equal([NODE(1), NODE(2), NODE(9)])
  })

  it('does not take a node of another installation for a member', async () => {
    listAnswers([anInstance(1, { description: TAG.replace('ins_abcdefghijklmnop', 'ins_otherinstallatio') })])
    const sent = createAnswers()
    await aProvider().createNodes(aGroup({ size: 1 }), aCall())
    expect(sent).to.have.length(1)
  })

  it('makes one set of nodes when asked twice at once, although lists lag behind', async () => {
    nock(HOST.bcs).persist().get(listPath).query(true).reply(200, { instances: [] })
    const sent = createAnswers()
    const provider = aProvider()
    const both = await Promise.all([1, 2].map(() => provider.createNodes(aGroup(), aCall())))
    expect(sent).to.have.length(2)
    expect(both[0]).to.deep.equal(both[1])
  })

  it('forgets what it made after the visibility delay, and at once what was asked to go', async () => {
    const clock: Clock = { now: NOW }
    nock(HOST.bcs).persist().get(listPath).query(true).reply(200, { instances: [] })
    nock(HOST.bcs)
      .delete(`${listPath}/${NODE(1)}`)
      .reply(204)
    const sent = createAnswers()
    const provider = aProvider({ clock, cluster: { visibilityDelayMs: 1_000 } })
    const create = () => provider.createNodes(aGroup({ size: 1 }), aCall({ deadlineAt: clock.now + 5_000 }))
    await create()
    await provider.deleteNodes({ clusterId: 'kakao-b200-255', providerInstanceIds: [NODE(1)] }, aCall())
    await create()
    clock.now = NOW + 999
    await create()
    expect(sent).to.have.length(2)
    clock.now = NOW + 1_000
    await create()
    expect(sent).to.have.length(3)
  })

  it('asks for nothing when the look fails', async () => {
    nock(HOST.bcs).get(listPath).query(true).reply(503, '')
    const error = await rejectionOf('unreachable', aProvider().createNodes(aGroup(), aCall()))
    expect(error.effect).to.equal('none')
  })

  for (const [what, status, body, kind, effect] of [
    ['a refusal', 400, { error: { code: 'BadRequest', message: 'image does not suit' } }, 'refused', 'none'],
    ['a shortage', 409, { error: { code: 'Conflict', message: 'No valid host was found' } }, 'out-of-capacity', 'none'],
    ['a quota', 403, { error: { code: 'Forbidden', message: 'Quota exceeded' } }, 'quota-exceeded', 'none'],
    ['too many calls', 429, '', 'throttled', 'none'],
    ['a fault', 500, '', 'unreachable', 'maybe'],
    ['success without an id', 202, {}, 'malformed', 'maybe'],
    ['success without a body', 202, '', 'malformed', 'maybe'],
    ['success that says null', 202, 'null', 'malformed', 'maybe'],
  ] as const) {
    it(`ends at the first answer that is ${what}: ${kind}, effect ${effect}`, async () => {
      listAnswers([])
      nock(HOST.bcs).post(listPath).reply(status, body)
      const error = await rejectionOf(kind, aProvider().createNodes(aGroup(), aCall()))
      expect(error.effect).to.equal(effect)
    })
  }

  it('is maybe done when the connection breaks, and never sent again by itself', async () => {
    listAnswers([])
    nock(HOST.bcs)
      .post(listPath)
      .replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
    const error = await rejectionOf('unreachable', aProvider().createNodes(aGroup(), aCall()))
    expect(error.effect).to.equal('maybe')
  })

  it('is maybe done when a later member is refused, because the earlier ones exist', async () => {
    listAnswers([])
    nock(HOST.bcs)
      .post(listPath)
      .reply(202, { instance: { id: NODE(1) } })
      .post(listPath)
      .reply(409, { error: { code: 'Conflict', message: 'No valid host was found' } })
    const error = await rejectionOf('out-of-capacity', aProvider().createNodes(aGroup(), aCall()))
    expect(error).to.include({ effect: 'maybe', code: 'Conflict', providerMessage: 'No valid host was found' })
  })

  it('sends a create again with a new token after a 401, which did nothing', async () => {
    listAnswers([])
    const created = nock(HOST.bcs)
      .post(listPath)
      .reply(401, '')
      .post(listPath)
      .matchHeader('x-auth-token', 'token-2')
      .reply(202, { instance: { id: NODE(1) } })
    expect(await aProvider().createNodes(aGroup({ size: 1 }), aCall())).to.have.length(1)
    created.done()
  })

  for (const [what, group] of [
    ['an unknown cluster', { clusterId: 'kakao-b200-own' }],
    ['an unknown image', { imageAlias: 'windows' }],
    ['an unknown network', { network: 'net-2' }],
    ['more nodes than a batch holds', { size: 11 }],
    ['no nodes', { size: 0 }],
    ['a name that breaks the rule for names', { name: 'gb--x' }],
    ['a boot script beyond 16 KB', { sshPublicKeys: Array.from({ length: 16 }, () => 'k'.repeat(1_100)) }],
  ] as const) {
    it(`refuses ${what} before anything is sent`, async () => {
      nock.cleanAll()
      const error = await rejectionOf('refused', aProvider().createNodes(aGroup(group), aCall()))
      expect(error.effect).to.equal('none')
    })
  }
})
