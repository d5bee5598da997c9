/**
 * Operators that neither do nor answer what they were asked. It lasts as long as a call's deadline, so it begins before
 * all other tests of this folder, on operators and a broker of its own, and is only waited for here.
 */
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { approve } from '../api/requests.ts'
import { closeAll } from '../support/close-all.ts'
import { startTestBroker } from '../support/broker.ts'
import { allocateAt, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { WITHIN_MS } from './eventually.ts'
import { CREATE, OPERATORS, startOperators } from './operators.ts'

let silence: Promise<void>

before('creates that are never answered', () => {
  silence = throughSilence()
  silence.catch(() => undefined) // the test tells
})

async function throughSilence(): Promise<void> {
  const operators = await startOperators()
  const broker = await startTestBroker({ sandbox: operators })
  try {
    const platform = await broker.as('platform')
    const approvalId = await approve(platform)
    const through = OPERATORS.map(async (operator) => {
      await operators.setFaults(operator, [{ match: CREATE[operator], effect: 'black-hole', times: 1 }])
      const { id } = await allocateAt(platform, approvalId, { operator, nodes: 2 })
      await untilActiveAndTrue({ platform, operators }, { id, operator, nodes: 2 })
      expect(await operators.everBuilt(operator, id), operator).to.have.length(2)
      await releaseAndSeeItGone({ platform, operators }, { id, operator })
    })
    await Promise.all(through)
    await operators.untilNothingIsLeft()
  } finally {
    await closeAll(
      () => broker.stop(),
      () => operators.close(),
    )
  }
}

describe('a broker whose operators say nothing', function () {
  this.timeout(WITHIN_MS)

  it('asks again once the deadline and the visibility delay have passed, and builds each node once (invariant 2)', () =>
    silence)
})
