/** An operator that takes every request and answers none, while others provision: what waits for it is in nobody's way. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { allocate, release } from '../api/requests.ts'
import { allocateAt, releaseAndSeeItGone, untilStatus } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { WITHIN_MS } from './eventually.ts'

/** More than one replica looks at once at one operator. */
const WAITING_FOR_NHN = 40
const OTHERS = ['naver', 'kakao'] as const
/** At most a tenth slower; */
const MOST_SLOWED = 1.1
/** and what a loaded machine makes of it, far less than the 30 s for which a call waits for an answer. */
const NOISE_MS = 5_000
/**
 * A create that was given up may be on its way still, and is served once a loaded machine comes to it: seconds later, when
 * forty of them end at once. Within this delay no list is believed to show that nothing came of it.
 */
const VISIBILITY_DELAY_MS = 10_000

describe('an operator that is a black hole', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators({ visibilityDelayMs: VISIBILITY_DELAY_MS })

  /** @returns how long it takes to have nodes at the two others */
  async function provision(): Promise<number> {
    const askedAt = performance.now()
    const asked = await Promise.all(
      OTHERS.map(async (operator) => ({
        operator,
        id: (await allocateAt(world.platform, world.approvalId, { operator, nodes: 12 })).id,
      })),
    )
    await Promise.all(asked.map(({ id }) => untilStatus(world.platform, id, ['active'])))
    const tookMs = performance.now() - askedAt
    for (const other of asked) await releaseAndSeeItGone(world, other)
    return tookMs
  }

  it('does not keep the others from provisioning, however many allocations wait for it', async () => {
    const aloneMs = await provision()
    const hole = Array.from({ length: WAITING_FOR_NHN }, () =>
      allocate(world.platform, world.approvalId, {
        demand: { nodes: 1 },
        requires: { providers: ['nhn'] },
        period: { durationHours: 1 },
      }),
    )
    await world.operators.setFaults('nhn', [{ match: { path: '.' }, effect: 'black-hole' }])
    const stuck = await Promise.all(hole)
    const besideMs = await provision()
    expect(besideMs, `alone it took ${aloneMs} ms`).to.be.lessThan(aloneMs * MOST_SLOWED + NOISE_MS)
    await world.operators.calm()
    await Promise.all(stuck.map(({ id }) => release(world.platform, id)))
    await Promise.all(stuck.map(({ id }) => untilStatus(world.platform, id, ['cancelled', 'released'])))
  })
})
