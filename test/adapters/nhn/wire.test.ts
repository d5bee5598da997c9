import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ServerPage, memberOf, toNode } from '../../../adapters/nhn/wire.ts'
import { ALLOCATION, GROUP, INSTALLATION, type ServerOptions, aServer, settingsOf } from './support.ts'

const CONTEXT = settingsOf()

function nodeOf(options: ServerOptions, context = CONTEXT): ReturnType<typeof toNode> {
  const [server] = ServerPage.parse({ servers: [aServer(options)] }).servers
  if (server === undefined) throw new Error('the page has one server')
  return toNode(server, context)
}

describe('a server of NHN as a node', () => {
  it('has its member name, owner, cluster, fixed address and time', () => {
    expect(nodeOf({})).to.deep.equal({
      providerInstanceId: '11111111-0000-4000-8000-000000000001',
      name: `${GROUP}-1`,
      owner: { installationId: INSTALLATION, allocationId: ALLOCATION, group: GROUP },
      clusterId: 'nhn-b200-510',
      state: 'ready',
      inFabric: true,
      address: '192.168.0.10',
      createdAt: Date.parse('2026-11-23T05:00:00Z'),
      failure: null,
    })
  })

  for (const { options, state } of [
    { options: { status: 'BUILD', taskState: 'spawning', addresses: {} }, state: 'building' },
    { options: { status: 'ACTIVE' }, state: 'ready' },
    { options: { status: 'ACTIVE', addresses: {} }, state: 'building' },
    { options: { status: 'ACTIVE', taskState: 'deleting' }, state: 'deleting' },
    { options: { status: 'ERROR', taskState: 'deleting' }, state: 'deleting' },
    { options: { status: 'SOFT_DELETED' }, state: 'deleting' },
    { options: { status: 'ERROR' }, state: 'failed' },
    { options: { status: 'SHUTOFF' }, state: 'building' },
    { options: { status: 'SOMETHING_NEW' }, state: 'building' },
  ])
    it(`is ${state} with ${JSON.stringify(options)}`, () => {
      expect(nodeOf(options).state).to.equal(state)
    })

  for (const { name, member } of [
    { name: GROUP, member: `${GROUP}-1` },
    { name: `${GROUP}-7`, member: `${GROUP}-7` },
    { name: `${GROUP}7`, member: `${GROUP}-7` },
    { name: `${GROUP}-0`, member: `${GROUP}-0` },
    { name: `${GROUP}-07`, member: `${GROUP}-7` },
    { name: `${GROUP}-x`, member: null },
    { name: `x${GROUP}-1`, member: null },
    { name: `${GROUP}-1-1`, member: null },
  ])
    it(`translates the name ${name} to ${member}`, () => {
      expect(memberOf(name, GROUP, 1)).to.equal(member)
    })

  it('numbers members from 1 where the operator is configured to number them from 0', () => {
    expect(memberOf(`${GROUP}-0`, GROUP, 0)).to.equal(`${GROUP}-1`)
  })

  it('keeps the name of a server that somebody renamed', () => {
    expect(nodeOf({ name: 'renamed' })).to.include({ name: 'renamed', clusterId: 'nhn-b200-510' })
  })

  it('tells why it failed, and whether for want of room', () => {
    const noHost = {
      fault: {
        code: 500,
        created: '2026-11-23T05:00:00Z',
        message: 'No valid host was found. There are not enough hosts available.',
      },
    }
    expect(nodeOf({ status: 'ERROR', more: noHost }).failure).to.deep.equal({
      code: '500',
      message: noHost.fault.message,
      kind: 'out-of-capacity',
    })
    const storage = { fault: { code: 500, message: 'Build of instance x aborted: Block Device Mapping is Invalid.' } }
    expect(nodeOf({ status: 'ERROR', more: storage }).failure?.kind).to.equal('fault')
    expect(nodeOf({ status: 'ERROR' }).failure?.message).to.not.equal('')
  })

  it('stands in the only cluster of its zone where nothing is written on it', () => {
    const metadata = { 'gpu-broker-cluster': 'unheard-of' }
    expect(nodeOf({ metadata }).clusterId).to.equal('nhn-b200-510')
    expect(nodeOf({ metadata, more: { 'OS-EXT-AZ:availability_zone': 'kr-pub-b' } }).clusterId).to.equal(null)
    const clusters = CONTEXT.clusters['nhn-b200-510']
    if (clusters === undefined) throw new Error('the cluster is configured')
    expect(nodeOf({ metadata }, { ...CONTEXT, clusters: { a: clusters, b: clusters } }).clusterId).to.equal(null)
  })

  it('is readable without the members that NHN may leave out', () => {
    const bare = {
      id: 'a',
      name: 'b',
      status: 'BUILD',
      metadata: null,
      addresses: null,
      created: '2026-11-23T05:00:00.25',
    }
    const [server] = ServerPage.parse({ servers: [bare] }).servers
    expect(server && toNode(server, CONTEXT)).to.include({
      owner: null,
      clusterId: null,
      address: null,
      createdAt: Date.parse('2026-11-23T05:00:00.250Z'),
    })
  })

  it('takes a floating address only where there is no fixed one', () => {
    const floating = { addr: '180.210.1.2', version: 4, 'OS-EXT-IPS:type': 'floating' }
    const six = { addr: 'fd00::1', version: 6, 'OS-EXT-IPS:type': 'fixed' }
    expect(nodeOf({ addresses: { net: [floating] } }).address).to.equal('180.210.1.2')
    expect(nodeOf({ addresses: { net: [floating, six] } }).address).to.equal('fd00::1')
  })
})
