import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { fleetOf } from '../../broker/simulate/fleet.ts'
import { readTrace } from '../../broker/simulate/read-trace.ts'
import { POLICY_NAMES } from '../../broker/simulate/scheduler.ts'
import type { TraceJob } from '../../broker/simulate/trace.ts'
import { workloadOf, type WindowOptions } from '../../broker/simulate/workload.ts'
import { Inventory } from '../../shared/inventory.ts'
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../shared/time.ts'
import { replayed, T0 } from './small-world.ts'

const FLEET = fleetOf(
  Inventory.parse(JSON.parse(readFileSync(new URL('../../deploy/inventory.json', import.meta.url), 'utf8'))),
)
const { jobs: KALOS } = await readTrace(new URL('traces/kalos-completed.csv.gz', import.meta.url).pathname)
const { jobs: ITP } = await readTrace(new URL('traces/itp-a.csv.gz', import.meta.url).pathname)

const OPTIONS: WindowOptions = { offset: 0, requests: 10_000, stretch: 'none', load: null, seed: 1, startAt: T0 }

const aJob = (facts: Partial<TraceJob>): TraceJob => ({
  id: 'job',
  submitSeconds: 0,
  nodes: 1,
  runSeconds: 3_600,
  askedSeconds: null,
  ...facts,
})
const only = (job: TraceJob, options: Partial<WindowOptions> = {}) =>
  workloadOf([job], FLEET, { ...OPTIONS, ...options }).requests[0]

describe('a workload', () => {
  it('runs on the 1,307 nodes for government use, once all of them are there', () => {
    expect(FLEET.nodes).to.equal(1_307)
    expect(FLEET.completeAt).to.equal(Date.parse('2026-12-31T00:00:00Z'))
    expect(FLEET.clusters).to.have.length(5)
  })

  it('stretches by r1 sizes by 510 ÷ 4,360 and hours to days', () => {
    const request = only(aJob({ nodes: 4_048, runSeconds: 7_200, askedSeconds: 10_800 }), { stretch: 'r1' })
    expect([request?.nodes, request?.usedMs, request?.grantedMs]).to.deep.equal([474, 2 * DAY_MS, 3 * DAY_MS])
    expect(only(aJob({ nodes: 1 }), { stretch: 'r1' })?.nodes).to.equal(1)
    expect(only(aJob({ nodes: 128 }), { stretch: 'r1' })?.nodes).to.equal(15)
  })

  it('grants what was asked for, and never lets a use be longer', () => {
    const early = only(aJob({ runSeconds: 1_800, askedSeconds: 3_600 }))
    expect([early?.usedMs, early?.grantedMs]).to.deep.equal([HOUR_MS / 2, HOUR_MS])
    const late = only(aJob({ runSeconds: 7_200, askedSeconds: 3_600 }))
    expect([late?.usedMs, late?.grantedMs]).to.deep.equal([HOUR_MS, HOUR_MS])
    const unsaid = only(aJob({ runSeconds: 7_200 }))
    expect([unsaid?.usedMs, unsaid?.grantedMs]).to.deep.equal([2 * HOUR_MS, 2 * HOUR_MS])
  })

  it('brings arrivals together until the load is reached, and keeps them in order', () => {
    for (const load of [0.7, 1]) {
      const workload = workloadOf(KALOS, FLEET, { ...OPTIONS, load })
      expect(workload.load).to.be.closeTo(load, 1e-9)
      const { requests } = workload
      const spanMs = (requests.at(-1)?.submittedAt ?? 0) - T0
      const nodeMs = requests.reduce((sum, { nodes, usedMs }) => sum + nodes * usedMs, 0)
      expect(nodeMs / (FLEET.nodes * spanMs)).to.be.closeTo(load, 1e-6)
      const instants = requests.map(({ submittedAt }) => submittedAt)
      expect(instants).to.deep.equal(instants.toSorted((a, b) => a - b))
    }
  })

  it('keeps the times of the log where no load is asked for', () => {
    const { requests } = workloadOf(KALOS, FLEET, OPTIONS)
    for (const [at, { submittedAt }] of requests.entries())
      expect(submittedAt - T0).to.equal((KALOS[at]?.submitSeconds ?? 0) * SECOND_MS)
  })

  it('begins after the offset, and draws alike for the same line whatever the window', () => {
    const all = workloadOf(KALOS, FLEET, OPTIONS).requests
    const some = workloadOf(KALOS, FLEET, { ...OPTIONS, offset: 100, requests: 50 }).requests
    const drawnOf = ({ id, architecture, organizationId }: (typeof all)[number]) => [id, architecture, organizationId]
    expect(some.map(drawnOf)).to.deep.equal(all.slice(100, 150).map(drawnOf))
    expect(some[0]?.submittedAt).to.equal(T0)
    expect(some.map(({ order }) => order)).to.deep.equal(Array.from({ length: 50 }, (_, at) => at))
  })

  it('is the same for a seed and another for another', () => {
    const of = (seed: number) => workloadOf(KALOS, FLEET, { ...OPTIONS, seed }).requests
    expect(of(7)).to.deep.equal(of(7))
    expect(of(7)).to.not.deep.equal(of(8))
  })

  it('draws Hopper about as often as it has nodes of the fleet, and never for what only Blackwell can hold', () => {
    const { requests } = workloadOf(ITP, FLEET, { ...OPTIONS, requests: 20_000 })
    const hopper = requests.filter(({ architecture }) => architecture === 'hopper').length
    expect(hopper / requests.length).to.be.closeTo(287 / 1_307, 0.01)
    for (let seed = 0; seed < 200; seed += 1)
      expect(only(aJob({ nodes: 256 }), { seed })?.architecture).to.equal('blackwell')
  })

  it('tells requests apart where the log gives one id twice', () => {
    const twice = Array.from({ length: 30 }, () => aJob({ nodes: 200 }))
    const { requests } = workloadOf(twice, FLEET, OPTIONS)
    expect(new Set(requests.map(({ id }) => id)).size).to.equal(30)
    for (const name of POLICY_NAMES) expect(replayed(name, requests, FLEET)).to.have.length(30)
  })

  it('leaves out, and counts, what no cluster could hold or nobody plans for', () => {
    const decade = 10 * 365 * 86_400
    const workload = workloadOf([aJob({ nodes: 511 }), aJob({ runSeconds: decade }), aJob({})], FLEET, OPTIONS)
    expect([workload.requests.length, workload.leftOut]).to.deep.equal([1, 2])
  })
})
