/** A provider that does not answer: every replica knows, nothing new is placed there, and what it answers again is used again. */
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { ProviderView } from '../../shared/cluster.ts'
import { PlacementPreview } from '../../shared/decision.ts'
import { approve } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { engineOfThisRun } from '../support/database.ts'
import { allocateAt, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { eventually } from './eventually.ts'
import { type Operators, startOperators } from './operators.ts'

const NOTHING_ANSWERS = [{ match: { path: '.' }, effect: 'drop-before' }]
/** The pause before a trial, and the ping that is one. */
const RECOVERED_WITHIN_MS = 40_000

describe('a provider that does not answer', function () {
  this.timeout(120_000)
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
    await broker.stop()
    await operators.close()
  })

  const healthAt = async (client: ApiClient): Promise<ProviderView['health']> =>
    (await client.get('/v1/providers/nhn')).as(200, ProviderView).health
  const untilReads = (client: ApiClient, wanted: 'open' | 'closed', patienceMs?: number) =>
    eventually(
      `reads ${wanted}`,
      () => healthAt(client),
      ({ circuits }) => circuits.read === wanted,
      patienceMs,
    )
  const reasonsAtNhn = async (client: ApiClient): Promise<string[]> => {
    const body = { demand: { nodes: 1 }, requires: { providers: ['nhn'] }, period: { durationHours: 1 } }
    const { candidates } = (await client.post('/v1/placements/preview', body)).as(200, PlacementPreview)
    return candidates
      .filter((one) => one.clusterId === 'nhn-b200-510')
      .flatMap((one) => one.reasons.map((reason) => reason.rule))
  }

  it('has its circuit open for every replica and after a restart, and gets nothing that starts before it could recover', async () => {
    expect(await reasonsAtNhn(platform)).to.deep.equal([])
    await operators.setFaults('nhn', NOTHING_ANSWERS)
    expect((await untilReads(platform, 'open')).state).to.equal('degraded')
    expect(await reasonsAtNhn(platform)).to.deep.equal(['circuit-open'])
    const approvalId = await approve(platform)
    const waits = await allocateAt(platform, approvalId, { operator: 'nhn', nodes: 1 })
    expect(waits.status).to.equal('waitlisted')
    expect(waits.waitlist?.reason).to.match(/nhn does not answer/)

    await broker.restart()
    expect((await healthAt(platform)).circuits.read).to.not.equal('closed')

    await operators.calm()
    await untilReads(platform, 'closed', RECOVERED_WITHIN_MS)
    expect(await reasonsAtNhn(platform)).to.deep.equal([])
    await untilActiveAndTrue(platform, operators, { id: waits.id, operator: 'nhn', nodes: 1 })
    await releaseAndSeeItGone(platform, operators, { id: waits.id, operator: 'nhn' })
    const events = await broker.inStore((db) => db.selectFrom('events').selectAll().orderBy('sequence').execute())
    const types = events
      .filter(({ data }) => (data as { readonly kind?: string }).kind === 'read') // an event of a circuit names its kind
      .map(({ type }) => type)
    expect(types).to.deep.equal(['kr.gpubroker.provider.circuit-opened', 'kr.gpubroker.provider.circuit-closed'])
  })

  if (engineOfThisRun() === 'postgres') {
    it('is known to a replica that has not called it, within seconds', async () => {
      const other = await startTestBroker({ sandbox: operators, place: broker.place })
      try {
        await operators.setFaults('kakao', NOTHING_ANSWERS)
        const [here, there] = await Promise.all(
          [platform, await other.as('platform')].map(async (client) => {
            const open = async (): Promise<ProviderView> =>
              (await client.get('/v1/providers/kakao')).as(200, ProviderView)
            return (await eventually('reads open', open, ({ health }) => health.circuits.read !== 'closed')).health
          }),
        )
        expect(there?.circuits).to.deep.equal(here?.circuits)
      } finally {
        await operators.calm()
        await other.stop()
      }
    })
  }
})
