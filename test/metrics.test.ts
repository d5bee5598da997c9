import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ROUTES } from '../broker/http/routes/all.ts'
import { createMetrics } from '../broker/metrics.ts'
import { DEFINITIONS } from '../broker/metrics/all.ts'
import type { Definition } from '../broker/metrics/definition.ts'

const ALL: readonly Definition[] = Object.values(DEFINITIONS)
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0'
const named = (pattern: RegExp, wrong: (one: Definition) => boolean): readonly string[] =>
  ALL.filter((one) => !pattern.test(one.name) || wrong(one)).map(({ name }) => name)

describe('the definitions of metrics', () => {
  it('are named by Prometheus’ conventions: prefix, `_total` of what only grows, base unit at the end', () => {
    expect(named(/^gpu_broker_[a-z]+(?:_[a-z]+)*$/, () => false)).to.deep.equal([])
    expect(named(/./, ({ type, name }) => (type === 'counter') !== name.endsWith('_total'))).to.deep.equal([])
    expect(named(/./, ({ unit, name }) => (unit === 'seconds') !== /_seconds$/.test(name))).to.deep.equal([])
    expect(new Set(ALL.map(({ name }) => name)).size).to.equal(ALL.length)
  })

  it('have no label that holds ids, and none that Prometheus keeps for itself', () => {
    const labels = new Set(ALL.flatMap((one) => one.labels))
    for (const label of labels) expect(label).to.not.match(/id$|allocation|organization|node_|^le$|^quantile$/i)
    for (const { name, type, buckets } of ALL) {
      expect(buckets !== undefined, name).to.equal(type.endsWith('histogram'))
      expect(buckets, name).to.deep.equal(buckets?.toSorted((a, b) => a - b))
    }
  })

  it('send whoever looks further to what exists: metrics and operations of the API', () => {
    const names = new Set(ALL.map(({ name }) => name))
    const paths = new Set(ROUTES.map(({ method, path }) => `${method.toUpperCase()} ${path}`))
    for (const { name, next, help } of ALL) {
      expect(next, name).to.match(/\.$/)
      expect(help, name).to.match(/\.$/)
      for (const [mentioned] of next.matchAll(/gpu_broker_\w+/g)) expect([...names], name).to.include(mentioned)
      for (const [, operation = ''] of next.matchAll(/`((?:GET|POST|PUT) \/v1[^`?]*)/g)) {
        expect([...paths], name).to.include(operation)
      }
    }
  })
})

describe('an exposition', () => {
  it('names a counter whole as text, also after it was read as OpenMetrics', async () => {
    const metrics = createMetrics()
    metrics.claimsStolen.inc()
    for (const accept of ['text/plain', OPEN_METRICS, 'text/plain']) {
      const { text } = await metrics.read(accept)
      expect(text).to.include('\ngpu_broker_claims_stolen_total 1\n')
      const type = accept === OPEN_METRICS ? 'gpu_broker_claims_stolen' : 'gpu_broker_claims_stolen_total'
      expect(text).to.include(`# TYPE ${type} counter\n`)
    }
  })

  it('has the trace of the last observation of a bucket in OpenMetrics only, and none where there was none', async () => {
    const metrics = createMetrics()
    metrics.commitSeconds.observe({}, 0.002, 'a'.repeat(32))
    metrics.commitSeconds.observe({}, 2, null)
    const { text } = await metrics.read(OPEN_METRICS)
    const exemplars = text.split('\n').filter((line) => line.includes(' # {'))
    expect(exemplars).to.have.length(1)
    expect(exemplars[0]).to.match(/le="0\.0025"\} 1 # \{trace_id="a{32}"\} 0\.002 [\d.]+$/)
    expect((await metrics.read('*/*')).text).to.not.include('trace_id')
  })
})
