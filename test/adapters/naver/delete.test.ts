import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { errorOf } from '../rejection.ts'
import {
  ALLOCATION,
  type Answer,
  CLUSTER,
  INSTALLATION,
  type World,
  aCall,
  aFabric,
  aServer,
  aWorld,
  accepted,
  disconnect,
  expectError,
  gatewayError,
  inState,
  inTurn,
  members,
  rows,
  serviceError,
  servers,
  someSettings,
  tidyUp,
} from './support.ts'

const remove = (world: World, ...ids: number[]) =>
  world.provider.deleteNodes({ clusterId: CLUSTER, providerInstanceIds: ids.map(String) }, aCall())

const CONTROLS = { stopServerInstances: accepted, terminateServerInstances: accepted }
const idsIn = (world: World, action: string) =>
  world
    .calls(action)
    .map(({ form }) => [...form].filter(([name]) => name.startsWith('serverInstanceNoList.')).map(([, id]) => id))

/** Refuses a call in which the server is, as the operator refuses the whole of it. */
const refusing =
  (id: string, code: string): Answer =>
  (asked, times) =>
    ([...asked.form.values()].includes(id) ? serviceError(code) : accepted)(asked, times)

describe('giving naver nodes back', () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  it('takes what is gone for done', async () => {
    const world = aWorld({ getServerInstanceList: servers(aServer(1)) })
    await remove(world, 2, 3)
    expect(world.changes()).to.deep.equal([])
  })

  it('stops a running node, and is busy until it stands', async () => {
    const world = aWorld(
      { ...CONTROLS, getServerInstanceList: servers(aServer(1)) },
      someSettings({ busyRetryMs: 1_500 }),
    )
    const error = await expectError(remove(world, 1), { kind: 'busy', effect: 'maybe' })
    expect(error.retryAfterMs).to.equal(1_500)
    expect(world.changes()).to.deep.equal(['stopServerInstances'])
  })

  it('terminates a node that stands, and leaves it to lists to show that it is gone', async () => {
    const world = aWorld({ ...CONTROLS, getServerInstanceList: servers(aServer(1, inState('NSTOP', 'NULL'))) })
    await remove(world, 1)
    expect(idsIn(world, 'terminateServerInstances')).to.deep.equal([['1']])
  })

  const WAITING = [
    ['INIT', 'NULL'],
    ['CREAT', 'SETUP'],
    ['RUN', 'SETUP'],
    ['RUN', 'SHTDN'],
    ['NSTOP', 'CHNG'],
  ] as const
  for (const [status, operation] of WAITING) {
    it(`asks nothing of a node with status ${status} and operation ${operation}, and is busy`, async () => {
      const world = aWorld({ getServerInstanceList: servers(aServer(1, inState(status, operation))) })
      await expectError(remove(world, 1), { kind: 'busy', effect: 'none' })
      expect(world.changes()).to.deep.equal([])
    })
  }

  it('asks nothing of a node that is being terminated, and is done', async () => {
    const world = aWorld({ getServerInstanceList: servers(aServer(1, inState('NSTOP', 'TERMT'))) })
    await remove(world, 1)
    expect(world.changes()).to.deep.equal([])
  })

  it('takes every node one step further although one is busy', async () => {
    const list = servers(
      aServer(1, inState('CREAT', 'SETUP')),
      aServer(2),
      aServer(3, inState('NSTOP', 'NULL')),
      aServer(4),
    )
    const world = aWorld({ ...CONTROLS, getServerInstanceList: list })
    await expectError(remove(world, 1, 2, 3), { kind: 'busy', effect: 'maybe' })
    expect(idsIn(world, 'stopServerInstances')).to.deep.equal([['2']])
    expect(idsIn(world, 'terminateServerInstances')).to.deep.equal([['3']])
  })

  for (const code of ['1100031', '1101003']) {
    it(`is busy with code ${code}, which means too early`, async () => {
      const world = aWorld({ getServerInstanceList: servers(aServer(1)), stopServerInstances: serviceError(code) })
      const error = await expectError(remove(world, 1), { kind: 'busy', effect: 'none' })
      expect(error).to.include({ code, retryAfterMs: 5_000 })
    })
  }

  it('gives one order to several nodes, at most as many as configured', async () => {
    const list = servers(aServer(1), aServer(2), aServer(3))
    const world = aWorld({ ...CONTROLS, getServerInstanceList: list }, someSettings({ controlBatch: 2 }))
    await expectError(remove(world, 1, 2, 3), { kind: 'busy', effect: 'maybe' })
    expect(idsIn(world, 'stopServerInstances')).to.deep.equal([['1', '2'], ['3']])
  })

  it('gives each node its own order where one made the operator refuse all', async () => {
    const list = servers(aServer(1), aServer(2), aServer(3))
    const world = aWorld({ getServerInstanceList: list, stopServerInstances: refusing('2', '1101003') })
    await expectError(remove(world, 1, 2, 3), { kind: 'busy', effect: 'maybe' })
    expect(idsIn(world, 'stopServerInstances')).to.deep.equal([['1', '2', '3'], ['1'], ['2'], ['3']])
  })

  it('takes a node that went meanwhile for done', async () => {
    const stopped = inState('NSTOP', 'NULL')
    const world = aWorld(
      {
        getServerInstanceList: servers(aServer(1, stopped), aServer(2, stopped)),
        terminateServerInstances: refusing('1', '4043'),
      },
      someSettings({ notFoundCodes: ['4043'] }),
    )
    await remove(world, 1, 2)
  })

  it('never repeats an order whose answer says nothing, and goes on with the others', async () => {
    const world = aWorld({
      getServerInstanceList: servers(aServer(1), aServer(2), aServer(3, inState('NSTOP', 'NULL'))),
      stopServerInstances: accepted,
      terminateServerInstances: gatewayError(504, '510'),
    })
    await expectError(remove(world, 1, 2, 3), { kind: 'unreachable', effect: 'maybe' })
    expect(world.changes()).to.deep.equal(['terminateServerInstances', 'stopServerInstances'])
  })

  it('leaves a protected node as it is and says so, once the others were taken further', async () => {
    const list = servers(aServer(1, { isProtectServerTermination: true }), aServer(2))
    const world = aWorld({ ...CONTROLS, getServerInstanceList: list })
    const error = await expectError(remove(world, 1, 2), { kind: 'refused', effect: 'none' })
    expect(error.message).to.include('protected')
    expect(idsIn(world, 'stopServerInstances')).to.deep.equal([['2']])
  })

  it('never touches a server without an owner tag', async () => {
    const world = aWorld({ ...CONTROLS, getServerInstanceList: servers(aServer(1, { serverDescription: 'ours' })) })
    await expectError(remove(world, 1), { kind: 'refused', effect: 'none' })
    expect(world.changes()).to.deep.equal([])
  })

  const FAILED = [
    ['FSTOP', 'terminateServerInstances', 'stopServerInstances'],
    ['ST_FL', 'terminateServerInstances', 'stopServerInstances'],
    ['SD_FL', 'stopServerInstances', 'terminateServerInstances'],
    ['RS_FL', 'stopServerInstances', 'terminateServerInstances'],
  ] as const
  for (const [status, first, second] of FAILED) {
    it(`tries ${first} on a server in ${status}, and where that is refused ${second}`, async () => {
      const list = servers(aServer(1, inState(status, 'NULL')))
      const world = aWorld({ ...CONTROLS, getServerInstanceList: list, [first]: serviceError('777777') })
      await expectError(remove(world, 1), { kind: 'busy', effect: 'maybe' })
      expect(world.changes()).to.deep.equal([first, second])
    })
  }

  it('says what the operator said where a failed server takes neither order', async () => {
    const refused = serviceError('777777')
    const list = servers(aServer(1, inState('FSTOP', 'NULL')))
    const world = aWorld({
      getServerInstanceList: list,
      stopServerInstances: refused,
      terminateServerInstances: refused,
    })
    expect((await errorOf(remove(world, 1))).code).to.equal('777777')
  })

  describe('in a fabric cluster', () => {
    const inFabric = { fabricClusterMode: 'CLUSTER', fabricClusterNo: '601' }

    it('takes it out of the cluster first, and leaves the others in', async () => {
      const world = aWorld({
        getServerInstanceList: servers(aServer(1, inFabric), aServer(2, inFabric), aServer(3, inFabric)),
        getFabricClusterList: rows('fabricClusterList', aFabric(601)),
        getFabricClusterDetail: rows(
          'fabricClusterList',
          aFabric(601, { fabricClusterServerInstanceList: members(1, 2, 3) }),
        ),
        changeFabricClusterServerInstances: accepted,
      })
      await expectError(remove(world, 2), { kind: 'busy', effect: 'maybe' })
      const [change] = world.calls('changeFabricClusterServerInstances')
      expect(Object.fromEntries(change?.form ?? [])).to.include({
        fabricClusterNo: '601',
        'clusterModeServerInstanceNoList.1': '1',
        'clusterModeServerInstanceNoList.2': '3',
      })
      expect(world.changes()).to.have.length(1)
    })

    it('waits while that cluster is being changed', async () => {
      const world = aWorld({
        getServerInstanceList: servers(aServer(1, inFabric)),
        getFabricClusterList: rows('fabricClusterList', aFabric(601, { fabricClusterStatus: { code: 'SETUP' } })),
      })
      await expectError(remove(world, 1), { kind: 'busy', effect: 'none' })
      expect(world.changes()).to.deep.equal([])
    })

    it('never changes a cluster of another installation', async () => {
      const foreign = {
        fabricClusterDescription: `gpu-broker/ins_zzzzzzzzzzzzzzzz/${ALLOCATION}/gbabcdefghijklmnop-000`,
      }
      const world = aWorld({
        getServerInstanceList: servers(aServer(1, inFabric)),
        getFabricClusterList: rows('fabricClusterList', aFabric(601, foreign)),
      })
      await expectError(remove(world, 1), { kind: 'busy', effect: 'none' })
      expect(world.changes()).to.deep.equal([])
    })
  })

  describe('with a public IP', () => {
    const withIp = { publicIpInstanceNo: '71', publicIp: '203.0.113.9' }
    const anIp = (serverInstanceNo: string, operation: string) => ({
      publicIpInstanceNo: '71',
      publicIp: '203.0.113.9',
      publicIpDescription: '',
      serverInstanceNo,
      publicIpInstanceOperation: { code: operation },
    })
    const steps = {
      getServerInstanceList: inTurn(
        servers(aServer(1, withIp)),
        servers(aServer(1)),
        servers(aServer(1, inState('NSTOP', 'NULL'))),
        servers(),
      ),
      getPublicIpInstanceList: inTurn(
        rows('publicIpInstanceList', anIp('1', 'DISUS')),
        rows('publicIpInstanceList', anIp('', 'NULL')),
        rows('publicIpInstanceList'),
      ),
      disassociatePublicIpFromServerInstance: accepted,
      deletePublicIpInstance: accepted,
      ...CONTROLS,
    }

    it('takes it off, deletes it once it is free, and only it', async () => {
      const world = aWorld(steps)
      for (const kind of ['busy', 'busy'] as const) expect((await errorOf(remove(world, 1))).kind).to.equal(kind)
      await remove(world, 1)
      await remove(world, 1)
      expect(world.changes()).to.deep.equal([
        'disassociatePublicIpFromServerInstance',
        'stopServerInstances',
        'deletePublicIpInstance',
        'terminateServerInstances',
      ])
      expect(world.calls('deletePublicIpInstance')[0]?.form.get('publicIpInstanceNo')).to.equal('71')
    })

    it('takes one that is off already for done', async () => {
      const world = aWorld({ ...steps, disassociatePublicIpFromServerInstance: serviceError('28102') })
      await expectError(remove(world, 1), { kind: 'busy', effect: 'maybe' })
    })

    it('leaves what is not free yet to the sweep, which deletes it even while the allocation goes on', async () => {
      const world = aWorld(steps)
      await errorOf(remove(world, 1))
      const request = { installationId: INSTALLATION, allocationsEnded: new Set<string>() }
      const actions = []
      for (let sweep = 0; sweep < 3; sweep++)
        actions.push(
          (await world.provider.sweepLeftovers(request, aCall())).map(({ kind, id, action }) => [kind, id, action]),
        )
      expect(actions).to.deep.equal([[['public-ip', '71', 'kept']], [['public-ip', '71', 'removed']], []])
    })
  })
})
