import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { factsOf, reservationsOn, waiting } from '../../broker/core/calendar-reads.ts'
import type { Cluster } from '../../broker/core/cluster.ts'
import { takenUntil } from '../../broker/core/idle/charge.ts'
import { phaseAt } from '../../broker/core/cluster.ts'
import { withOps } from '../../broker/core/calendar-undo.ts'
import { placeAgain } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY, EARLIEST_FIT_1, type Policy } from '../../broker/core/placement/policy.ts'
import { rankOf } from '../../broker/core/waitlist.ts'
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS } from '../../shared/time.ts'
import { aCluster, changesIn, NOW } from '../core/fleet.ts'
import { anyHistory, type Happening, live, liveMeanwhile } from './history.ts'
import { type MemoryApp, memoryApp } from './memory-app.ts'
import { copied, replayed, writtenBy } from './written.ts'

const phase = (from: EpochMs, nodes: number) => ({ from, nodes, stage: 'general', basis: 'announced' }) as const
const FLEET: readonly Cluster[] = [
  aCluster({ id: 'alpha', phases: [phase(NOW - DAY_MS, 5), phase(NOW + 3 * DAY_MS, 8)] }),
  aCluster({ id: 'beta', nodes: 4, providerId: 'kakao', turnoverMs: 20 * MINUTE_MS, idleNoticeMs: 10 * MINUTE_MS }),
]

/** `HISTORIES` asks for more of them: a long run tries thousands. */
const RUNS = Number(process.env['HISTORIES'] ?? 120)
const WITHIN_MS = 20 * MINUTE_MS

interface Lived {
  readonly policy?: Policy
  /** Whether it all happens while those who wait are planned again. Default: before. */
  readonly meanwhile?: boolean
  readonly runs?: number
  readonly settled?: (memory: MemoryApp, happening: Happening) => void
  readonly ended?: (memory: MemoryApp) => void
}

/** fast-check prints the seed and the smallest history that fails. */
const inAnyHistory = ({
  policy = EARLIEST_FIT_1,
  runs = RUNS,
  meanwhile = false,
  settled,
  ended,
}: Lived): Promise<void> =>
  fc.assert(
    fc.asyncProperty(anyHistory, async (history) => {
      const memory = memoryApp({ catalogue: FLEET, policy, now: NOW, takesTurns: meanwhile })
      await (meanwhile ? liveMeanwhile : live)(memory, history, (happening) => settled?.(memory, happening))
      ended?.(memory)
    }),
    { numRuns: runs },
  )

/** Instants from now on at which more is taken than there is and than what runs takes anyhow, from the exact intervals. */
function overfull({ calendar, now }: MemoryApp, { id }: Cluster): EpochMs[] {
  const state = calendar.clusters.get(id)
  if (state === undefined) return []
  const { cluster } = state
  const all = reservationsOn(calendar, id)
  const drains = [...state.drains.values()].map(({ what }) => what)
  return changesIn(calendar, cluster, { start: now, end: Number.POSITIVE_INFINITY }).filter((at) => {
    const there = all.filter((one) => one.start <= at && at < takenUntil(cluster, one, now))
    const drained = drains.filter(({ from, to }) => from <= at && at < to).reduce((sum, { nodes }) => sum + nodes, 0)
    const capacity = Math.max(0, (phaseAt(cluster.phases, at)?.nodes ?? 0) - drained)
    const running = there.filter((one) => one.phase === 'running').reduce((sum, { nodes }) => sum + nodes, 0)
    return there.reduce((sum, { nodes }) => sum + nodes, 0) > Math.max(capacity, running)
  })
}

