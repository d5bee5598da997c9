/** Part of the contract suite: lost, late, wrong and missing answers become the right `ProviderError` and no extra node. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { ProviderNode } from '../../shared/provider.ts'
import {
  type ContractWorld,
  aCall,
  aGroup,
  eventually,
  listOf,
  release,
  rejection,
  rejectionOf,
  untilListed,
  untilReady,
} from './contract-world.ts'

export function describeFailures(world: () => ContractWorld): void {
  describe('failures', () => {
    describeLostAnswers(world)
    describeWrongAnswers(world)
    describePatience(world)
  })
}

const ids = (nodes: readonly ProviderNode[]): string[] => nodes.map((node) => node.providerInstanceId).toSorted()

function describeLostAnswers(world: () => ContractWorld): void {
  for (const effect of ['drop-after', 'reset-after'] as const) {
    it(`calls a create whose answer is lost (${effect}) unreachable, maybe done, and lists what it made`, async () => {
      const group = await aGroup(world())
      await world().setFaults([{ match: world().calls.create, times: 1, effect }])
      const error = await rejectionOf('unreachable', world().provider.createNodes(group, aCall()))
      expect(error.effect).to.equal('maybe')
      // An operator that makes nodes one by one has made the first at least.
      const found = await eventually(
        'what was made',
        () => listOf(world(), group),
        (nodes) => nodes.length > 0,
      )
      await world().provider.createNodes(group, aCall())
      const nodes = await untilReady(world(), group)
      expect(ids(nodes)).to.include.members(ids(found))
      expect((await world().ledger()).nodes).to.have.length(group.size)
    })
  }

  for (const effect of ['drop-before', 'reset-before'] as const) {
    it(`makes nothing when a create is cut off before it is done (${effect}), and the group when asked again`, async () => {
      const group = await aGroup(world())
      await world().setFaults([{ match: world().calls.create, times: 1, effect }])
      await rejectionOf('unreachable', world().provider.createNodes(group, aCall()))
      expect(await listOf(world(), group)).to.deep.equal([])
      await world().provider.createNodes(group, aCall())
      await untilReady(world(), group)
      expect((await world().ledger()).nodes).to.have.length(group.size)
    })
  }

  it('gets nodes deleted although answers to deletions are lost', async () => {
    const group = await aGroup(world())
    await world().provider.createNodes(group, aCall())
    const nodes = await untilReady(world(), group)
    await world().setFaults([{ match: world().calls.remove, times: group.size, effect: 'drop-after' }])
    await eventually(
      'an empty list',
      async () => {
        await world()
          .provider.deleteNodes({ clusterId: world().clusterId, providerInstanceIds: ids(nodes) }, aCall())
          .catch((error: unknown) => expect(error).to.have.property('kind').that.is.oneOf(['unreachable', 'busy']))
        return await listOf(world(), group)
      },
      (left) => left.length === 0,
    )
  })

  it('calls a list that is cut off unreachable, nothing done', async () => {
    await world().setFaults([{ match: world().calls.list, times: 1, effect: 'reset-before' }])
    const filter = { installationId: world().installationId }
    const error = await rejectionOf('unreachable', world().provider.listNodes(filter, aCall()))
    expect(error.effect).to.equal('none')
  })
}

function describeWrongAnswers(world: () => ContractWorld): void {
  it('calls a 500 to a create unreachable, maybe done', async () => {
    const group = await aGroup(world())
    await world().setFaults([{ match: world().calls.create, times: 1, effect: 'status', status: 500, body: '' }])
    const error = await rejectionOf('unreachable', world().provider.createNodes(group, aCall()))
    expect(error.effect).to.equal('maybe')
  })

  it('calls a 503 to a list unreachable, nothing done', async () => {
    await world().setFaults([{ match: world().calls.list, times: 1, effect: 'status', status: 503, body: 'busy' }])
    const filter = { installationId: world().installationId }
    const error = await rejectionOf('unreachable', world().provider.listNodes(filter, aCall()))
    expect(error.effect).to.equal('none')
  })

  it('calls a 429 throttled, nothing done, and says how long the operator asked it to wait', async () => {
    const group = await aGroup(world())
    const throttled = { effect: 'status', status: 429, body: '', headers: { 'retry-after': '7' } }
    await world().setFaults([{ match: world().calls.create, times: 1, ...throttled }])
    const error = await rejectionOf('throttled', world().provider.createNodes(group, aCall()))
    expect(error.effect).to.equal('none')
    expect(error.retryAfterMs).to.equal(7_000)
    expect(await listOf(world(), group)).to.deep.equal([])
  })

  it('calls an unreadable answer to a create malformed, maybe done, and lists what it made', async () => {
    const group = await aGroup(world(), { size: 1 })
    await world().setFaults([{ match: world().calls.create, times: 1, effect: 'malformed' }])
    const error = await rejectionOf('malformed', world().provider.createNodes(group, aCall()))
    expect(error.effect).to.equal('maybe')
    await untilListed(world(), group)
  })

  it('calls an unreadable list malformed, nothing done', async () => {
    await world().setFaults([{ match: world().calls.list, times: 1, effect: 'malformed' }])
    const filter = { installationId: world().installationId }
    const error = await rejectionOf('malformed', world().provider.listNodes(filter, aCall()))
    expect(error.effect).to.equal('none')
  })

  it('calls a key that the operator does not accept unauthenticated, nothing done, and never shows it', async () => {
    const group = await aGroup(world())
    const { wrongKeyProvider, installationId } = world()
    for (const attempt of [
      () => wrongKeyProvider.ping(aCall()),
      () => wrongKeyProvider.listNodes({ installationId }, aCall()),
      () => wrongKeyProvider.createNodes(group, aCall()),
    ]) {
      const error = await rejectionOf('unauthenticated', attempt())
      expect(error.effect).to.equal('none')
      expect(`${error.message} ${error.providerMessage}`).to.not.include('wrong-key')
    }
    expect((await world().ledger()).nodes).to.deep.equal([])
  })
}

function describePatience(world: () => ContractWorld): void {
  it('gives a list up at its deadline when the operator never answers', async () => {
    await world().setFaults([{ match: world().calls.list, effect: 'black-hole' }])
    const filter = { installationId: world().installationId }
    const error = await rejectionOf('unreachable', world().provider.listNodes(filter, aCall({ withinMs: 200 })))
    expect(error.effect).to.equal('none')
  })

  it('gives a list up at its deadline when the answer comes in drips', async () => {
    await world().setFaults([{ match: world().calls.list, effect: 'slow-drip', delayMs: 20_000 }])
    const filter = { installationId: world().installationId }
    const error = await rejection(world().provider.listNodes(filter, aCall({ withinMs: 300 })))
    expect(error.kind).to.equal('unreachable')
  })

  it('calls a create unreachable, maybe done, when its answer comes after the deadline, and lists what it made', async () => {
    const group = await aGroup(world(), { size: 1 })
    await world().setFaults([{ match: world().calls.create, times: 1, effect: 'delay', delayMs: 800 }])
    const error = await rejectionOf('unreachable', world().provider.createNodes(group, aCall({ withinMs: 500 })))
    expect(error.effect).to.equal('maybe')
    await untilListed(world(), group)
    await release(world(), group)
  })

  it('sends nothing once its caller has gone', async () => {
    const group = await aGroup(world())
    const call = aCall({ signal: AbortSignal.abort() })
    const error = await rejectionOf('unreachable', world().provider.createNodes(group, call))
    expect(error.effect).to.equal('none')
    expect((await world().ledger()).nodes).to.deep.equal([])
  })

  it('sends nothing past its deadline', async () => {
    const group = await aGroup(world())
    const error = await rejectionOf('unreachable', world().provider.createNodes(group, aCall({ withinMs: -1 })))
    expect(error.effect).to.equal('none')
    expect((await world().ledger()).nodes).to.deep.equal([])
  })

  it('ends a call in flight with its caller', async () => {
    await world().setFaults([{ match: world().calls.list, effect: 'black-hole' }])
    const caller = new AbortController()
    const filter = { installationId: world().installationId }
    const listing = rejection(world().provider.listNodes(filter, aCall({ signal: caller.signal })))
    await world().ledger() // a round trip to the operator, so that the list is under way
    caller.abort()
    expect((await listing).kind).to.equal('unreachable')
  })
}
