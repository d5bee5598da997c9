import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocate, approve, days, look, reaches, release } from './requests.ts'

/** Twelve nodes of blackwell in all, so that one organisation may hold six. */
const NODES = 4
const nodes = { 'kakao-b200-255': NODES, 'nhn-b200-510': NODES, 'nhn-b200-255': NODES }

describe('a share of one architecture that no organisation may exceed', () => {
  let broker: TestBroker
  let platform: ApiClient
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({ nodes, env: { MAX_SHARE_PER_ORGANIZATION: '50' } })
    platform = await broker.as('platform')
  })
  after(() => broker.stop())

  it('makes one wait for its own, whatever is free, lets others by, and ends with what was in the way', async () => {
    const approval = await approve(platform)
    const take = (provider: string, first: number, last: number, approvalId = approval) =>
      allocate(platform, approvalId, {
        requires: { providers: [provider] },
        demand: { nodes: NODES },
        period: { start: days(first), end: days(last) },
      })
    const first = await take('kakao', 2, 5)
    const second = await take('nhn', 3, 4)
    expect(second.status).to.equal('waitlisted')
    expect(second.waitlist?.estimatedStart).to.equal(days(5))
    expect(second.waitlist?.reason).to.match(/^4 nodes of nhn: One organisation may hold 50 % of blackwell at once: /)
    const others = await take('nhn', 3, 4, await approve(platform, { organizationId: 'postech' }))
    expect(others.status).to.equal('scheduled')

    await broker.restart()
    expect((await look(platform, second.id)).waitlist?.earlier).to.deep.equal([
      { change: 'nodes', to: 2, estimatedStart: days(3) },
    ])
    await release(platform, first.id)
    expect((await reaches(platform, second.id, 'scheduled')).placement?.start).to.equal(days(3))
  })
})