describe('in any history of the app', function histories() {
  this.timeout(WITHIN_MS)

  it('every decision comes out the same when it is made again, and the log leaves the calendar that there is (invariant 5)', () =>
    inAnyHistory({
      ended(memory) {
        const { deviation, calendar } = replayed(writtenBy(memory))
        expect(deviation).to.equal(null)
        expect(factsOf(calendar)).to.deep.equal(copied(factsOf(memory.calendar)))
      },
    }))

  it('the same holds where the plan of those who wait is searched for', () =>
    inAnyHistory({
      policy: DEFAULT_POLICY,
      runs: Math.ceil(RUNS / 10),
      ended: (memory) => expect(replayed(writtenBy(memory)).deviation).to.equal(null),
    }))

  it('others decide while a plan is made and written down: decisions come out the same again, within capacity, and no slip is unexplained (invariants 1, 5 and 6)', () =>
    inAnyHistory({
      policy: DEFAULT_POLICY,
      runs: Math.ceil(RUNS / 4),
      meanwhile: true,
      settled(memory) {
        for (const cluster of FLEET) expect(overfull(memory, cluster), cluster.id).to.deep.equal([])
        for (const { type, data } of memory.events)
          if (type.endsWith('promise-slipped')) expect(data).to.not.include({ cause: 'unexplained' })
      },
      ended: (memory) => expect(replayed(writtenBy(memory)).deviation).to.equal(null),
    }))

  it('no cluster holds more than it has, drains, phases, quarantine and idle-use included (invariant 1)', () =>
    inAnyHistory({
      settled(memory) {
        for (const cluster of FLEET) expect(overfull(memory, cluster), cluster.id).to.deep.equal([])
      },
    }))

  it('no promise is made later without a cause, and none without an event (invariant 6)', async () => {
    let promised = new Map<string, EpochMs>()
    let events = 0
    await inAnyHistory({
      settled(memory) {
        if (memory.events.length < events) [promised, events] = [new Map(), 0] // another history has begun
        const slips = memory.events.slice(events).filter(({ type }) => type.endsWith('promise-slipped'))
        events = memory.events.length
        for (const { data } of slips) expect(data).to.have.property('cause').that.is.not.equal('unexplained')
        for (const row of memory.rows.allocations.values()) {
          const before = promised.get(row.id)
          if (before !== undefined && (row.promisedStartAt ?? before) !== before)
            expect(slips.map(({ allocationId }) => allocationId)).to.include(row.id)
          if (row.promisedStartAt !== null) promised.set(row.id, row.promisedStartAt)
        }
      },
    })
  })

  it('a release makes nobody later', () => {
    const planned = (memory: MemoryApp) =>
      new Map(
        [...memory.rows.allocations.values()].flatMap((row) =>
          row.status === 'waitlisted' && row.priority !== 'idle' && row.estimatedStartAt !== null
            ? [[row.id, row.estimatedStartAt] as const]
            : [],
        ),
      )
    let before = new Map<string, EpochMs>()
    return inAnyHistory({
      settled(memory, happening) {
        const after = planned(memory)
        if (happening.kind === 'releases')
          for (const [id, start] of after)
            expect(start, id).to.be.at.most(Math.max(memory.now, before.get(id) ?? Number.POSITIVE_INFINITY))
        before = after
      },
    })
  })

  it('nobody waits who could start now, whoever stands behind him (no node idles beside a request that it could serve)', () =>
    inAnyHistory({
      settled({ calendar, now }) {
        for (const { allocationId, request, priority } of waiting(calendar)) {
          const { best } = withOps(calendar, [{ op: 'release', allocationId }], () =>
            placeAgain(calendar, request, now, EARLIEST_FIT_1),
          )
          const isHeldUp = best !== null && (calendar.openUntil.get(best.providerId) ?? 0) > now
          if (best !== null && !isHeldUp)
            expect(best.start, `${rankOf(priority)} ${allocationId}`).to.be.greaterThan(now)
        }
      },
    }))

  it('idle-use is gone when a reservation starts: nobody is held up by it', () =>
    inAnyHistory({
      settled({ calendar, now }) {
        for (const { id } of FLEET)
          for (const grant of reservationsOn(calendar, id)) {
            if (grant.priority !== 'idle' || grant.reclaimedAt === undefined) continue
            // Told, its nodes come back in time for whoever they were promised to.
            expect(grant.heldUntil).to.be.at.most(Math.max(now, grant.reclaimedAt) + HOUR_MS)
          }
      },
    }))
})
