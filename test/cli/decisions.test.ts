import { expect } from 'chai'
import fc from 'fast-check'
import { after, before, describe, it } from 'mocha'
import { EARLIEST_FIT_1 } from '../../broker/core/placement/policy.ts'
import type { DecisionRecord } from '../../shared/proof.ts'
import { toIso } from '../../shared/time.ts'
import { anyHistory, live } from '../app/history.ts'
import { memoryApp } from '../app/memory-app.ts'
import { type Written, writtenBy } from '../app/written.ts'
import { type Loopback, startLoopback } from '../client/loopback.ts'
import { aCluster, NOW } from '../core/fleet.ts'
import { at, cli } from './cli-world.ts'

const SEED = 4
const HISTORIES = 4

async function written(): Promise<Written> {
  const catalogue = [aCluster({ id: 'alpha', nodes: 6 }), aCluster({ id: 'beta', nodes: 4, providerId: 'kakao' })]
  const memory = memoryApp({ catalogue, policy: EARLIEST_FIT_1, now: NOW })
  await live(memory, fc.sample(anyHistory, { numRuns: HISTORIES, seed: SEED }).flat(), () => undefined)
  return writtenBy(memory)
}

describe('the command line about decisions', () => {
  let server: Loopback
  let log: readonly object[]
  let decisions: DecisionRecord[]
  before(async () => {
    const { head, ...made } = await written()
    log = made.log.map((entry) => ({ ...entry, at: toIso(entry.at) }))
    decisions = made.decisions.map((one) => ({ ...one, at: toIso(one.at) }) as DecisionRecord) // inputs are objects
    const answers: Readonly<Record<string, () => unknown>> = {
      '/v1/calendar': () => head,
      '/v1/calendar/log': () => ({ items: log, nextCursor: null }),
      '/v1/decisions': () => ({ items: decisions, nextCursor: null }),
    }
    server = await startLoopback(({ path }) => {
      const [, found = ''] = /^\/v1\/decisions\/(.+)$/.exec(path) ?? []
      return { json: answers[path.split('?', 1)[0] ?? '']?.() ?? decisions.find((one) => one.decisionId === found) }
    })
  })
  after(() => server.close())

  it('makes all of them again and says that they came out the same', async () => {
    const { status, out, err } = await cli(['decisions', 'verify'], at(server.url))
    expect([status, err]).to.deep.equal([0, ''])
    expect(out).to.contain(
      `${decisions.length} decisions made again on ${log.length} operations of the calendar: all came out the same.`,
    )
  })

  it('shows the first that does not as a difference, and fails', async () => {
    const changed = decisions.find(({ kind }) => kind === 'place')
    const outcome = changed?.outcome['nodes']
    Object.assign(changed?.outcome ?? {}, { nodes: 99 })
    const { status, out } = await cli(['decisions', 'verify'], at(server.url))
    Object.assign(changed?.outcome ?? {}, { nodes: outcome })
    expect(status).to.equal(1)
    expect(out).to.contain(
      `(${changed?.decisionId}): Made again it comes out differently.\n  /outcome/nodes\n  - stored   99\n`,
    )
  })

  it('explains one: the clusters beside each other, and what would have changed it', async () => {
    const placed = decisions.find(({ kind, candidates }) => kind === 'place' && candidates.every((one) => one.feasible))
    const { status, out } = await cli(['decisions', 'show', placed?.decisionId ?? ''], at(server.url))
    expect(status).to.equal(0)
    expect(out).to.contain(`${placed?.allocationId}: has its place.`)
    expect(out).to.match(/Chosen: (alpha|beta)\. Next best: (alpha|beta), /)
  })
})
