import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { ClusterView } from '../../shared/cluster.ts'
import { pageOf } from '../../shared/text.ts'
import { toIso } from '../../shared/time.ts'
import { DEFINITIONS } from '../../broker/metrics/all.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocationBody, approve, freshId, hours, reaches, release } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const NAMES = Object.values(DEFINITIONS).map(({ name }) => name)

/** Its samples: labels as they are written → value. */
function samplesOf(lines: readonly string[], name: string): ReadonlyMap<string, number> {
  const found = lines.flatMap((line) => {
    const [, sample, labels, value] = /^([a-z_]+)(?:\{(.*?)\})? (\S+)/.exec(line) ?? []
    return sample === name ? [[labels ?? '', Number(value)] as const] : []
  })
  return new Map(found)
}

describe('metrics', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })
  const scrape = async (name: string): Promise<ReadonlyMap<string, number>> =>
    samplesOf((await sharedBroker().exposition()).lines, name)
  const count = async (name: string): Promise<number> => (await scrape(`${name}_count`)).get('') ?? 0

  it('are those that the page of them lists, in either format, whichever was asked for before', async () => {
    for (const accept of [OPEN_METRICS, 'text/plain', OPEN_METRICS, '*/*']) {
      const { contentType, lines } = await sharedBroker().exposition(accept)
      const open = accept === OPEN_METRICS
      expect(contentType).to.include(open ? 'application/openmetrics-text' : 'text/plain')
      const helped = lines.flatMap((line) => /^# HELP (\S+)/.exec(line)?.[1] ?? [])
      expect(helped).to.have.members(open ? NAMES.map((name) => name.replace(/_total$/, '')) : NAMES)
      expect(samplesOf(lines, 'gpu_broker_promises_slipped_total').size).to.be.greaterThan(0)
      expect(lines.at(-2) === '# EOF').to.equal(open)
    }
  })

  it('are there before anything happens, so that an alert sees the first time', async () => {
    const atOnce = [
      ['gpu_broker_requests_rejected_total', 'reason="overload"'],
      ['gpu_broker_webhook_deliveries_total', 'outcome="parked"'],
      ['gpu_broker_worker_errors_total', 'worker="reconcile"'],
      ['gpu_broker_provisioning_oldest_seconds', 'provider="naver"'],
      ['gpu_broker_quarantine_oldest_seconds', 'cluster="naver-h200-32"'],
    ] as const
    for (const [name, labels] of atOnce) expect((await scrape(name)).has(labels), name).to.equal(true)
    for (const provider of ['naver', 'nhn', 'kakao'])
      expect((await scrape('gpu_broker_release_confirm_seconds_count')).has(`provider="${provider}"`)).to.equal(true)
  })

  it('have each node of a cluster in one state, and none that the cluster has not', async () => {
    const { items } = (await platform.get('/v1/clusters')).as(200, pageOf(ClusterView))
    const nodes = await scrape('gpu_broker_nodes')
    const capacities = await scrape('gpu_broker_cluster_capacity_nodes')
    expect(items).to.have.length.greaterThan(4)
    for (const { id } of items) {
      const here = [...nodes].filter(([labels]) => labels.includes(`cluster="${id}"`)).map(([, value]) => value)
      expect(here).to.have.length(7)
      expect(
        here.reduce((sum, one) => sum + one, 0),
        id,
      ).to.equal(capacities.get(`cluster="${id}"`))
    }
  })

  it('tell how long a start, a release and a decision took, and what was asked twice', async () => {
    const histograms = ['gpu_broker_start_to_active_seconds', 'gpu_broker_release_confirm_seconds']
    const replays = (await scrape('gpu_broker_idempotent_replays_total')).get('') ?? 0
    const locks = await count('gpu_broker_calendar_lock_wait_seconds')
    const approval = await approve(platform)
    const body = allocationBody(approval, {
      requires: { providers: ['nhn'] },
      period: { start: toIso(Date.now()), end: hours(30) },
    })
    const key = { 'idempotency-key': freshId('key') }
    await platform.post('/v1/allocations', body, key)
    const asked = await platform.post('/v1/allocations', body, key)
    expect(asked.headers.get('idempotent-replayed')).to.equal('true')
    const { id } = JSON.parse(asked.text) as { readonly id: string }
    await reaches(platform, id, 'active')
    expect((await scrape('gpu_broker_allocations')).get('status="active",provider="nhn"')).to.be.greaterThan(0)
    expect((await scrape('gpu_broker_metering_gap_allocations')).get('')).to.equal(0)
    await release(platform, id)
    await reaches(platform, id, 'released')
    expect((await scrape('gpu_broker_idempotent_replays_total')).get('')).to.equal(replays + 1)
    expect(await count('gpu_broker_calendar_lock_wait_seconds')).to.be.greaterThan(locks)
    const decided = await scrape('gpu_broker_decision_duration_seconds_count')
    expect(decided.get('kind="place"')).to.be.greaterThan(0)
    for (const name of histograms) {
      expect((await scrape(`${name}_count`)).get('provider="nhn"'), name).to.be.greaterThan(0)
    }
  })

  it('are the same to two who scrape at once', async () => {
    const [one, other] = await Promise.all([scrape('gpu_broker_nodes'), scrape('gpu_broker_nodes')])
    expect(one).to.deep.equal(other)
    expect((await scrape('gpu_broker_database_up')).get('')).to.equal(1)
    expect((await scrape('gpu_broker_reconcile_lag_seconds')).get('')).to.be.lessThan(60)
    expect((await scrape('gpu_broker_frozen')).get('provider="all"')).to.equal(0)
  })
})
