/**
 * A whole broker against the three operators while they fail in every way that they can: each test does it to all three
 * at once, and ends with the store equal to the ledger and nothing left.
 */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { MINUTE_MS } from '../../shared/time.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { allocateAt, releaseAndSeeItGone, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { WITHIN_MS } from './eventually.ts'
import { CREATE, OPERATORS } from './operators.ts'

const VISIBILITY_DELAY_MS = 400
/** More than one group at every operator. */
const NODES = 12
/** The first call for each of two groups: so late that whoever looks on can cancel meanwhile, on a slow machine, too. */
const LATE = { effect: 'delay', delayMs: 2_000, times: 2 }

describe('a broker whose operators fail', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators({ visibilityDelayMs: VISIBILITY_DELAY_MS, mayPage: /refuses what no waiting mends/ })

  const everywhere = (work: (operator: OperatorId) => Promise<void>): Promise<unknown> =>
    Promise.all(OPERATORS.map(work))

  /** Builds, with the fault in the way of creates, and gives back; @returns how many nodes were ever built. */
  async function throughFaults(operator: OperatorId, faults: readonly object[]): Promise<number> {
    await world.operators.setFaults(
      operator,
      faults.map((fault) => ({ match: CREATE[operator], ...fault })),
    )
    const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: NODES })
    await untilActiveAndTrue(world, { id, operator, nodes: NODES })
    const built = (await world.operators.everBuilt(operator, id)).length
    await releaseAndSeeItGone(world, { id, operator })
    return built
  }

  it('builds no node more than it was asked for through creates whose answers are lost while lists lag (invariant 2)', () =>
    everywhere(async (operator) => {
      await world.operators.setBehaviour(operator, { listLagMs: VISIBILITY_DELAY_MS - 50 })
      const faults = ['drop-after', 'reset-after', 'malformed'].map((effect) => ({ effect, times: 1 }))
      expect(await throughFaults(operator, faults), operator).to.equal(NODES)
    }))

  it('deletes what arrives late of an allocation that is cancelled while it is being asked for', () =>
    everywhere(async (operator) => {
      await world.operators.setFaults(operator, [{ match: CREATE[operator], ...LATE }])
      const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: NODES })
      await untilStatus(world.platform, id, ['provisioning'])
      const { status } = await releaseAndSeeItGone(world, { id, operator })
      expect(status).to.equal('cancelled')
    }))

  it('asks again for what surely or perhaps never happened (invariant 2)', () =>
    everywhere(async (operator) => {
      const faults = [
        { effect: 'drop-before', times: 1 },
        { effect: 'status', status: 503, times: 1 },
        { effect: 'status', status: 429, headers: { 'retry-after': '1' }, times: 1 },
      ]
      expect(await throughFaults(operator, faults), operator).to.equal(NODES)
    }))

  it('fails nothing for a key that is not accepted, for tokens that end early, or for another clock', () =>
    everywhere(async (operator) => {
      await world.operators.setBehaviour(operator, { tokenTtlMs: 500 })
      await world.operators.setClock(operator, -30 * MINUTE_MS)
      await world.operators.setFaults(operator, [{ match: CREATE[operator], effect: 'status', status: 401, times: 3 }])
      const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: 2 })
      await untilActiveAndTrue(world, { id, operator, nodes: 2 })
      await releaseAndSeeItGone(world, { id, operator })
    }))

  it('replaces nodes whose build fails, under a new generation, and has the failed ones deleted', () =>
    everywhere(async (operator) => {
      await world.operators.setBehaviour(operator, { buildFails: 2 })
      const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: NODES })
      const shown = await untilActiveAndTrue(world, { id, operator, nodes: NODES })
      expect(
        shown.filter((node) => node.generation > 1 && node.status === 'ready'),
        operator,
      ).to.have.length(2)
      expect(await world.operators.everBuilt(operator, id)).to.have.length(NODES + 2)
      await releaseAndSeeItGone(world, { id, operator })
    }))

  it('holds nodes as long as the list has them, whatever was answered to their deletion (invariant 3)', () =>
    everywhere(async (operator) => {
      const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: NODES })
      await untilActiveAndTrue(world, { id, operator, nodes: NODES })
      await world.operators.setBehaviour(operator, { deleteLies: 3 })
      const { status } = await releaseAndSeeItGone(world, { id, operator })
      expect(status).to.equal('released')
    }))

  it('takes a list that cannot be had for no list at all, while it builds and while it gives back', () =>
    everywhere(async (operator) => {
      const lists = { match: { method: 'GET', path: '.' }, times: 2 }
      await world.operators.setFaults(operator, [{ ...lists, effect: 'drop-before' }])
      const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: 2 })
      await untilActiveAndTrue(world, { id, operator, nodes: 2 })
      await world.operators.setFaults(operator, [{ ...lists, effect: 'malformed', body: '{}' }])
      await releaseAndSeeItGone(world, { id, operator })
    }))
})
