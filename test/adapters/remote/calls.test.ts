import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import { CLUSTER, FILTER, HOST, NOW, OWNER, aCall, aGroup, aNode, aProvider, identityAnswers } from './support.ts'

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

describe('calls of a remote provider', () => {
  onlyPreparedAnswers()
  beforeEach(() => void identityAnswers())

  it('carry the operation, the time that is left, and the trace', async () => {
    const ping = nock(HOST)
      .get('/gpu/v1/ping')
      .matchHeader('gpu-broker-operation-id', 'op-7')
      .matchHeader('gpu-broker-timeout-ms', '5000')
      .matchHeader('traceparent', TRACEPARENT)
      .reply(204)
    await aProvider().ping(aCall({ operationId: 'op-7', traceparent: TRACEPARENT }))
    ping.done()
  })

  it('ask for a group under its name, with the operator’s own image', async () => {
    const { size, clusterId, network, sshPublicKeys, owner } = aGroup()
    const body = {
      size,
      clusterId,
      image: 'img-22.04',
      network,
      sshPublicKeys: [...sshPublicKeys],
      owner: { ...owner },
    }
    nock(HOST)
      .put(`/gpu/v1/groups/${OWNER.group}`, body)
      .reply(200, { items: [aNode(1, { state: 'building', address: null })], estimate: 'ignored' })
    expect(await aProvider().createNodes(aGroup(), aCall())).to.deep.equal([
      {
        providerInstanceId: 'node-1',
        name: `${OWNER.group}-1`,
        owner: OWNER,
        clusterId: CLUSTER,
        state: 'building',
        inFabric: true,
        address: null,
        createdAt: NOW - 600_000,
        failure: null,
      },
    ])
  })

  for (const change of [{ clusterId: 'no-such' }, { imageAlias: 'constructor' }, { network: 'no-such' }]) {
    it(`refuse what is not configured and send nothing: ${Object.keys(change).join()}`, async () => {
      const error = await rejectionOf('refused', aProvider().createNodes(aGroup(change), aCall()))
      expect(error).to.include({ effect: 'none', code: 'NOT_CONFIGURED' })
    })
  }

  it('read all pages of a list, each node once', async () => {
    const page = (cursor: object, answer: object) =>
      nock(HOST)
        .get('/gpu/v1/nodes')
        .query({ ...FILTER, allocationId: OWNER.allocationId, limit: '2', ...cursor })
        .reply(200, answer)
    page({}, { items: [aNode(1), aNode(2)], nextCursor: 'a&b' })
    page({ cursor: 'a&b' }, { items: [aNode(2), aNode(3, { state: 'melting' })], nextCursor: null })
    const provider = aProvider({ settings: { pageSize: 2 } })
    const nodes = await provider.listNodes({ ...FILTER, allocationId: OWNER.allocationId }, aCall())
    expect(nodes.map(({ providerInstanceId, state }) => [providerInstanceId, state])).to.deep.equal([
      ['node-1', 'ready'],
      ['node-2', 'ready'],
      ['node-3', 'building'],
    ])
  })

  it('list nobody else’s nodes, although the operator’s filter lets them through', async () => {
    const foreign = { ...OWNER, installationId: 'ins_ponmlkjihgfedcba' }
    const items = [aNode(1), aNode(2, { owner: foreign }), aNode(3, { owner: null })]
    nock(HOST).get('/gpu/v1/nodes').query(true).reply(200, { items, nextCursor: null })
    const nodes = await aProvider().listNodes(FILTER, aCall())
    expect(nodes.map((node) => node.providerInstanceId)).to.deep.equal(['node-1'])
  })

  it('list beside them the nodes that were taken over, whosever they seem to be, and delete them as such', async () => {
    const taken = aNode(7, { owner: null, name: 'gpu-old-7' })
    nock(HOST)
      .post('/gpu/v1/nodes/find', { nodeIds: ['node-7', 'node-8'] })
      .reply(200, { items: [taken, aNode(9, { owner: null })] })
    nock(HOST)
      .get('/gpu/v1/nodes')
      .query(true)
      .reply(200, { items: [aNode(1)], nextCursor: null })
    const nodes = await aProvider().listNodes({ ...FILTER, adopted: ['node-7', 'node-8'] }, aCall())
    expect(nodes.map(({ name }) => name).toSorted()).to.deep.equal([`${OWNER.group}-1`, 'gpu-old-7'].toSorted())
    const deletion = nock(HOST)
      .post('/gpu/v1/nodes/delete', { clusterId: CLUSTER, nodeIds: ['node-1', 'node-7'], adopted: ['node-7'] })
      .reply(200, {})
    const request = { clusterId: CLUSTER, providerInstanceIds: ['node-1', 'node-7'], adopted: ['node-7'] }
    await aProvider().deleteNodes(request, aCall())
    deletion.done()
  })

  it('list what others made in the configured clusters, all pages, where the operator can tell', async () => {
    const other = (n: number, changes: object = {}): object => {
      return { id: `node-${n}`, name: `by-hand-${n}`, owner: null, clusterId: CLUSTER, ...changes }
    }
    const page = (cursor: object, answer: object) =>
      nock(HOST)
        .get('/gpu/v1/nodes/others')
        .query({ ...FILTER, limit: '2', ...cursor })
        .reply(200, answer)
    page({}, { items: [other(1), other(2, { clusterId: 'elsewhere' })], nextCursor: 'next' })
    page({ cursor: 'next' }, { items: [other(1), other(3, { owner: OWNER })], nextCursor: null })
    const provider = aProvider({ settings: { listsOthers: true, pageSize: 2 } })
    expect(await provider.listOthers?.(FILTER, aCall())).to.deep.equal([
      { providerInstanceId: 'node-1', name: 'by-hand-1', clusterId: CLUSTER, createdAt: null },
    ])
    expect(aProvider()).to.not.have.property('listOthers')
  })

  it('give up on a list without an end', async () => {
    nock(HOST).persist().get('/gpu/v1/nodes').query(true).reply(200, { items: [], nextCursor: 'again' })
    await rejectionOf('malformed', aProvider().listNodes(FILTER, aCall({ deadlineAt: NOW + 60_000 })))
  }).timeout(30_000)

  it('delete each node once, in requests of at most 1,000, and take not found for gone', async () => {
    const ids = Array.from({ length: 1_001 }, (_, n) => `node-${n}`)
    const first = nock(HOST)
      .post('/gpu/v1/nodes/delete', { clusterId: CLUSTER, nodeIds: ids.slice(0, 1_000) })
      .reply(202, {})
    const second = nock(HOST)
      .post('/gpu/v1/nodes/delete', { clusterId: CLUSTER, nodeIds: ['node-1000'] })
      .reply(404, { kind: 'not-found', effect: 'none' })
    await aProvider().deleteNodes({ clusterId: CLUSTER, providerInstanceIds: [...ids, 'node-1'] }, aCall())
    first.done()
    second.done()
  })

  it('delete nothing without a request when there is nothing to delete', async () => {
    await aProvider().deleteNodes({ clusterId: CLUSTER, providerInstanceIds: [] }, aCall())
  })

  it('join and leave a fabric', async () => {
    nock(HOST)
      .post('/gpu/v1/fabric/join', { clusterId: CLUSTER, owner: OWNER, nodeIds: ['node-1'] })
      .reply(200, { settled: false })
    nock(HOST).post('/gpu/v1/fabric/leave', { clusterId: CLUSTER, owner: OWNER }).reply(200, { settled: true })
    const provider = aProvider()
    const request = { clusterId: CLUSTER, owner: OWNER }
    expect(await provider.joinFabric?.({ ...request, providerInstanceIds: ['node-1'] }, aCall())).to.deep.equal({
      settled: false,
    })
    expect(await provider.leaveFabric?.(request, aCall())).to.deep.equal({ settled: true })
  })

  it('sweep in requests of at most 1,000 ended allocations, and name a leftover once', async () => {
    const ended = Array.from({ length: 1_001 }, (_, n) => `alc_${String(n)}`)
    const kept = { kind: 'volume', id: 'vol-1', name: 'a volume', action: 'kept' }
    for (const allocationsEnded of [ended.slice(0, 1_000), ended.slice(1_000)]) {
      nock(HOST)
        .post('/gpu/v1/leftovers/sweep', { ...FILTER, allocationsEnded })
        .reply(200, { items: [kept] })
    }
    expect(await aProvider().sweepLeftovers({ ...FILTER, allocationsEnded: new Set(ended) }, aCall())).to.deep.equal([
      kept,
    ])
  })

  it('tell free nodes where that is configured, and null without a request where it is not', async () => {
    nock(HOST).get(`/gpu/v1/clusters/${CLUSTER}/free-capacity`).reply(200, { freeNodes: 12 })
    expect(await aProvider().freeCapacity(CLUSTER, aCall())).to.equal(12)
    expect(await aProvider({ settings: { reportsFreeCapacity: false } }).freeCapacity(CLUSTER, aCall())).to.equal(null)
    await rejectionOf('refused', aProvider().freeCapacity('no-such', aCall()))
  })

  describe('that describe', () => {
    const capabilities = { maxBatch: 10, visibilityDelayMs: 1_000, reportsFreeCapacity: true, joinsFabric: true }
    const cluster = { clusterId: CLUSTER, images: ['img-22.04', 'another'], networks: ['private'], problems: [] }
    const described = async (answer: object) => {
      nock(HOST)
        .get('/gpu/v1/description')
        .reply(200, { contractVersion: 1, capabilities, clusters: [cluster], ...answer })
      return (await aProvider().describe(aCall()))[0]
    }

    it('name images and networks as they are configured, and no problem where all is well', async () => {
      expect(await described({})).to.deep.equal({
        clusterId: CLUSTER,
        images: ['ubuntu'],
        networks: ['private'],
        problems: [],
      })
    })

    it('say what is missing, and what the operator itself says', async () => {
      const answer = await described({
        clusters: [{ ...cluster, images: [], networks: [], problems: ['a pump failed'] }],
      })
      expect(answer).to.deep.include({ images: [], networks: [] })
      expect(answer?.problems).to.deep.equal([
        'a pump failed',
        'image img-22.04 does not exist there',
        'network private does not exist there',
      ])
    })

    it('say where more is configured than the operator promises', async () => {
      const less = { maxBatch: 4, visibilityDelayMs: 9_000, reportsFreeCapacity: false, joinsFabric: false }
      expect((await described({ contractVersion: 2, capabilities: less, clusters: [] }))?.problems).to.deep.equal([
        'the operator keeps version 2 of the contract, not 1',
        'maxBatch is 10, and the operator takes at most 4',
        'visibilityDelayMs is 1000, and the operator needs 9000',
        'joinsFabric must be false',
        'reportsFreeCapacity must be false',
        'the operator does not know the cluster',
      ])
    })
  })
})
