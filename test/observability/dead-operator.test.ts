/** How soon a dead operator is told of, with the rules as they are written and at the pace of production. */
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { eventually } from '../durability/eventually.ts'
import { type Prometheus, startPrometheus } from './prometheus.ts'
import { sharedWorld, type World } from './world.ts'
import { endsInTheEnd } from '../support/ends.ts'

/** As in deploy/prometheus/prometheus.yml. */
const PACE_SECONDS = 15
const TOLD_WITHIN_MS = 120_000
const STARTS_WITHIN_MS = 300_000

describe('an operator that is dead', function () {
  this.timeout(STARTS_WITHIN_MS)
  let world: World
  let prometheus: Prometheus

  const ends = endsInTheEnd()
  before(async () => {
    world = await sharedWorld()
    prometheus = await startPrometheus({ targets: [new URL(world.broker.metricsUrl).host], everySeconds: PACE_SECONDS })
    ends(() => prometheus.stop())
    ends(() => world.operators.calm())
    await eventually(
      'the broker is scraped',
      () => prometheus.query('up == 1'),
      ([up]) => up !== undefined,
    )
  })

  const isDown = async (provider: string): Promise<boolean> =>
    (await prometheus.alerts()).some(
      ({ labels, state }) =>
        state === 'firing' && labels['alertname'] === 'GpuBrokerOperatorDown' && labels['provider'] === provider,
    )

  it('pages within two minutes, and the others do not', async () => {
    await world.operators.setFaults('nhn', [{ match: { path: '.' }, effect: 'black-hole' }])
    await eventually(
      'the page',
      () => isDown('nhn'),
      (down) => down,
      TOLD_WITHIN_MS,
    )
    expect([await isDown('naver'), await isDown('kakao')]).to.deep.equal([false, false])
  })
})
