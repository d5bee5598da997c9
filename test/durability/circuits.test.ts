/** A provider that does not answer: every replica knows, nothing new is placed there, and what it answers again is used again. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ProviderView } from '../../shared/cluster.ts'
import { PlacementPreview } from '../../shared/decision.ts'
import { closeAll } from '../support/close-all.ts'
import type { ApiClient } from '../support/api-client.ts'
import { startTestBroker } from '../support/broker.ts'
import { engineOfThisRun } from '../support/database.ts'
import { allocateAt, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'

const NOTHING_ANSWERS = [{ match: { path: '.' }, effect: 'drop-before' }]

describe('a provider that does not answer', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators()

  const healthAt = async (client: ApiClient): Promise<ProviderView['health']> =>
    (await client.get('/v1/providers/nhn')).as(200, ProviderView).health
  const untilReads = (client: ApiClient, wanted: 'open' | 'closed') =>
    eventually(
      `reads ${wanted}`,
      () => healthAt(client),
      ({ circuits }) => circuits.read === wanted,
    )
  const reasonsAtNhn = async (client: ApiClient): Promise<string[]> => {
    const body = { demand: { nodes: 1 }, requires: { providers: ['nhn'] }, period: { durationHours: 1 } }
    const { candidates } = (await client.post('/v1/placements/preview', body)).as(200, PlacementPreview)
    return candidates
      .filter((one) => one.clusterId === 'nhn-b200-510')
      .flatMap((one) => one.reasons.map((reason) => reason.rule))
  }

  it('has its circuit open for every replica and after a restart, and gets nothing that starts before it could recover', async () => {
    expect(await reasonsAtNhn(world.platform)).to.deep.equal([])
    await world.operators.setFaults('nhn', NOTHING_ANSWERS)
    expect((await untilReads(world.platform, 'open')).state).to.equal('degraded')
    expect(await reasonsAtNhn(world.platform)).to.deep.equal(['circuit-open'])
    const waits = await allocateAt(world.platform, world.approvalId, { operator: 'nhn', nodes: 1 })
    expect(waits.status).to.equal('waitlisted')
    expect(waits.waitlist?.reason).to.match(/nhn does not answer/)

    await world.broker.restart()
    expect((await healthAt(world.platform)).circuits.read).to.not.equal('closed')

    await world.operators.calm()
    await untilReads(world.platform, 'closed')
    expect(await reasonsAtNhn(world.platform)).to.deep.equal([])
    await untilActiveAndTrue(world, { id: waits.id, operator: 'nhn', nodes: 1 })
    await releaseAndSeeItGone(world, { id: waits.id, operator: 'nhn' })
    const events = await world.broker.inStore((db) => db.selectFrom('events').selectAll().orderBy('sequence').execute())
    const types = events
      .filter(({ data }) => (data as { readonly kind?: string }).kind === 'read') // an event of a circuit names its kind
      .map(({ type }) => type)
    expect(types).to.deep.equal(['kr.gpubroker.provider.circuit-opened', 'kr.gpubroker.provider.circuit-closed'])
  })

  if (engineOfThisRun() === 'postgres') {
    it('is known to a replica that has not called it, within seconds', async () => {
      const other = await startTestBroker({ sandbox: world.operators, place: world.broker.place })
      try {
        await world.operators.setFaults('kakao', NOTHING_ANSWERS)
        const [here, there] = await Promise.all(
          [world.platform, await other.as('platform')].map(async (client) => {
            const open = async (): Promise<ProviderView> =>
              (await client.get('/v1/providers/kakao')).as(200, ProviderView)
            return (await eventually('reads open', open, ({ health }) => health.circuits.read !== 'closed')).health
          }),
        )
        expect(there?.circuits).to.deep.equal(here?.circuits)
      } finally {
        await closeAll(
          () => world.operators.calm(),
          () => other.stop(),
        )
      }
    })
  }
})
