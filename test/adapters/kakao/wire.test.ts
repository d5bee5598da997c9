import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Instance, clusterOf, freeNodes, instantOf, reasonOf, stateOf, toNode } from '../../../adapters/kakao/wire.ts'
import { FLAVOR, NODE, OWNER, TAG, ZONE, aSettings, anInstance } from './support.ts'

const parsed = (changes: object = {}): Instance => Instance.parse(anInstance(1, changes))
const { clusters } = aSettings()

describe('wire of kakao', () => {
  for (const [why, changes, state] of [
    ['active, idle and connected', {}, 'ready'],
    ['active in capitals, as the documents have it', { status: 'Active' }, 'ready'],
    ['active with a task running', { task_state: 'powering-off' }, 'building'],
    ['active without a network interface yet', { addresses: [] }, 'building'],
    ['active with addresses unknown', { addresses: null }, 'building'],
    ['spawning', { status: 'spawning', vm_state: 'building', task_state: 'spawning', addresses: [] }, 'building'],
    ['a status nobody has seen', { status: 'defrosting' }, 'building'],
    ['no status at all', { status: null, vm_state: null }, 'building'],
    ['active by its vm_state alone', { status: undefined }, 'ready'],
    ['active, at an address of no named interface', { addresses: [{ private_ip: '10.0.0.1' }] }, 'ready'],
    ['active, at no address', { addresses: [{ private_ip: null, public_ip: '203.0.113.7' }] }, 'building'],
    ['stopped', { status: 'stopped', vm_state: 'stopped' }, 'building'],
    ['in error', { status: 'error', vm_state: 'error' }, 'failed'],
    ['active but in error underneath', { vm_state: 'error' }, 'failed'],
    ['being deleted', { status: 'deleting', task_state: 'deleting' }, 'deleting'],
    ['being deleted after an error', { status: 'error', vm_state: 'error', task_state: 'deleting' }, 'deleting'],
    ['deleted and still in the list', { status: 'deleted', vm_state: 'deleted' }, 'deleting'],
  ] as const) {
    it(`calls an instance that is ${why} ${state}`, () => {
      expect(stateOf(parsed(changes))).to.equal(state)
    })
  }

  it('tells all about a node from a row of the list', () => {
    expect(toNode(parsed(), clusters)).to.deep.equal({
      providerInstanceId: NODE(1),
      name: 'gbabcdefghijklmnop-000-1',
      owner: OWNER,
      clusterId: 'kakao-b200-255',
      state: 'ready',
      inFabric: true,
      address: '10.0.0.1',
      createdAt: Date.parse('2026-11-30T23:50:00Z'),
      failure: null,
    })
  })

  it('keeps an instance of which nothing but the id can be read', () => {
    const odd = Instance.parse({ id: NODE(1), name: 7, addresses: 'none', flavor: [], is_k8se: 'no', created_at: {} })
    expect(toNode(odd, clusters)).to.include({ providerInstanceId: NODE(1), owner: null, clusterId: null })
  })

  it('writes an owner tag that the rule for descriptions allows', () => {
    expect(TAG).to.match(/^[A-Za-z0-9 .,!?()[\]{}:;"'@#%&*+=_/\\|<>~-]{1,100}$/)
  })

  it('shows the public address before the private one', () => {
    const addresses = [{ private_ip: '10.0.0.1', public_ip: '203.0.113.7', network_interface_id: 'n' }]
    expect(toNode(parsed({ addresses }), clusters).address).to.equal('203.0.113.7')
  })

  it('knows the cluster by flavor and zone, and by the flavor alone only where no other has it', () => {
    const two = { a: { flavorId: FLAVOR, zone: ZONE }, b: { flavorId: FLAVOR, zone: 'kr-central-2-b' } }
    expect(clusterOf(parsed({ availability_zone: 'kr-central-2-b' }), two)).to.equal('b')
    expect(clusterOf(parsed({ availability_zone: null }), two)).to.equal(null)
    expect(clusterOf(parsed({ availability_zone: null }), clusters)).to.equal('kakao-b200-255')
    expect(clusterOf(parsed({ availability_zone: 'kr-central-2-c' }), clusters)).to.equal(null)
    expect(clusterOf(parsed({ flavor: { id: 'another' } }), clusters)).to.equal(null)
    expect(clusterOf(parsed({ flavor: null }), clusters)).to.equal(null)
  })

  for (const key of ['kr-central-2-a', 'kr_central_2_a', 'KR_CENTRAL_2_A']) {
    it(`reads the free nodes of a zone under the key ${key}`, () => {
      const flavor = { id: FLAVOR, instance_type: 'bm', availability_zone: null, available: { other: 1, [key]: 42 } }
      expect(freeNodes(flavor, ZONE)).to.equal(42)
    })
  }

  it('does not know the free nodes of a zone that is not told', () => {
    const flavor = { id: FLAVOR, instance_type: 'bm', availability_zone: null, available: { kr_central_2_b: 3 } }
    expect(freeNodes(flavor, ZONE)).to.equal(null)
    expect(freeNodes({ ...flavor, available: null }, ZONE)).to.equal(null)
  })

  it('takes a time without an offset for UTC', () => {
    expect(instantOf('2026-12-01T00:00:00')).to.equal(Date.parse('2026-12-01T00:00:00Z'))
    expect(instantOf('2026-12-01T09:00:00+09:00')).to.equal(Date.parse('2026-12-01T00:00:00Z'))
    expect(instantOf('2026-12-01T00:00:00.123456Z')).to.equal(Date.parse('2026-12-01T00:00:00.123Z'))
    expect(instantOf('yesterday')).to.equal(null)
  })

  it('takes the newest entry of an action log that says anything for the reason', () => {
    const entry = (message: string | null, at: string, id: string) => ({
      message,
      request_id: id,
      start_time: at,
      updated_at: null,
    })
    const actions = [
      entry('created', '2026-12-01T00:00:00Z', 'req-1'),
      entry('No valid host was found.', '2026-12-01T00:00:05Z', 'req-2'),
      entry(null, '2026-12-01T00:00:09Z', 'req-3'),
    ]
    expect(reasonOf({ actions })).to.deep.equal({ requestId: 'req-2', message: 'No valid host was found.' })
    expect(reasonOf({ actions: [entry(' ', '2026-12-01T00:00:00Z', 'req-1')] })).to.equal(null)
    expect(reasonOf({ actions: null })).to.equal(null)
  })
})
