/**
 * A broker on the sandbox that has done a little of everything, under a Prometheus that watches it closely: one for all
 * tests of a process, because it takes a minute to come to be.
 */
import { WebhookWithSecret } from '../../shared/webhook.ts'
import { allocateAt, releaseAndSeeItGone, untilActiveAndTrue } from '../durability/allocations.ts'
import { eventually } from '../durability/eventually.ts'
import { type Operators, OPERATORS, startOperators } from '../durability/operators.ts'
import { allocate, approve } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { atEnd } from '../support/process.ts'
import { startReceiver } from '../support/webhook-receiver.ts'
import { type Prometheus, startPrometheus } from './prometheus.ts'

export interface World {
  readonly operators: Operators
  readonly broker: TestBroker
  readonly platform: ApiClient
  readonly prometheus: Prometheus
  /** One that runs at nhn. */
  readonly allocationId: string
  /** One that waits. */
  readonly waitingId: string
}

let started: Promise<World> | null = null

export const sharedWorld = (): Promise<World> => (started ??= start())

/** All that it has, so that a second request waits. */
const SMALL = { 'kakao-b200-255': 4 }

async function start(): Promise<World> {
  const operators = await startOperators()
  atEnd(() => operators.close())
  const broker = await startTestBroker({
    sandbox: operators,
    nodes: SMALL,
    env: { SWEEP_INTERVAL_SECONDS: '2', WEBHOOK_ALLOW_PRIVATE: 'true' },
  })
  atEnd(() => broker.stop())
  const receiver = await startReceiver()
  atEnd(() => receiver.close())
  const prometheus = await startPrometheus({ targets: [new URL(broker.metricsUrl).host], everySeconds: 1 })
  atEnd(() => prometheus.stop())
  const platform = await broker.as('platform')
  ;(await platform.post('/v1/webhooks', { url: receiver.url })).as(201, WebhookWithSecret)
  const ids = await drive(operators, platform)
  const missing = async (): Promise<readonly string[]> => {
    const answers = await Promise.all(LAST_TO_COME.map((expr) => prometheus.query(expr)))
    return LAST_TO_COME.filter((_, n) => answers[n]?.length === 0)
  }
  await eventually('what was done is scraped; missing', missing, (none) => none.length === 0)
  return { operators, broker, platform, prometheus, ...ids }
}

/** What has to be scraped twice, and recorded, after all that was done. */
const LAST_TO_COME = [
  'sum(increase(gpu_broker_webhook_delivery_seconds_count[1m])) > 0',
  'gpu_broker:slo_errors:ratio_rate30d{slo="promise-keeping"}',
  'rate(gpu_broker_provider_retries_total[1m])',
]

/** Allocations at each operator, one given back, one that waits, and calls that fail. */
async function drive(operators: Operators, platform: ApiClient): Promise<Pick<World, 'allocationId' | 'waitingId'>> {
  const approvalId = await approve(platform)
  const running = new Map<string, string>()
  for (const operator of OPERATORS) {
    const [stays, goes] = [
      await allocateAt(platform, approvalId, { operator, nodes: 1 }),
      await allocateAt(platform, approvalId, { operator, nodes: 1 }),
    ]
    for (const { id } of [stays, goes]) await untilActiveAndTrue({ platform, operators }, { id, operator, nodes: 1 })
    await releaseAndSeeItGone({ platform, operators }, { id: goes.id, operator })
    running.set(operator, stays.id)
  }
  const request = { demand: { nodes: SMALL['kakao-b200-255'] }, requires: { providers: ['kakao'] } }
  const waiting = await allocate(platform, approvalId, { ...request, period: { durationHours: 1 } })
  // A call that fails and is repeated: a look, since a create that failed may have been done and is not asked for again.
  await operators.setFaults('naver', [
    { match: { path: '/getServerInstanceList$' }, effect: 'status', status: 503, times: 1 },
  ])
  const again = await allocateAt(platform, approvalId, { operator: 'naver', nodes: 1 })
  await untilActiveAndTrue({ platform, operators }, { id: again.id, operator: 'naver', nodes: 1 })
  return { allocationId: running.get('nhn') ?? '', waitingId: waiting.id }
}
