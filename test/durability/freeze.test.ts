/** Freezing an operator in the middle of what is made or deleted there: what has not left the broker by then stays. */
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { Frozen } from '../../shared/operation.ts'
import { reaches, release } from '../api/requests.ts'
import { allocateAt, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'
import { CREATE } from './operators.ts'

const SLOWLY = { effect: 'delay', delayMs: 400 }
/** As many calls as are under way at one operator at one time. */
const IN_FLIGHT = 16

describe('a freeze while the broker is at it', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators()
  afterEach(() => world.platform.post('/v1/operations/unfreeze'))

  const freeze = async (providerId: string): Promise<void> => {
    const answer = await world.platform.post('/v1/operations/freeze', { providerId, reason: 'a fault' })
    expect(answer.as(200, Frozen)).to.deep.equal({ frozen: [providerId] })
  }
  /** Another operator's allocation is built and goes meanwhile: the workers are not idle. */
  const timePasses = async (): Promise<void> => {
    const { id } = await allocateAt(world.platform, world.approvalId, { operator: 'naver', nodes: 1 })
    await reaches(world.platform, id, 'active')
    await releaseAndSeeItGone(world, { id, operator: 'naver' })
  }

  it('lets no create leave that waits for its turn', async () => {
    await world.operators.setFaults('kakao', [{ match: CREATE.kakao, ...SLOWLY }])
    const nodes = 12
    const { id } = await allocateAt(world.platform, world.approvalId, { operator: 'kakao', nodes })
    const built = async () => (await world.operators.everBuilt('kakao', id)).length
    await eventually('one is built', built, (count) => count > 0)
    await freeze('kakao')
    const atFreeze = await built()
    await timePasses()
    expect(await built()).to.be.at.most(atFreeze + 2) // of each of the two groups one was on its way
    await world.platform.post('/v1/operations/unfreeze')
    await world.operators.calm()
    await untilActiveAndTrue(world, { id, operator: 'kakao', nodes })
    await releaseAndSeeItGone(world, { id, operator: 'kakao' })
  })

  it('lets no delete leave that waits for its turn', async () => {
    const nodes = 2 * IN_FLIGHT + 8 // by the time that the first are seen gone as many again are on their way
    const { id } = await allocateAt(world.platform, world.approvalId, { operator: 'nhn', nodes })
    await untilActiveAndTrue(world, { id, operator: 'nhn', nodes })
    await world.operators.setFaults('nhn', [{ match: { method: 'DELETE', path: '/servers/' }, ...SLOWLY }])
    await release(world.platform, id)
    const standing = async () => (await world.operators.idsStanding('nhn', id)).length
    await eventually('one is gone', standing, (count) => count < nodes)
    await freeze('nhn')
    const atFreeze = await standing()
    await timePasses()
    expect(await standing()).to.be.at.least(Math.max(1, atFreeze - IN_FLIGHT))
    await world.platform.post('/v1/operations/unfreeze')
    await world.operators.calm()
    await releaseAndSeeItGone(world, { id, operator: 'nhn' })
  })
})
