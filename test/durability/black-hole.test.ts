/** An operator that takes every request and answers none, while others provision: what waits for it is in nobody's way. */
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { allocate, approve, release } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocateAt, releaseAndSeeItGone, untilStatus } from './allocations.ts'
import { type Operators, startOperators } from './operators.ts'

/** More than one replica looks at once at one operator. */
const WAITING_FOR_NHN = 40
/** Far less than the 30 s for which a call waits for an answer, and many times what the others need. */
const IN_NOBODYS_WAY_MS = 15_000

describe('an operator that is a black hole', function () {
  this.timeout(180_000)
  let operators: Operators
  let broker: TestBroker
  let platform: ApiClient

  before(async function () {
    this.timeout(START_WITHIN_MS)
    operators = await startOperators()
    broker = await startTestBroker({ sandbox: operators })
    platform = await broker.as('platform')
  })
  after(async () => {
    await operators.calm()
    await operators.untilNothingIsLeft()
    await broker.stop()
    await operators.close()
  })

  it('does not keep the others from provisioning, however many allocations wait for it', async () => {
    const approvalId = await approve(platform)
    const hole = Array.from({ length: WAITING_FOR_NHN }, () =>
      allocate(platform, approvalId, {
        demand: { nodes: 1 },
        requires: { providers: ['nhn'] },
        period: { durationHours: 1 },
      }),
    )
    await operators.setFaults('nhn', [{ match: { path: '.' }, effect: 'black-hole' }])
    const stuck = await Promise.all(hole)
    const askedAt = performance.now()
    const others = await Promise.all(
      (['naver', 'kakao'] as const).map(async (operator) => ({
        operator,
        id: (await allocateAt(platform, approvalId, { operator, nodes: 12 })).id,
      })),
    )
    await Promise.all(others.map(({ id }) => untilStatus(platform, id, ['active'], IN_NOBODYS_WAY_MS)))
    expect(performance.now() - askedAt).to.be.lessThan(IN_NOBODYS_WAY_MS)
    await operators.calm()
    await Promise.all(stuck.map(({ id }) => release(platform, id)))
    for (const other of others) await releaseAndSeeItGone(platform, operators, other)
    await Promise.all(stuck.map(({ id }) => untilStatus(platform, id, ['cancelled', 'released'], 90_000)))
  })
})
