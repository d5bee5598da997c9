import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { trace } from '@opentelemetry/api'
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Allocation } from '../../shared/allocation.ts'
import { CloudEvent } from '../../shared/event.ts'
import { pageOf } from '../../shared/text.ts'
import { toIso } from '../../shared/time.ts'
import { parseTraceparent, traceIdOf } from '../../shared/trace-context.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { type CollectedSpan, startCollector, type TraceCollector } from '../support/trace-collector.ts'
import { allocationBody, approve, hours, reaches } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

/** As a sender makes it that has this recorded. */
const newTraceparent = (): string => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`

interface Asked {
  readonly operator: string
  readonly traceId: string | null
}

describe('traces', () => {
  let collector: TraceCollector
  const asked: Asked[] = []
  let platform: ApiClient
  const note = (message: unknown): void => {
    const { request } = message as { readonly request: ClientRequest } // as Node's documentation of the channel says
    const traceparent = request.getHeader('traceparent')
    asked.push({ operator: request.host, traceId: traceIdOf(typeof traceparent === 'string' ? traceparent : null) })
  }
  before(async () => {
    collector = await startCollector()
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url
    await import('../../docs/examples/tracing/main.ts') // as a preload does it
    subscribe('http.client.request.start', note)
    platform = await sharedBroker().as('platform')
  })
  after(async () => {
    unsubscribe('http.client.request.start', note)
    trace.disable()
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT']
    await collector.close()
  })

  /** Once a span of each name has come, and what each of them is a part of: that ends later, and may be sent later. */
  const spansOf = (asking: string, names: readonly string[]): Promise<CollectedSpan[]> =>
    until(
      async () => collector.spans.filter((span) => span.traceId === traceIdOf(asking)),
      (spans) => {
        const ids = new Set([parseTraceparent(asking)?.spanId, ...spans.map(({ spanId }) => spanId)])
        const named = spans.filter(({ name }) => names.includes(name))
        return (
          new Set(named.map(({ name }) => name)).size === names.length &&
          named.every((one) => ids.has(one.parentSpanId))
        )
      },
    )
  const eventsOf = async (id: string): Promise<CloudEvent[]> =>
    (await platform.get(`/v1/events?limit=500&allocationId=${id}`)).as(200, pageOf(CloudEvent)).items
  const create = async (traceparent: string): Promise<Allocation> => {
    const approval = await approve(platform)
    const period = { start: toIso(Date.now()), end: hours(30) }
    const body = allocationBody(approval, { requires: { providers: ['nhn'] }, period })
    return (await platform.post('/v1/allocations', body, { traceparent })).as(201, Allocation)
  }

  it('go from who asks through what is decided and built to the operator and into the events', async () => {
    const [asking, giving] = [newTraceparent(), newTraceparent()]
    const { id } = await create(asking)
    await reaches(platform, id, 'active')
    await platform.post(`/v1/allocations/${id}/release`, {}, { traceparent: giving })
    await reaches(platform, id, 'released')

    const traceOf = new Map((await eventsOf(id)).map((event) => [event.type, traceIdOf(event.traceparent ?? null)]))
    const [asked1, gave] = [traceIdOf(asking), traceIdOf(giving)]
    expect(Object.fromEntries(traceOf)).to.deep.equal({
      'kr.gpubroker.allocation.scheduled': asked1,
      'kr.gpubroker.allocation.provisioning': asked1,
      'kr.gpubroker.allocation.active': asked1,
      'kr.gpubroker.allocation.releasing': gave,
      'kr.gpubroker.allocation.released': gave,
    })
    expect(asked.filter(({ traceId }) => traceId === asked1)).to.not.deep.equal([])
    expect(asked.filter(({ traceId }) => traceId === gave)).to.not.deep.equal([])
  })

  it('have a span for the request, the commit, the look and the operator’s call, each under the one that it is a part of', async () => {
    const asking = newTraceparent()
    const { id } = await create(asking)
    await reaches(platform, id, 'active')
    const names = ['POST /v1/allocations', 'decide and commit', 'look', 'provider createNodes'] as const
    const spans = await spansOf(asking, names)
    const [requests = [], commits = [], looks = [], creates = []] = names.map((name) =>
      spans.filter((span) => span.name === name),
    )
    const ids = (of: readonly CollectedSpan[]) => of.map(({ spanId }) => spanId)
    const parents = (of: readonly CollectedSpan[]) => of.map(({ parentSpanId }) => parentSpanId)
    expect(parents(requests)).to.deep.equal([parseTraceparent(asking)?.spanId])
    expect(requests[0]?.attributes).to.include({ 'http.route': '/v1/allocations', 'http.response.status_code': 201 })
    expect(parents(commits)).to.include.members(ids(requests))
    expect(ids(requests)).to.include.members(parents(looks))
    expect(looks[0]?.attributes).to.include({ 'gpu_broker.allocation.id': id })
    expect(ids(looks)).to.include.members(parents(creates))
    expect(creates[0]?.attributes).to.include({ 'gpu_broker.provider.id': 'nhn' })
    await platform.post(`/v1/allocations/${id}/release`)
    await reaches(platform, id, 'released')
  })

  it('begin with the broker where nobody names one, and where what is named is none', async () => {
    for (const headers of [{}, { traceparent: `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01` }, { traceparent: 'none' }]) {
      const approval = await approve(platform)
      const body = allocationBody(approval)
      const { id } = (await platform.post('/v1/allocations', body, headers)).as(201, Allocation)
      const [event] = await eventsOf(id)
      expect(parseTraceparent(event?.traceparent)).to.not.equal(null)
      expect(traceIdOf(event?.traceparent ?? null)).to.not.equal('0'.repeat(32))
    }
  })

  it('are named by exemplars of the histograms, in OpenMetrics', async () => {
    const asking = newTraceparent()
    const { id } = await create(asking)
    await reaches(platform, id, 'active')
    const { lines } = await sharedBroker().exposition('application/openmetrics-text')
    const exemplars = (name: string) =>
      lines.flatMap((line) =>
        line.startsWith(`${name}_bucket`) ? (/# \{trace_id="(\w+)"\}/.exec(line)?.[1] ?? []) : [],
      )
    for (const name of ['http_request', 'commit', 'decision', 'look', 'provider_call']) {
      const found = exemplars(`gpu_broker_${name}_duration_seconds`)
      expect(found, name).to.not.deep.equal([])
      for (const traceId of found) expect(traceId).to.match(/^[0-9a-f]{32}$/)
    }
    expect(exemplars('gpu_broker_provider_call_duration_seconds')).to.include(traceIdOf(asking))
    await platform.post(`/v1/allocations/${id}/release`)
    await reaches(platform, id, 'released')
  })
})
