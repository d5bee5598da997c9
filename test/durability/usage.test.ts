/** What is billed was there: active node-time by the broker's meters, against what the operators built and deleted. */
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { ClosedPeriod, Settlement, UsageReport } from '../../shared/usage.ts'
import { HOUR_MS } from '../../shared/time.ts'
import { ImportReport } from '../../shared/fleet-import.ts'
import { approve, days, reaches, release } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocateAt, untilStatus } from './allocations.ts'
import { eventually } from './eventually.ts'
import { handMadeAt } from './hand-made.ts'
import { type Operators, OPERATORS, startOperators } from './operators.ts'

describe('usage beside the operators’ ledgers', function () {
  this.timeout(60_000)
  let operators: Operators
  let broker: TestBroker
  let platform: ApiClient

  before(async function start() {
    this.timeout(START_WITHIN_MS)
    operators = await startOperators()
    broker = await startTestBroker({ sandbox: operators, env: { NODE_HEALTH_SECONDS: '0.3' } })
    platform = await broker.as('platform')
  })
  after(async () => {
    await broker.stop()
    await operators.close()
  })

  const activeHours = async (approvalId: string): Promise<number> => {
    const report = (await platform.get(`/v1/usage?from=${days(-1)}&to=${days(1)}&groupBy=approval`)).as(
      200,
      UsageReport,
    )
    return report.items.find((item) => item.approval === approvalId)?.nodeHoursActive ?? 0
  }

  for (const operator of OPERATORS) {
    it(`bills no node-hour at ${operator} that did not exist, over a lost node and a restart of the broker`, async () => {
      const approvalId = await approve(platform)
      const { id } = await allocateAt(platform, approvalId, { operator, nodes: 3 })
      await untilStatus(platform, id, ['active'])
      const [lost = ''] = await operators.idsStanding(operator, id)
      await operators.breakNode(operator, lost)
      await eventually(
        `${id} whole again`,
        async () => (await operators.everBuilt(operator, id)).length,
        (built) => built > 3,
      )
      await broker.restart()
      await eventually(
        `${id} active with all nodes`,
        () => reaches(platform, id, 'active'),
        (one) => one.nodes.ready === 3 && one.statusReason === null,
      )
      await release(platform, id)
      await untilStatus(platform, id, ['released'])
      const existedMs = (await operators.everBuilt(operator, id)).reduce(
        (sum, { createdAt, deletedAt }) => sum + Date.parse(deletedAt ?? '') - Date.parse(createdAt),
        0,
      )
      const billedMs = (await activeHours(approvalId)) * HOUR_MS
      expect(billedMs).to.be.greaterThan(0)
      expect(billedMs).to.be.at.most(existedMs)
    })
  }

  it('books what turns out about a closed month in the month in which it turns out, and leaves the closed one as it was', async () => {
    const [begun, now] = [days(-40), days(0)]
    const closedMonth = begun.slice(0, 7)
    ;(await platform.post(`/v1/usage/periods/${closedMonth}/close`)).as(200, ClosedPeriod)
    const settled = async (month: string) =>
      (await platform.get(`/v1/usage/periods/${month}/settlement`)).as(200, Settlement)
    const before = await settled(closedMonth)
    const nodes = await handMadeAt(operators, 'kakao', 2)
    const approvalId = await approve(platform, { program: 'taken-over' }, { validFrom: days(-60) })
    const allocation = { approvalId, name: 'since before', period: { start: begun, end: days(10) }, ...nodes }
    const report = await platform.post('/v1/operations/import?apply=true', { allocations: [allocation] })
    report.as(200, ImportReport)
    expect(await settled(closedMonth)).to.deep.equal(before)
    const late = (await settled(now.slice(0, 7))).items.find(
      ({ program, entry }) => program === 'taken-over' && entry === 'correction',
    )
    const [year = 0, month = 0] = closedMonth.split('-').map(Number)
    const lateMs = Date.UTC(year, month) - Date.parse(begun)
    expect(late?.nodeHoursActive).to.be.closeTo((2 * lateMs) / HOUR_MS, 1e-5)
    expect(late?.nodeHoursReserved).to.equal(late?.nodeHoursActive)
  })
})
