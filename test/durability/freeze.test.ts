/** Freezing an operator in the middle of what is made or deleted there: what has not left the broker by then stays. */
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { Frozen } from '../../shared/operation.ts'
import { approve, reaches, release } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocateAt, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { eventually } from './eventually.ts'
import { CREATE, type Operators, startOperators } from './operators.ts'

const SLOWLY = { effect: 'delay', delayMs: 400 }
/** As many calls as are under way at one operator at one time. */
const IN_FLIGHT = 16

describe('a freeze while the broker is at it', function () {
  this.timeout(60_000)
  let operators: Operators
  let broker: TestBroker
  let platform: ApiClient
  let approvalId: string

  before(async () => {
    operators = await startOperators()
    broker = await startTestBroker({ sandbox: operators })
    platform = await broker.as('platform')
    approvalId = await approve(platform)
  })
  afterEach(async () => {
    await operators.calm()
    await platform.post('/v1/operations/unfreeze')
  })
  after(async () => {
    await operators.untilNothingIsLeft()
    await broker.stop()
    await operators.close()
  })

  const freeze = async (providerId: string): Promise<void> => {
    const answer = await platform.post('/v1/operations/freeze', { providerId, reason: 'a fault' })
    expect(answer.as(200, Frozen)).to.deep.equal({ frozen: [providerId] })
  }
  /** Another operator's allocation is built and goes meanwhile: the workers are not idle. */
  const timePasses = async (): Promise<void> => {
    const { id } = await allocateAt(platform, approvalId, { operator: 'naver', nodes: 1 })
    await reaches(platform, id, 'active')
    await releaseAndSeeItGone(platform, operators, { id, operator: 'naver' })
  }

  it('lets no create leave that waits for its turn', async () => {
    await operators.setFaults('kakao', [{ match: CREATE.kakao, ...SLOWLY }])
    const nodes = 12
    const { id } = await allocateAt(platform, approvalId, { operator: 'kakao', nodes })
    const built = async () => (await operators.everBuilt('kakao', id)).length
    await eventually('one is built', built, (count) => count > 0)
    await freeze('kakao')
    const atFreeze = await built()
    await timePasses()
    expect(await built()).to.be.at.most(atFreeze + 2) // of each of the two groups one was on its way
    await platform.post('/v1/operations/unfreeze')
    await operators.calm()
    await untilActiveAndTrue(platform, operators, { id, operator: 'kakao', nodes })
    await releaseAndSeeItGone(platform, operators, { id, operator: 'kakao' })
  })

  it('lets no delete leave that waits for its turn', async () => {
    const nodes = 2 * IN_FLIGHT + 8 // by the time that the first are seen gone as many again are on their way
    const { id } = await allocateAt(platform, approvalId, { operator: 'nhn', nodes })
    await untilActiveAndTrue(platform, operators, { id, operator: 'nhn', nodes })
    await operators.setFaults('nhn', [{ match: { method: 'DELETE', path: '/servers/' }, ...SLOWLY }])
    await release(platform, id)
    const standing = async () => (await operators.idsStanding('nhn', id)).length
    await eventually('one is gone', standing, (count) => count < nodes)
    await freeze('nhn')
    const atFreeze = await standing()
    await timePasses()
    expect(await standing()).to.be.at.least(Math.max(1, atFreeze - IN_FLIGHT))
    await platform.post('/v1/operations/unfreeze')
    await operators.calm()
    await releaseAndSeeItGone(platform, operators, { id, operator: 'nhn' })
  })
})
