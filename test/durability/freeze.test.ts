/** Freezing an operator in the middle of what is made or deleted there: what has not left the broker by then stays. */
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { Frozen } from '../../shared/operation.ts'
import { reaches, release } from '../api/requests.ts'
import { allocateAt, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'
import { CREATE } from './operators.ts'

/** Strikes more often than there are calls: what is left of it tells how many have left the broker. */
const SLOWLY = { effect: 'delay', delayMs: 400, times: 1_000 }
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
    const atFreeze = await world.operators.struck('kakao')
    await timePasses()
    expect(await world.operators.struck('kakao')).to.equal(atFreeze)
    await world.platform.post('/v1/operations/unfreeze')
    await world.operators.calm()
    await untilActiveAndTrue(world, { id, operator: 'kakao', nodes })
    await releaseAndSeeItGone(world, { id, operator: 'kakao' })
  })

  it('lets no delete leave that waits for its turn', async () => {
    const nodes = IN_FLIGHT + 8
    const { id } = await allocateAt(world.platform, world.approvalId, { operator: 'nhn', nodes })
    await untilActiveAndTrue(world, { id, operator: 'nhn', nodes })
    const remove = { method: 'DELETE', path: '/servers/' }
    // All but one call at a time are swallowed, so that the others leave one after the other.
    await world.operators.setFaults('nhn', [
      { match: remove, effect: 'black-hole', times: IN_FLIGHT - 1 },
      { match: remove, ...SLOWLY },
    ])
    await release(world.platform, id)
    const left = () => world.operators.struck('nhn')
    await eventually('the first of those that wait has left', left, (count) => count > IN_FLIGHT)
    await freeze('nhn')
    const atFreeze = await left()
    await timePasses()
    expect(await left()).to.equal(atFreeze)
    await world.platform.post('/v1/operations/unfreeze')
    await world.operators.calm()
    await releaseAndSeeItGone(world, { id, operator: 'nhn' })
  })
})
