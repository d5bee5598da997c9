/** What is billed was there: active node-time by the broker's meters, against what the operators built and deleted. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ClosedPeriod, Settlement, UsageReport } from '../../shared/usage.ts'
import { HOUR_MS } from '../../shared/time.ts'
import { ImportReport } from '../../shared/fleet-import.ts'
import { approve, days, look, reaches, release } from '../api/requests.ts'
import { allocateAt, untilStatus } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'
import { handMadeAt } from './hand-made.ts'
import { OPERATORS } from './operators.ts'

describe('usage beside the operators’ ledgers', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators({ env: { NODE_HEALTH_SECONDS: '0.3' }, leavesNodes: true })

  const activeHours = async (approvalId: string): Promise<number> => {
    const report = (await world.platform.get(`/v1/usage?from=${days(-1)}&to=${days(1)}&groupBy=approval`)).as(
      200,
      UsageReport,
    )
    return report.items.find((item) => item.approval === approvalId)?.nodeHoursActive ?? 0
  }

  for (const operator of OPERATORS) {
    it(`bills no node-hour at ${operator} that did not exist, over a lost node and a restart of the broker`, async () => {
      const approvalId = await approve(world.platform)
      const { id } = await allocateAt(world.platform, approvalId, { operator, nodes: 3 })
      await untilStatus(world.platform, id, ['active'])
      const [lost = ''] = await world.operators.idsStanding(operator, id)
      await world.operators.breakNode(operator, lost)
      await eventually(
        `${id} whole again`,
        async () => (await world.operators.everBuilt(operator, id)).length,
        (built) => built > 3,
      )
      await world.broker.restart()
      await eventually(
        `${id} active with all nodes`,
        () => reaches(world.platform, id, 'active'),
        (one) => one.nodes.ready === 3 && one.statusReason === null,
      )
      await release(world.platform, id)
      await untilStatus(world.platform, id, ['released'])
      const existedMs = (await world.operators.everBuilt(operator, id)).reduce(
        (sum, { createdAt, deletedAt }) => sum + Date.parse(deletedAt ?? '') - Date.parse(createdAt),
        0,
      )
      const billedMs = (await activeHours(approvalId)) * HOUR_MS
      expect(billedMs).to.be.greaterThan(0)
      expect(billedMs).to.be.at.most(existedMs)
    })
  }

  it('books what turns out about a closed month in the month in which it turns out, and leaves the closed one as it was', async () => {
    const begun = days(-40)
    const closedMonth = begun.slice(0, 7)
    ;(await world.platform.post(`/v1/usage/periods/${closedMonth}/close`)).as(200, ClosedPeriod)
    const settled = async (month: string) =>
      (await world.platform.get(`/v1/usage/periods/${month}/settlement`)).as(200, Settlement)
    const before = await settled(closedMonth)
    const nodes = await handMadeAt(world.operators, 'kakao', 2)
    const approvalId = await approve(world.platform, { program: 'taken-over' }, { validFrom: days(-60) })
    const allocation = { approvalId, name: 'since before', period: { start: begun, end: days(10) }, ...nodes }
    const report = await world.platform.post('/v1/operations/import?apply=true', { allocations: [allocation] })
    const id = report.as(200, ImportReport).allocations[0]?.allocationId ?? ''
    expect(await settled(closedMonth)).to.deep.equal(before)
    const { createdAt: foundOutAt } = await look(world.platform, id)
    const late = (await settled(foundOutAt.slice(0, 7))).items.find(
      ({ program, entry }) => program === 'taken-over' && entry === 'correction',
    )
    const [year = 0, month = 0] = closedMonth.split('-').map(Number)
    const lateMs = Date.UTC(year, month) - Date.parse(begun)
    expect(late?.nodeHoursActive).to.be.closeTo((2 * lateMs) / HOUR_MS, 1e-5)
    expect(late?.nodeHoursReserved).to.equal(late?.nodeHoursActive)
  })
})
